import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createGateway, type Gateway } from "@wardline/gateway";
import type { PolicyDocument } from "@wardline/policy-types";
import { describeWithRedis, type RedisServer, startRedis } from "@wardline-tools/test-kit";
import { afterEach, expect, it } from "vitest";
import { type Edge, startEdge } from "./support/edge.ts";
import { exportByItself } from "./support/exporting.ts";

const SYSTEM = {
  patient: undefined,
  sub: "app-1",
  client_id: "app-1",
  scope: "system/Patient.rs system/Observation.rs",
};
const OTHER = { ...SYSTEM, sub: "app-2", client_id: "app-2" };
const LATER = { Prefer: "respond-async" };
const PATIENCE = { timeout: 20_000, interval: 100 };

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of opened.splice(0).reverse()) await end();
});

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "edge-exports-"));
  opened.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

type Ask = (
  path: string,
  init?: RequestInit & { claims?: object },
) => Promise<{
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}>;

interface World {
  readonly first: Edge;
  readonly askFirst: Ask;
  readonly second: Gateway;
  readonly askSecond: Ask;
  readonly release: () => void;
  readonly asked: (what: string) => readonly string[];
  /** How often an export was asked for. What was answered late with 503 may have begun one all the same (F2). */
  readonly kickOffs: () => number;
}

/**
 * Two instances with one policy but for their audit logs, before one upstream that exports. On a busy machine Redis is late,
 * which is answered with 503: whoever is patient asks again.
 */
async function two(redisUrl: string, isPatient = true): Promise<World> {
  const folder = await emptyFolder();
  let policy: PolicyDocument | undefined;
  const first = await startEdge((given) => {
    const routes = given.routes.map((route) => ({ ...route, operations: ["export"] }));
    policy = { ...given, routes, redis: { url: redisUrl }, bulkExport: { folder, queue: "redis", concurrency: 1 } };
    return policy;
  });
  const second = await createGateway({
    ...(policy as unknown as PolicyDocument),
    audit: { folder: await emptyFolder() },
  });
  opened.push(() => second.close());
  const { url } = await second.listen();
  const { release } = exportByItself(first);
  let kickOffs = 0;
  const askAt =
    (base: string): Ask =>
    async (path, { claims = SYSTEM, ...init } = {}) => {
      const authorization = `Bearer ${await first.issuer.token({ ...claims })}`;
      for (let left = isPatient ? 100 : 0; ; left--) {
        if (path === "/$export") kickOffs++;
        const answer = await fetch(base + path, { ...init, headers: { ...LATER, authorization } });
        const text = await answer.text();
        if (answer.status !== 503 || left === 0) return { status: answer.status, headers: answer.headers, text };
        await setTimeout(100);
      }
    };
  return {
    first,
    askFirst: askAt(first.base),
    second,
    askSecond: askAt(`${url}/fhir`),
    release,
    asked: (what) => first.backend.asked.filter((one) => one.startsWith(what)),
    kickOffs: () => kickOffs,
  };
}

/** Path of the job below the FHIR base, once Redis is there. */
async function kickOff(ask: Ask): Promise<string> {
  let place = "";
  await expect
    .poll(async () => {
      const answer = await ask("/$export");
      place = answer.headers.get("content-location") ?? "";
      return answer.status;
    }, PATIENCE)
    .toBe(202);
  return place.replace(/^.*\/fhir(?=\/)/, "");
}

describeWithRedis("exports of two instances, remembered in Redis", () => {
  async function redisServer(): Promise<RedisServer> {
    const redis = await startRedis();
    opened.push(() => redis.kill());
    return redis;
  }

  it("any instance answers for any export, and for nobody but who began it", async () => {
    const { askFirst, askSecond, release, asked, kickOffs } = await two((await redisServer()).url);
    // From now on the store is there, so that one is asked for once, but on a machine that is very busy.
    expect((await askFirst(`/_export/${randomBytes(24).toString("base64url")}`)).status).toBe(404);
    const job = await kickOff(askFirst);
    expect((await askSecond(job)).status).toBe(202);
    expect((await askSecond(job, { claims: OTHER })).status).toBe(404);
    release();
    await expect.poll(async () => (await askSecond(job)).status, PATIENCE).toBe(200);
    for (const ask of [askFirst, askSecond]) {
      const { status, text } = await ask(`${job}/0`);
      const ids = text
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id);
      expect([status, ids]).toEqual([200, ["a", "b"]]);
      expect((await ask(`${job}/0`, { claims: OTHER })).status).toBe(404);
    }
    expect(asked("GET /r4/$export").length).toBeGreaterThan(0);
    expect(asked("GET /r4/$export").length).toBeLessThanOrEqual(kickOffs());
    expect((await askFirst(job, { method: "DELETE" })).status).toBe(202);
    expect((await askSecond(job)).status).toBe(404);
  });

  it("F15: what an instance leaves in the middle another ends, once", async () => {
    const { first, askFirst, second, askSecond, release, asked } = await two((await redisServer()).url);
    const job = await kickOff(askFirst);
    await expect.poll(() => asked("GET /r4/jobs/7").length, PATIENCE).toBeGreaterThan(0);
    // Nobody knows which of them works on it: whoever goes, the other is there.
    await first.gateway.close();
    release();
    await expect.poll(async () => (await askSecond(job)).status, PATIENCE).toBe(200);
    expect((await askSecond(`${job}/0`)).text.trimEnd().split("\n")).toHaveLength(2);
    expect(asked("GET /r4/files/patients")).toHaveLength(1);
    expect(asked("GET /r4/$export").length).toBeLessThanOrEqual(2);
    await second.close();
  });

  it("F3: Redis may come after the instances: exports are refused until then, and taken from then on", async () => {
    const redis = await redisServer();
    await redis.kill();
    const { askFirst } = await two(redis.url, false);
    expect((await askFirst("/$export")).status).toBe(503);
    await redis.restart();
    await kickOff(askFirst);
  });
});

it("a policy that names no `redis` for it is refused", async () => {
  const folder = await emptyFolder();
  const started = startEdge((given) => ({
    ...given,
    routes: given.routes.map((route) => ({ ...route, operations: ["export"] })),
    bulkExport: { folder, queue: "redis" },
  }));
  await expect(started).rejects.toThrow(/bulkExport\.queue: needs a `redis`/);
});
