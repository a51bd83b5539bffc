import { ConfigurationError, DependencyError, type SendCommand, type Subscribe } from "@wardline/policy-types";
import { describeWithRedis, type RedisServer, startRedis } from "@wardline-tools/test-kit";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  createRedisConsentRegistry,
  createRedisExportJobStore,
  createRedisHolderStore,
  createRedisReplayStore,
  createRedisRevocationList,
  type RedisConsentRegistry,
} from "../src/index.ts";
import { createAsk } from "../src/redis/ask.ts";
import { consentRegistryContract } from "./support/consent-registry-contract.ts";
import { codeOf, createEdge } from "./support/edge.ts";
import { exportStoreContract, JOB } from "./support/export-store-contract.ts";
import { holderStoreContract } from "./support/holder-store-contract.ts";
import { NOW } from "./support/issuer.ts";
import { replayStoreContract } from "./support/replay-store-contract.ts";
import { revocationListContract } from "./support/revocation-list-contract.ts";
import { EXPRESS } from "./support/servers.ts";

const clientOf = (url: string) => createClient({ url, socket: { reconnectStrategy: 20 } });
type Client = ReturnType<typeof clientOf>;
const UNAVAILABLE = { name: "DependencyError", retryable: true };

describe("what is sent to Redis", () => {
  it("F1: has our deadline; F5: a failure is paid for once, and one question finds the way back", async () => {
    let clock = 0;
    let sent = 0;
    let answer: () => Promise<unknown> = () => new Promise(() => undefined);
    const send: SendCommand = () => {
      sent++;
      return answer();
    };
    const ask = createAsk({ send, deadlineMs: 5, now: () => clock }, "code");
    await expect(ask("PING")).rejects.toMatchObject({ ...UNAVAILABLE, code: "code" });
    await expect(ask("PING")).rejects.toBeInstanceOf(DependencyError);
    expect(sent).toBe(1);
    clock = 500;
    await Promise.allSettled([ask("PING"), ask("PING"), ask("PING")]);
    expect(sent).toBe(2);
    clock = 1000;
    answer = async () => "PONG";
    expect(await ask("PING")).toBe("PONG");
    expect(await Promise.all([ask("PING"), ask("PING")])).toEqual(["PONG", "PONG"]);
  });

  it("F5: finds the way back although the clock is set back after a failure", async () => {
    let clock = 86_400_000;
    let answer: () => Promise<unknown> = () => Promise.reject(new Error("not there"));
    const ask = createAsk({ send: () => answer(), now: () => clock }, "code");
    await expect(ask("PING")).rejects.toBeInstanceOf(DependencyError);
    answer = async () => "PONG";
    clock = 0;
    await expect(ask("PING")).rejects.toBeInstanceOf(DependencyError);
    clock = 500;
    expect(await ask("PING")).toBe("PONG");
  });

  it("A10: what was heard before the clock was set back is not taken for news", async () => {
    let clock = 86_400_000;
    let asked = 0;
    const send: SendCommand = async () => {
      asked++;
      return ["history", "0"];
    };
    const registry = createRedisConsentRegistry({ send, now: () => clock, cacheSeconds: 30 });
    const view = await registry.view({});
    expect(view.withheldBy("p1")).toEqual([]);
    clock = 0;
    expect(() => view.withheldBy("p1")).toThrow(DependencyError);
    await registry.view({});
    expect(asked).toBe(2);
    expect(view.withheldBy("p1")).toEqual([]);
    await registry.close();
  });

  it.each([0, 0.1, 31, Number.NaN])("does not take a cache of %s seconds", (cacheSeconds) => {
    expect(() => createRedisConsentRegistry({ send: async () => "", cacheSeconds })).toThrow(ConfigurationError);
  });

  it("is never believed when the answer makes no sense", async () => {
    const send: SendCommand = async () => "?";
    await expect(createRedisReplayStore({ send }).add("k", 1)).rejects.toMatchObject(UNAVAILABLE);
    await expect(createRedisHolderStore({ send: async () => null }).hold("k", "h", 1)).rejects.toMatchObject(
      UNAVAILABLE,
    );
    const jobs = createRedisExportJobStore({ send, now: () => NOW * 1000 });
    await expect(jobs.save(JOB)).rejects.toMatchObject(UNAVAILABLE);
    await expect(jobs.load(JOB.id)).rejects.toMatchObject(UNAVAILABLE);
    await expect(jobs.remove(JOB.id)).rejects.toMatchObject(UNAVAILABLE);
    const token = { issuer: "i", subject: "s", tokenHash: "h" };
    await expect(createRedisRevocationList({ send }).isRevoked(token)).rejects.toMatchObject(UNAVAILABLE);
    const consent = createRedisConsentRegistry({ send });
    await expect(consent.view({})).rejects.toBeInstanceOf(DependencyError);
    await consent.close();
  });
});

