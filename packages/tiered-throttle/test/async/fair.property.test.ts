import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFairLine } from "../../src/async/fair.ts";

interface Job {
  readonly organisation: string;
  readonly at: number;
}

/** What happens next: an organisation brings a job (1 to 4), or a slot becomes free (0). */
const anyDay = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 300 });

describe("fairness between organisations, with the number of events as the clock", () => {
  it("whoever always has work waiting is served within one job of any other such", () => {
    fc.assert(
      fc.property(anyDay, fc.integer({ min: 2, max: 30 }), (day, backlog) => {
        const line = createFairLine<Job>();
        let clock = 0;
        for (const event of day) {
          clock += 1;
          if (event === 0) line.take();
          else line.add(`o${event}`, { organisation: `o${event}`, at: clock });
        }
        while (line.take() !== undefined);
        for (const organisation of ["a", "b", "c"])
          for (let n = 0; n < backlog; n += 1) line.add(organisation, { organisation, at: clock });
        const served: Record<string, number> = { a: 0, b: 0, c: 0 };
        for (let n = 0; n < backlog * 3; n += 1) {
          const { organisation = "" } = line.take() ?? {};
          served[organisation] = (served[organisation] ?? 0) + 1;
          expect(Math.max(...Object.values(served)) - Math.min(...Object.values(served))).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("a job waits for at most one job of each other organisation per own job before it, whatever they bring", () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        const line = createFairLine<Job>();
        let clock = 0;
        /** Jobs of others served since an organisation, with nothing waiting, brought its job. */
        const waiting = new Map<Job, Map<string, number>>();
        const counts = new Map<string, number>();
        for (const event of day) {
          clock += 1;
          if (event > 0) {
            const organisation = `o${event}`;
            const job = { organisation, at: clock };
            if ((counts.get(organisation) ?? 0) === 0) waiting.set(job, new Map());
            counts.set(organisation, (counts.get(organisation) ?? 0) + 1);
            line.add(organisation, job);
            continue;
          }
          const served = line.take();
          if (served === undefined) continue;
          counts.set(served.organisation, (counts.get(served.organisation) ?? 0) - 1);
          waiting.delete(served);
          for (const seen of waiting.values()) {
            const times = (seen.get(served.organisation) ?? 0) + 1;
            seen.set(served.organisation, times);
            // Two: the turn that was running, and the one both have.
            expect(times).toBeLessThanOrEqual(2);
          }
        }
      }),
    );
  });

  it("serves everything once, each organisation in its own order, and never idles while somebody waits", () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        const line = createFairLine<Job>();
        const brought: Job[] = [];
        const served: Job[] = [];
        let clock = 0;
        for (const event of day) {
          clock += 1;
          if (event === 0) {
            const size = line.size;
            const job = line.take();
            expect(job === undefined).toBe(size === 0);
            if (job !== undefined) served.push(job);
          } else {
            const job = { organisation: `o${event}`, at: clock };
            brought.push(job);
            line.add(job.organisation, job);
          }
        }
        for (let job = line.take(); job !== undefined; job = line.take()) served.push(job);
        expect(new Set(served)).toEqual(new Set(brought));
        expect(served.length).toBe(brought.length);
        for (const one of ["o1", "o2", "o3", "o4"]) {
          const own = (jobs: Job[]): Job[] => jobs.filter(({ organisation }) => organisation === one);
          expect(own(served)).toEqual(own(brought));
        }
      }),
    );
  });

  it("what has to begin anew goes before everybody else; what was removed is not served", () => {
    const line = createFairLine<string>();
    line.add("a", "a1");
    line.add("b", "b1");
    line.addFirst("c", "c1");
    expect([line.remove("b1"), line.remove("b1"), line.size]).toEqual([true, false, 2]);
    expect([line.take(), line.take(), line.take()]).toEqual(["c1", "a1", undefined]);
  });

  it("one that was away has saved nothing up", () => {
    const line = createFairLine<string>();
    for (let n = 0; n < 60; n += 1) line.add("busy", "busy");
    for (let n = 0; n < 40; n += 1) line.take();
    for (let n = 0; n < 20; n += 1) line.add("away", "away");
    const order = Array.from({ length: 20 }, () => line.take());
    expect(order.filter((one) => one === "away").length).toBe(10);
  });

  it("one that asks a single job at a time shares with one that asked a hundred at once", () => {
    const line = createFairLine<string>();
    for (let n = 0; n < 100; n += 1) line.add("many", "many");
    const order: (string | undefined)[] = [];
    for (let n = 0; n < 10; n += 1) {
      if (n % 2 === 0) line.add("single", "single");
      order.push(line.take());
    }
    expect(order.filter((one) => one === "single").length).toBe(5);
    expect(order.filter((one) => one === "many").length).toBe(5);
  });
});
