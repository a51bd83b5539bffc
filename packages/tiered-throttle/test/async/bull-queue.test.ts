import { describeWithRedis, startRedis } from "@wardline-tools/test-kit";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BullModule, createBullQueue, type JobQueue } from "../../src/index.ts";
import { bullmq } from "./support/bullmq.ts";
import { queueContract } from "./support/contract.ts";
import { jobOf, TIERS } from "./support/queues.ts";

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
  });
}