describeWithRedis("stores in Redis", () => {
  let server: RedisServer;
  let client: Client;
  const subscribers: Client[] = [];
  let run = 0;

  const connect = async (): Promise<Client> => {
    const made = clientOf(server.url);
    made.on("error", () => undefined);
    await made.connect();
    return made;
  };
  const send: SendCommand = (...args) => client.sendCommand(args);
  const subscribe: Subscribe = async (channel, onMessage) => {
    const subscriber = await connect();
    subscribers.push(subscriber);
    await subscriber.subscribe(channel, onMessage);
    return async () => subscriber.destroy();
  };
  /** Real time cannot be moved, so what lives is made to end earlier. */
  const pass = async (prefix: string, seconds: number): Promise<void> => {
    for (const key of await client.keys(`${prefix}:*`)) {
      const left = await client.pTTL(key);
      if (left > 0) await client.pExpire(key, left - seconds * 1000);
    }
  };

  beforeAll(async () => {
    server = await startRedis();
    client = await connect();
  });
  afterEach(() => server.thaw());
  afterAll(() => {
    for (const one of [client, ...subscribers]) if (one.isOpen) one.destroy();
  });

  const at = (now: number) => {
    let clock = now * 1000;
    const prefix = `t${run++}`;
    return {
      // What is shown here is no matter of time; a busy machine may take longer than 50 ms.
      options: { send, prefix, now: () => clock, deadlineMs: 5000 },
      pass: async (seconds: number) => {
        clock += seconds * 1000;
        await pass(prefix, seconds);
      },
    };
  };

  describe("the replay store", () => {
    replayStoreContract((now) => {
      const { options, pass: move } = at(now);
      return { store: createRedisReplayStore(options), pass: move };
    });

    it("S3: is one for all instances", async () => {
      const { options } = at(NOW);
      const stores = Array.from({ length: 10 }, () => createRedisReplayStore(options));
      const answers = await Promise.all(stores.map((store) => store.add("k", NOW + 60)));
      expect(answers.filter(Boolean).length).toBe(1);
    });
  });

  describe("the holder store", () => {
    holderStoreContract((now) => {
      const { options, pass: move } = at(now);
      return { store: createRedisHolderStore(options), pass: move };
    });

    it("S3: is one for all instances", async () => {
      const { options } = at(NOW);
      const holders = await Promise.all(
        Array.from({ length: 10 }, (_, one) => createRedisHolderStore(options).hold("k", `h${one}`, NOW + 60)),
      );
      expect(new Set(holders).size).toBe(1);
    });
  });

  describe("the export job store", () => {
    exportStoreContract((now) => {
      const { options, pass: move } = at(now);
      return { store: createRedisExportJobStore(options), pass: move };
    });

    it("A8: is one for all instances, and holds a job under its own id only", async () => {
      const { options } = at(NOW);
      await createRedisExportJobStore(options).save(JOB);
      expect(await createRedisExportJobStore(options).load(JOB.id)).toEqual(JOB);
      const place = `${options.prefix}:export:other`;
      await client.set(place, JSON.stringify(JOB));
      expect(await createRedisExportJobStore(options).load("other")).toBeUndefined();
    });

    it.each<[string, string]>([
      ["no JSON", "{"],
      ["nothing", "null"],
      ["no job", "{}"],
      ["a job of no types", JSON.stringify({ ...JOB, types: "Patient" })],
      ["a job without end", JSON.stringify({ ...JOB, until: "never" })],
      ["a file of no kind", JSON.stringify({ ...JOB, files: [{ kind: "other", type: "Patient", url: "x" }] })],
      ["a file that is none", JSON.stringify({ ...JOB, files: [null] })],
    ])("S12: %s in its place is no job", async (_what, text) => {
      const { options } = at(NOW);
      await client.set(`${options.prefix}:export:${JOB.id}`, text);
      await expect(createRedisExportJobStore(options).load(JOB.id)).rejects.toMatchObject({
        ...UNAVAILABLE,
        code: "smart-auth/export-store-unavailable",
      });
    });

    it("S8: takes no job without bound", async () => {
      const files = Array.from({ length: 50_000 }, () => ({
        kind: "output" as const,
        type: "Patient",
        url: "x".repeat(64),
      }));
      const { options } = at(NOW);
      await expect(createRedisExportJobStore(options).save({ ...JOB, files })).rejects.toMatchObject(UNAVAILABLE);
    });
  });

  describe("the revocation list", () => {
    revocationListContract((now) => {
      const { options, pass: move } = at(now);
      return { list: createRedisRevocationList(options), pass: move };
    });
  });

  describe("the consent registry", () => {
    const open: RedisConsentRegistry[] = [];
    const create = (more: Partial<Parameters<typeof createRedisConsentRegistry>[0]> = {}, prefix = `c${run++}`) => {
      const registry = createRedisConsentRegistry({ send, prefix, subscribe, deadlineMs: 1000, ...more });
      open.push(registry);
      return registry;
    };
    afterEach(async () => {
      await Promise.all(open.splice(0).map((registry) => registry.close()));
    });

    consentRegistryContract(async () => create());

    it("A10: tells every instance, and the views in use there", async () => {
      const prefix = `c${run++}`;
      const [here, there] = [create({ cacheSeconds: 30 }, prefix), create({ cacheSeconds: 30 }, prefix)];
      const view = await there.view({ clientId: "app-1" });
      expect(view.withheldBy("p1")).toEqual([]);
      await here.revoke("p1", { client: "app-1" });
      await expect.poll(() => view.withheldBy("p1")).toBe("all");
      await here.restore("p1", { client: "app-1" });
      await expect.poll(() => view.withheldBy("p1")).toEqual([]);
    });

    it("A10: without messages, hears of it within the bound of its cache", async () => {
      const prefix = `c${run++}`;
      const here = create({}, prefix);
      const there = createRedisConsentRegistry({ send, prefix, cacheSeconds: 0.4 });
      open.push(there);
      const view = await there.view({ clientId: "app-1" });
      await here.revoke("p1", {});
      await expect.poll(() => view.withheldBy("p1")).toBe("all");
    });

    it("reads more than one page of what was revoked before it began", async () => {
      const prefix = `c${run++}`;
      const here = create({ deadlineMs: 5000, cacheSeconds: 30 }, prefix);
      await Promise.all(Array.from({ length: 1200 }, (_, one) => here.revoke(`p${one}`, { client: "app-1" })));
      const view = await create({ deadlineMs: 5000 }, prefix).view({ clientId: "app-1" });
      expect([view.withheldBy("p0"), view.withheldBy("p1199"), view.withheldBy("p1200")]).toEqual(["all", "all", []]);
    });

    it("A14: keeps no patient's id in Redis", async () => {
      const prefix = `c${run++}`;
      await create({}, prefix).revoke("patient-4711", { category: "sud" });
      const kept = await client.hGetAll(`${prefix}:{consent}:entries`);
      expect(JSON.stringify(kept)).toContain("sud");
      expect(JSON.stringify(kept)).not.toContain("patient-4711");
    });

    it("F8: knows nothing once Redis has been frozen longer than its bound, and everything again afterwards", async () => {
      const registry = create({ cacheSeconds: 0.4 });
      await registry.revoke("p1", {});
      const view = await registry.view({});
      server.freeze();
      await expect
        .poll(
          () => {
            try {
              return view.withheldBy("p1");
            } catch (error) {
              return (error as DependencyError).code;
            }
          },
          { timeout: 5000 },
        )
        .toBe("smart-auth/consent-unavailable");
      await expect(registry.view({})).rejects.toMatchObject({ code: "smart-auth/consent-unavailable" });
      await expect(registry.revoke("p2", {})).rejects.toMatchObject({ code: "smart-auth/consent-unavailable" });
      server.thaw();
      await expect.poll(() => registry.view({}).then((now) => now.withheldBy("p1")), { timeout: 5000 }).toBe("all");
    });

    it("does not forget what it knows when Redis comes back empty", async () => {
      const registry = create({ cacheSeconds: 0.4 });
      await registry.revoke("p1", {});
      await server.restart();
      await expect.poll(() => registry.view({}).then((now) => now.withheldBy("p1")), { timeout: 5000 }).toBe("all");
      await registry.revoke("p2", {});
      expect((await registry.view({})).withheldBy("p2")).toBe("all");
    });
  });

  it.each([
    ["replay", "smart-auth/replay-store-unavailable", "oneTimeTokens"],
    ["holder", "smart-auth/replay-store-unavailable", "bindToFirstHolder"],
    ["revocation", "smart-auth/revocation-unavailable", "revocation"],
    ["consent", "smart-auth/consent-unavailable", "consent"],
  ])(
    "S3, F8: a request that needs the %s store is refused while Redis is frozen, and answered when it is back",
    async (_name, code, which) => {
      const [[, express]] = EXPRESS as unknown as [[string, (typeof EXPRESS)[number][1]]];
      const { options } = at(NOW);
      const registry = createRedisConsentRegistry({ send, prefix: options.prefix, cacheSeconds: 0.2 });
      const edge = await createEdge(express, {
        ...(which === "oneTimeTokens"
          ? { oneTimeTokens: true, replayStore: createRedisReplayStore({ send, prefix: options.prefix }) }
          : {}),
        ...(which === "bindToFirstHolder"
          ? { bindToFirstHolder: true, holderStore: createRedisHolderStore({ send, prefix: options.prefix }) }
          : {}),
        ...(which === "revocation" ? { revocation: createRedisRevocationList({ send, prefix: options.prefix }) } : {}),
        ...(which === "consent" ? { consent: { registry } } : {}),
      });
      let jti = 0;
      const get = () => edge.as("patient/*.rs", "/Patient/p1", {}, { jti: `j${jti++}` });
      await expect.poll(async () => (await get()).status, { timeout: 5000 }).toBe(200);
      server.freeze();
      // What is known counts for as long as its cache.
      if (which === "consent") await expect.poll(async () => (await get()).status).toBe(503);
      const before = edge.backend.seen.length;
      for (const answer of await Promise.all([get(), get(), get()])) {
        expect([answer.status, codeOf(answer), answer.headers["retry-after"]]).toEqual([503, code, "2"]);
      }
      expect(edge.backend.seen.length).toBe(before);
      server.thaw();
      await expect.poll(async () => (await get()).status, { timeout: 5000 }).toBe(200);
      await registry.close();
    },
  );
});
