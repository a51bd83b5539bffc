import { DependencyError } from "@wardline/policy-types";
import { describeWithRedis, type RedisServer, startRedis } from "@wardline-tools/test-kit";
import { createClient, type RedisClientType } from "redis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type IdempotencyStore, idempotencySeal } from "../src/proxy/idempotency.ts";
import { createRedisIdempotencyStore } from "../src/proxy/idempotency-redis.ts";

const SEAL = idempotencySeal("key", undefined, "", Buffer.from("what was sent"));
const ANSWER = { status: 201, headers: [["location", "Patient/roe"]] as const, body: Buffer.from("Jane Roe") };

describeWithRedis("idempotency over Redis", () => {
  let server: RedisServer;
  let client: RedisClientType;
  const open = (keepMs = 60_000): IdempotencyStore =>
    createRedisIdempotencyStore({ send: (...args) => client.sendCommand(args), prefix: "w", keepMs });
  beforeEach(async () => {
    server = await startRedis();
    client = createClient({ url: server.url, disableOfflineQueue: true });
    client.on("error", () => undefined);
    await client.connect();
  });
  afterEach(async () => {
    client.destroy();
    await server.kill();
  });

  async function first(store: IdempotencyStore): Promise<{ keep(answer: typeof ANSWER): void; forget(): void }> {
    const claim = await store.claim("k", { owner: "o", fingerprint: "f", seal: SEAL });
    if (claim.kind !== "first") throw new Error(claim.kind);
    return claim;
  }
  const kindAt = async (store: IdempotencyStore, fingerprint = "f"): Promise<string> =>
    (await store.claim("k", { owner: "o", fingerprint, seal: SEAL })).kind;

  it("F2: one instance does it, every other sees that, and gives the same answer again", async () => {
    const claim = await first(open());
    expect(await kindAt(open())).toBe("in-work");
    expect(await kindAt(open(), "g")).toBe("other-request");
    claim.keep(ANSWER);
    await expect
      .poll(() => open().claim("k", { owner: "o", fingerprint: "f", seal: SEAL }))
      .toEqual({ kind: "repeat", answer: ANSWER });
  });

  it("A14: what lies in Redis tells nothing of the answer, and opens for the same request only", async () => {
    (await first(open())).keep(ANSWER);
    await expect.poll(() => kindAt(open())).toBe("repeat");
    const [key = ""] = await client.keys("*");
    // Long enough that no sealed text holds one of them by chance.
    expect(`${key} ${await client.get(key)}`).not.toMatch(/Jane Roe|Patient\/roe|what was sent/i);
    const other = idempotencySeal("key", undefined, "", Buffer.from("guessed"));
    await expect(async () => open().claim("k", { owner: "o", fingerprint: "f", seal: other })).rejects.toThrow(
      /authenticate/,
    );
  });

  it("lets a request that came to nothing be tried again", async () => {
    (await first(open())).forget();
    await expect.poll(() => kindAt(open())).toBe("first");
  });

  it("forgets after its time, and who is late changes nothing of what began anew", async () => {
    const late = await first(open(50));
    await expect.poll(() => kindAt(open())).toBe("first");
    late.keep(ANSWER);
    late.forget();
    // Commands of one connection are done in their order.
    await client.ping();
    expect(await kindAt(open())).toBe("in-work");
  });

  it("F2: what was refused while Redis was frozen may be asked again when it is back, though Redis wrote it down late", async () => {
    server.freeze();
    await expect(async () => open().claim("k", { owner: "o", fingerprint: "f", seal: SEAL })).rejects.toThrow(
      DependencyError,
    );
    server.thaw();
    // Commands of one connection are done in their order.
    await client.ping();
    await expect.poll(() => client.exists("w:idempotency:k")).toBe(0);
    expect(await kindAt(open())).toBe("first");
  });

  it("F5: a frozen Redis costs one deadline, not one for each request, and what is asked after the pause finds it back", async () => {
    let sent = 0;
    const store = createRedisIdempotencyStore({
      send: (...args) => {
        sent += 1;
        return client.sendCommand(args);
      },
      prefix: "w",
      keepMs: 60_000,
    });
    server.freeze();
    const begun = performance.now();
    for (let asked = 0; asked < 40; asked++) await expect(kindAt(store)).rejects.toThrow(DependencyError);
    // One for each half second, had this machine needed that long for the others.
    expect(sent).toBeLessThanOrEqual(1 + (performance.now() - begun) / 500);
    server.thaw();
    await expect.poll(() => kindAt(store).catch(() => "unknown"), { timeout: 5000 }).toBe("first");
  });

  it("F1: says that it cannot tell while Redis is frozen", async () => {
    server.freeze();
    await expect(async () => open().claim("k", { owner: "o", fingerprint: "f", seal: SEAL })).rejects.toThrow(
      DependencyError,
    );
    server.thaw();
  });
});
