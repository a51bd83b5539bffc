import { type Answer, ask, describeWithRedis, EXPRESS, startRedis } from "@wardline-tools/test-kit";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFolderFiles } from "../../src/async/folder-files.ts";
import { type Added, type BullModule, createBullQueue, type JobQueue, type RunJob } from "../../src/index.ts";
import { bullmq } from "./support/bullmq.ts";
import { queueContract } from "./support/contract.ts";
import { emptyFolder, jobOf, TIERS } from "./support/queues.ts";
import { world } from "./support/world.ts";

if (bullmq === undefined) {
  console.warn("skipped: the BullMQ queue (bullmq is not installed)");
  describe.skip("BullMQ queue", () => undefined);
} else withBullmq(bullmq);

function withBullmq(module: BullModule): void {
  describeWithRedis("BullMQ queue", () => {
    const errors: unknown[] = [];
    let connection: ReturnType<typeof createClient>;
    let places = 0;
    beforeAll(async () => {
      const redis = await startRedis();
      connection = createClient({ url: redis.url });
      connection.on("error", () => undefined);
      await connection.connect();
    });
    afterAll(() => connection.destroy());

    const shared = { bullmq: module, lockMs: 1000, watchMs: 50, onError: (error: unknown) => void errors.push(error) };
    queueContract("BullMQ", async () => {
      places += 1;
      const prefix = `test-${places}`;
      return {
        make: ({ tiers = TIERS, ...wish } = {}) => createBullQueue({ ...shared, ...wish, tiers, connection, prefix }),
      };
    });

    it("two instances share the tier's slots, the jobs and the cancelling", async () => {
      const instances: JobQueue[] = [1, 2].map(() =>
        createBullQueue({ ...shared, connection, prefix: "pair", tiers: { ordinary: { concurrency: 2 } } }),
      );
      let running = 0;
      let most = 0;
      const begun: string[] = [];
      const aborted: string[] = [];
      for (const instance of instances) {
        instance.work((job, { signal }) => {
          begun.push(job.id);
          running += 1;
          most = Math.max(most, running);
          return new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              running -= 1;
              aborted.push(job.id);
              reject(signal.reason as Error);
            });
          });
        });
      }
      const jobs = [1, 2, 3, 4].map(() => jobOf());
      for (const job of jobs) await instances[0]?.add(job);
      for (const [at, job] of jobs.entries()) {
        await expect.poll(() => begun.length).toBe(Math.min(at + 2, 4));
        // Asked of both: one of them does not run it.
        await instances[at % 2]?.remove(job.id);
        await expect.poll(() => aborted).toContain(job.id);
        expect(await instances[(at + 1) % 2]?.load(job.id)).toBeUndefined();
      }
      expect(most).toBe(2);
      for (const instance of instances) await instance.close();
    });

    it("F1: with Redis dead every question gets 503 in time, and all is well again without a restart when it is back", async () => {
      const redis = await startRedis();
      const client = createClient({ url: redis.url, socket: { reconnectStrategy: 20 } });
      client.on("error", () => undefined);
      await client.connect();
      afterAll(() => client.destroy());
      const queue = createBullQueue({ ...shared, connection: client, tiers: { ordinary: {} } });
      const folder = await emptyFolder();
      const at = await world(EXPRESS[0][1], { queue, files: createFolderFiles(folder), storeDeadlineMs: 200 });
      const headers = { prefer: "respond-async", "x-user": "anna" };
      const kickOff = (): Promise<Answer> => ask(`${at.origin}/fhir/$export`, { headers });
      expect((await kickOff()).status).toBe(202);
      await redis.kill();
      const refused = await Promise.all([
        kickOff(),
        kickOff(),
        ask(`${at.origin}/fhir/_async/${"x".repeat(32)}`, { headers }),
      ]);
      for (const { status, code } of refused)
        expect([status, code]).toEqual([503, "tiered-throttle/async-unavailable"]);
      await redis.restart();
      await expect.poll(async () => (await kickOff()).status).toBe(202);
      const place = new URL(String((await kickOff()).headers["content-location"])).pathname;
      await expect.poll(async () => (await ask(`${at.origin}${place}/0`, { headers })).status).toBe(200);
      await at.operations.close();
    });

    it("F2: a job that was written after its kick-off got 503 is taken back, for nobody was told of it", async () => {
      const redis = await startRedis();
      const client = createClient({ url: redis.url });
      client.on("error", () => undefined);
      await client.connect();
      afterAll(() => client.destroy());
      const queue = createBullQueue({ ...shared, connection: client, tiers: { ordinary: {} } });
      await queue.ready();
      let adding: Promise<Added> | undefined;
      const add: JobQueue["add"] = (job) => (adding = queue.add(job));
      const work = { begun: 0, aborted: 0 };
      const run: RunJob = async (_job, { signal }) => {
        work.begun += 1;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        work.aborted += 1;
      };
      const files = createFolderFiles(await emptyFolder());
      const at = await world(EXPRESS[0][1], { queue: { ...queue, add }, files, run, storeDeadlineMs: 200 });
      redis.freeze();
      const refused = await ask(`${at.origin}/fhir/$export`, {
        headers: { prefer: "respond-async", "x-user": "anna" },
      });
      expect([refused.status, refused.code]).toEqual([503, "tiered-throttle/async-unavailable"]);
      redis.thaw();
      expect(await adding).toBe("added");
      await expect.poll(() => queue.standings()).toEqual([{ tier: "ordinary", waiting: 0, running: 0 }]);
      expect(work.aborted).toBe(work.begun);
      await at.operations.close();
    });
  });
}
