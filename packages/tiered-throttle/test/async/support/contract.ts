import { afterEach, describe, expect, it } from "vitest";
import type { AsyncTiers } from "../../../src/async/queue.ts";
import { JobFailure, type JobQueue, type JobResult, type Perform } from "../../../src/index.ts";
import { jobOf } from "./queues.ts";

export interface QueueWish {
  readonly tiers?: AsyncTiers;
  readonly now?: () => number;
}

const RESULT: JobResult = {
  transactionTime: "2026-01-01T00:00:00Z",
  files: [{ kind: "output", type: "Patient", name: "a/output-Patient.ndjson", count: 1, bytes: 9 }],
};

/** What every queue promises. Queues made at one place see the same jobs. */
export function queueContract(
  name: string,
  place: () => Promise<{ readonly make: (wish?: QueueWish) => JobQueue }>,
): void {
  describe(`${name}: the contract of a job queue`, () => {
    const open: JobQueue[] = [];
    afterEach(async () => {
      for (const queue of open.splice(0)) await queue.close();
    });
    async function queues(): Promise<(wish?: QueueWish) => JobQueue> {
      const { make } = await place();
      return (wish) => {
        const queue = make(wish);
        open.push(queue);
        return queue;
      };
    }
    const statusOf = async (queue: JobQueue, id: string): Promise<string | undefined> =>
      (await queue.load(id))?.status.kind;
    /** Work that goes on until it is told how to end. */
    function heldWork(): {
      work: Perform;
      begun: string[];
      end: (id: string, error?: Error) => void;
      aborted: string[];
    } {
      const begun: string[] = [];
      const aborted: string[] = [];
      const ends = new Map<string, (error?: Error) => void>();
      return {
        begun,
        aborted,
        end: (id, error) => ends.get(id)?.(error),
        work: (job, { signal }) =>
          new Promise((resolve, reject) => {
            begun.push(job.id);
            ends.set(job.id, (error) => (error === undefined ? resolve(RESULT) : reject(error)));
            signal.addEventListener("abort", () => {
              aborted.push(job.id);
              reject(signal.reason as Error);
            });
          }),
      };
    }

    it("knows nothing of a job that never was", async () => {
      const queue = (await queues())();
      expect(await queue.load(jobOf().id)).toBeUndefined();
      await queue.remove(jobOf().id);
    });

    it("remembers a job, runs it, tells how far it is and what came of it", async () => {
      const queue = (await queues())();
      const job = jobOf();
      expect(await queue.add(job)).toBe("added");
      expect(await queue.load(job.id)).toEqual({ job, status: { kind: "queued" } });
      let finish = (): void => undefined;
      queue.work(async (given, { progress }) => {
        expect(given).toEqual(job);
        progress(0.42);
        await new Promise<void>((resolve) => (finish = resolve));
        return RESULT;
      });
      await expect.poll(() => queue.load(job.id)).toMatchObject({ status: { kind: "running", fraction: 0.42 } });
      finish();
      await expect.poll(() => statusOf(queue, job.id)).toBe("done");
      expect(await queue.load(job.id)).toMatchObject({ job, status: { result: RESULT } });
    });

    it.each([
      [new Error("a secret of the upstream"), "failed"],
      [new JobFailure("too-large"), "too-large"],
      [new JobFailure("too-slow"), "too-slow"],
    ])("work that throws has failed and is not tried again: %s", async (error, failure) => {
      const queue = (await queues())();
      const job = jobOf();
      let attempts = 0;
      queue.work(() => {
        attempts += 1;
        return Promise.reject(error);
      });
      await queue.add(job);
      await expect.poll(() => queue.load(job.id)).toMatchObject({ status: { kind: "failed", failure } });
      expect(JSON.stringify(await queue.load(job.id))).not.toContain("secret");
      expect(attempts).toBe(1);
    });

    it("runs no more at once than the tier allows, and of several organisations each in turn", async () => {
      const queue = (await queues())({ tiers: { ordinary: { concurrency: 1, waiting: 50, perOrganisation: 20 } } });
      const { work, begun, end } = heldWork();
      const many = [1, 2, 3, 4].map(() => jobOf({ organisation: "many" }));
      const few = [1, 2].map(() => jobOf({ organisation: "few" }));
      for (const job of [...many, ...few]) expect(await queue.add(job)).toBe("added");
      queue.work(work);
      const order: string[] = [];
      for (let at = 0; at < 6; at += 1) {
        await expect.poll(() => begun.length).toBe(at + 1);
        expect(await queue.standings()).toEqual([{ tier: "ordinary", waiting: 5 - at, running: 1 }]);
        const id = begun[at] as string;
        order.push(many.some((job) => job.id === id) ? "many" : "few");
        end(id);
      }
      expect(order).toEqual(["many", "few", "many", "few", "many", "many"]);
      expect(begun.filter((id) => many.some((job) => job.id === id))).toEqual(many.map(({ id }) => id));
    });

    it("a busy tier keeps no other waiting", async () => {
      const tier = { concurrency: 1, waiting: 5, perOrganisation: 5 };
      const queue = (await queues())({ tiers: { ordinary: tier, urgent: tier } });
      const { work, begun } = heldWork();
      queue.work(work);
      const jobs = [jobOf(), jobOf(), jobOf({ tier: "urgent" })];
      for (const job of jobs) await queue.add(job);
      await expect.poll(() => new Set(begun)).toEqual(new Set([jobs[0]?.id, jobs[2]?.id]));
    });

    it("refuses what is more than the tier's or the organisation's share, and unknown tiers", async () => {
      const queue = (await queues())({ tiers: { ordinary: { concurrency: 1, waiting: 3, perOrganisation: 2 } } });
      expect(await queue.add(jobOf({ tier: "other" }))).toBe("full");
      expect(await queue.add(jobOf())).toBe("added");
      expect(await queue.add(jobOf())).toBe("added");
      expect(await queue.add(jobOf())).toBe("organisation-full");
      expect(await queue.add(jobOf({ organisation: "other" }))).toBe("added");
      expect(await queue.add(jobOf({ organisation: "third" }))).toBe("full");
    });

    it("a job removed while it waits never runs, and gives its place back", async () => {
      const queue = (await queues())({ tiers: { ordinary: { concurrency: 1, waiting: 1, perOrganisation: 5 } } });
      const removed = jobOf();
      await queue.add(removed);
      await queue.remove(removed.id);
      expect(await queue.load(removed.id)).toBeUndefined();
      const job = jobOf();
      expect(await queue.add(job)).toBe("added");
      const { work, begun } = heldWork();
      queue.work(work);
      await expect.poll(() => begun).toEqual([job.id]);
    });

    it("a job removed while it runs is aborted, is gone, and makes room for the next", async () => {
      const queue = (await queues())();
      const { work, begun, aborted } = heldWork();
      queue.work(work);
      const [removed, next] = [jobOf(), jobOf()];
      await queue.add(removed);
      await expect.poll(() => begun).toEqual([removed.id]);
      await queue.add(next);
      await queue.remove(removed.id);
      expect(await queue.load(removed.id)).toBeUndefined();
      await expect.poll(() => aborted).toEqual([removed.id]);
      await expect.poll(() => begun).toEqual([removed.id, next.id]);
      expect(await queue.load(removed.id)).toBeUndefined();
    });

    it("F13: the slot of an aborted job is free when its work has ended, not before", async () => {
      const queue = (await queues())();
      const begun: string[] = [];
      let release = (): void => undefined;
      queue.work(async (job) => {
        begun.push(job.id);
        await new Promise<void>((resolve) => (release = resolve));
        return RESULT;
      });
      const [stubborn, next] = [jobOf(), jobOf()];
      await queue.add(stubborn);
      await expect.poll(() => begun).toEqual([stubborn.id]);
      await queue.add(next);
      await queue.remove(stubborn.id);
      expect((await queue.standings())[0]?.running).toBe(1);
      expect(begun).toEqual([stubborn.id]);
      release();
      await expect.poll(() => begun).toEqual([stubborn.id, next.id]);
      expect(await queue.load(stubborn.id)).toBeUndefined();
      release();
    });

    it("forgets a job when its time is over, whether it waits or has ended", async () => {
      let ahead = 0;
      const queue = (await queues())({ now: () => Date.now() + ahead });
      const ended = jobOf({ lifetimeMs: 600_000 });
      queue.work(async () => RESULT);
      await queue.add(ended);
      await expect.poll(() => statusOf(queue, ended.id)).toBe("done");
      ahead = 300_000;
      expect(await statusOf(queue, ended.id)).toBe("done");
      ahead = 600_001;
      expect(await queue.load(ended.id)).toBeUndefined();
      await queue.sweep();
      ahead = 0;
      expect(await queue.load(ended.id)).toBeUndefined();
    });

    it("work that runs longer than its job lives is aborted by the sweep", async () => {
      let ahead = 0;
      const queue = (await queues())({ now: () => Date.now() + ahead });
      const { work, begun, aborted } = heldWork();
      queue.work(work);
      const job = jobOf({ lifetimeMs: 600_000 });
      await queue.add(job);
      await expect.poll(() => begun).toEqual([job.id]);
      ahead = 600_001;
      await queue.sweep();
      await expect.poll(() => aborted).toEqual([job.id]);
    });

    it("F15: close hands running work back, uncounted, and the next process does it and what waited", async () => {
      const make = await queues();
      const [running, waiting] = [jobOf(), jobOf()];
      // Three orderly ends in a row: a death would be forgiven once.
      for (const round of [1, 2, 3]) {
        const queue = make();
        const { work, begun, aborted } = heldWork();
        if (round === 1) for (const job of [running, waiting]) await queue.add(job);
        queue.work(work);
        await expect.poll(() => begun).toEqual([running.id]);
        await queue.close();
        expect(aborted).toEqual([running.id]);
      }
      const last = make();
      const begun: string[] = [];
      last.work(async (job) => {
        begun.push(job.id);
        return RESULT;
      });
      await expect.poll(() => statusOf(last, waiting.id)).toBe("done");
      expect(begun).toEqual([running.id, waiting.id]);
      expect(await statusOf(last, running.id)).toBe("done");
    });
  });
}
