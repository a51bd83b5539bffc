import { appendFile, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openJournal } from "../../src/async/journal.ts";
import type { AsyncJob, JobQueue, JobResult } from "../../src/index.ts";
import { emptyFolder, jobOf, localQueue } from "./support/queues.ts";

const RESULT: JobResult = { transactionTime: "2026-01-01T00:00:00Z", files: [] };

describe("the journal of jobs", () => {
  it("gives back what was acknowledged, cut anywhere in what was not", async () => {
    const path = join(await emptyFolder(), "journal");
    const first = await openJournal(path);
    await Promise.all([1, 2, 3].map((n) => first.journal.append({ n })));
    await first.journal.close();
    const whole = (await stat(path)).size;
    await appendFile(path, '[{"n":4},{"n":5,"text":"half of a li');
    const torn = (await stat(path)).size;
    for (let size = torn; size >= whole; size -= 1) {
      await truncate(path, size);
      const { journal, entries } = await openJournal(path);
      expect(entries).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
      expect((await stat(path)).size).toBe(whole);
      await journal.append({ n: 5 });
      await journal.close();
      expect((await readFile(path, "utf8")).endsWith('{"n":3}]\n[{"n":5}]\n')).toBe(true);
      await truncate(path, whole);
      await appendFile(path, '[{"n":4},{"n":5,"text":"half of a li');
    }
  });

  it("takes what a power cut left of the last sync, zeros and whole entries alike, for nothing", async () => {
    const path = join(await emptyFolder(), "journal");
    await writeFile(path, `[{"n":1}]\n[{"n":2},${"\0".repeat(4096)},{"n":4}]\n`);
    const { journal, entries } = await openJournal(path);
    expect(entries).toEqual([{ n: 1 }]);
    await journal.close();
  });

  it("refuses a file with an unreadable line that readable ones follow", async () => {
    const path = join(await emptyFolder(), "journal");
    await writeFile(path, '[{"n":1}]\n[{"n":\n[{"n":3}]\n');
    await expect(openJournal(path)).rejects.toMatchObject({ code: "tiered-throttle/async-journal" });
    const queue = localQueue({ path });
    await expect(queue.ready()).rejects.toMatchObject({ code: "tiered-throttle/async-journal" });
    await expect(queue.load(jobOf().id)).rejects.toMatchObject({ code: "tiered-throttle/async-journal" });
    await queue.close();
  });

  it("is nobody else's to read", async () => {
    const path = join(await emptyFolder(), "below", "journal");
    await (await openJournal(path)).journal.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, ".."))).mode & 0o777).toBe(0o700);
  });

  it("does not grow with what is over", async () => {
    const path = join(await emptyFolder(), "journal");
    const queue = localQueue({ path });
    queue.work(async () => RESULT);
    const kept = jobOf();
    await queue.add(kept);
    await expect.poll(async () => (await queue.load(kept.id))?.status.kind).toBe("done");
    for (let n = 0; n < 150; n += 1) {
      const job = jobOf();
      await queue.add(job);
      await queue.remove(job.id);
    }
    expect((await readFile(path, "utf8")).split('"event"').length).toBeLessThan(420);
    await queue.close();
    const again = localQueue({ path });
    expect(await again.load(kept.id)).toMatchObject({ status: { kind: "done" } });
    expect((await readFile(path, "utf8")).split('"event"').length).toBe(3);
    await again.close();
  });

  it("written anew among many changes at once, it says the same as memory", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("add", "remove", "wait"), { minLength: 600, maxLength: 900 }),
        async (day) => {
          const path = join(await emptyFolder(), "journal");
          const tiers = { ordinary: { concurrency: 3, waiting: 5000, perOrganisation: 5000 } };
          const queue = localQueue({ path, tiers, maxJobs: 5000 });
          queue.work(async () => RESULT);
          const jobs: AsyncJob[] = [];
          const pending: Promise<unknown>[] = [];
          for (const event of day) {
            if (event === "wait") await new Promise((resolve) => setImmediate(resolve));
            else if (event === "add") {
              const job = jobOf();
              pending.push(queue.add(job).then(() => jobs.push(job)));
            } else {
              const job = jobs.shift();
              if (job !== undefined) pending.push(queue.remove(job.id));
            }
          }
          await Promise.all(pending);
          const states = async (of: JobQueue): Promise<unknown[]> => Promise.all(jobs.map(({ id }) => of.load(id)));
          await expect.poll(async () => (await queue.standings())[0]).toMatchObject({ waiting: 0, running: 0 });
          const before = await states(queue);
          expect(before).not.toContain(undefined);
          await queue.close();
          const again = localQueue({ path, tiers, maxJobs: 5000 });
          expect(await states(again)).toEqual(before);
          await again.close();
        },
      ),
      { numRuns: 5 },
    );
  });

  it("remembers no more jobs than it may, ended ones included", async () => {
    const queue = localQueue({ path: join(await emptyFolder(), "journal"), maxJobs: 2 });
    queue.work(async () => RESULT);
    const [one, two] = [jobOf(), jobOf()];
    await queue.add(one);
    await queue.add(two);
    expect(await queue.add(jobOf())).toBe("full");
    await queue.remove(one.id);
    expect(await queue.add(jobOf())).toBe("added");
    await queue.close();
  });

  it("two kick-offs at the same moment cannot both have the last place", async () => {
    const tiers = { ordinary: { concurrency: 1, waiting: 50, perOrganisation: 1 } };
    const queue = localQueue({ path: join(await emptyFolder(), "journal"), tiers });
    expect(await Promise.all([queue.add(jobOf()), queue.add(jobOf())])).toEqual(["added", "organisation-full"]);
    await queue.close();
  });

  it("F15: an orderly end is no death, a death is forgiven once, and what was begun goes before what waited", async () => {
    const path = join(await emptyFolder(), "journal");
    const [begunFirst, waited, begunSecond] = [jobOf(), jobOf(), jobOf({ organisation: "other" })];
    /** Opens the journal of a process that ended; `begins`: how many jobs are begun. None of them ever ends. */
    async function live(begins: number): Promise<{ queue: JobQueue; begun: string[] }> {
      const tiers = { ordinary: { concurrency: Math.max(begins, 1), waiting: 50, perOrganisation: 20 } };
      const queue = localQueue({ path, tiers });
      const begun: string[] = [];
      if ((await queue.load(waited.id)) === undefined)
        for (const job of [begunFirst, waited, begunSecond]) await queue.add(job);
      queue.work((job, { signal }) => {
        begun.push(job.id);
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
      });
      await expect.poll(() => begun.length).toBe(begins);
      return { queue, begun };
    }
    const orderly = await live(2);
    await orderly.queue.close();
    // The next ones are left as a kill would leave them.
    const dies = await live(2);
    expect(dies.begun).toEqual([begunFirst.id, begunSecond.id]);
    const diesToo = await live(3);
    expect(diesToo.begun).toEqual([begunFirst.id, begunSecond.id, waited.id]);
    const last = await live(1);
    expect(last.begun).toEqual([waited.id]);
    for (const job of [begunFirst, begunSecond])
      expect(await last.queue.load(job.id)).toMatchObject({ status: { kind: "failed", failure: "lost" } });
    for (const { queue } of [dies, diesToo, last]) await queue.close();
  });

  it("a job of a tier that is no longer there has failed", async () => {
    const path = join(await emptyFolder(), "journal");
    const tier = { concurrency: 1, waiting: 50, perOrganisation: 9 };
    const before = localQueue({ path, tiers: { old: tier } });
    const job = jobOf({ tier: "old" });
    await before.add(job);
    await before.close();
    const queue = localQueue({ path, tiers: { young: tier } });
    expect(await queue.load(job.id)).toMatchObject({ status: { kind: "failed", failure: "failed" } });
    await queue.close();
  });
});
