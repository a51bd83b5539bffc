import { describe, expect, it } from "vitest";
import { parsePools, type ReservedPoolsOptions } from "../src/pools/options.ts";
import { createPools } from "../src/pools/pools.ts";

const CAPACITY = 20;
const WORK_MS = 50;
const SECONDS = 15;
/** What a prior-authorisation request has to get through: 80 a second, a fifth of what 20 slots can do. */
const PRIOR_EVERY_MS = 12.5;
const BULK_EVERY_MS = WORK_MS / CAPACITY / 20;

/** A server with a clock of its own: work takes as long as it takes, and waits when no slot is free. */
function simulate(
  pools: ReservedPoolsOptions["pools"],
  priorPool: string,
  bulk: boolean,
): { p99: number; lost: number } {
  const events = agenda();
  const slots = createPools(CAPACITY, parsePools({ capacity: CAPACITY, pools }).pools, events.after);
  const took: number[] = [];
  let lost = 0;

  for (let ms = 0; ms < SECONDS * 1000; ms += PRIOR_EVERY_MS) events.at(ms, () => arrive(priorPool, false, true));
  if (bulk)
    for (let ms = 0; ms < SECONDS * 1000; ms += BULK_EVERY_MS) events.at(ms, () => arrive("bulk-data", true, false));
  events.run();
  took.sort((a, b) => a - b);
  return { p99: took[Math.floor(took.length * 0.99)] ?? Number.POSITIVE_INFINITY, lost };

  function arrive(pool: string, mayBorrow: boolean, watched: boolean): void {
    const arrived = events.now();
    let end = (): void => undefined;
    const finish = (): void => {
      if (watched) took.push(events.now() - arrived);
      end();
    };
    end = slots.ask({
      pool,
      mayBorrow,
      priority: 0,
      onSlot: () => void events.after(WORK_MS, finish),
      onRefusal: () => {
        if (watched) lost += 1;
      },
      // The worst that a handler may do: it works on to its end.
      onRecall: () => undefined,
    });
  }
}

/** Runs actions in the order of their time. Time passes only here. */
function agenda() {
  const planned = new Map<number, Set<() => void>>();
  const times: number[] = [];
  let time = 0;
  const at = (ms: number, action: () => void): (() => void) => {
    let actions = planned.get(ms);
    if (actions === undefined) {
      actions = new Set();
      planned.set(ms, actions);
      push(times, ms);
    }
    actions.add(action);
    return () => void planned.get(ms)?.delete(action);
  };
  return {
    at,
    now: () => time,
    after: (ms: number, action: () => void) => at(time + ms, action),
    run() {
      for (let next = pop(times); next !== undefined; next = pop(times)) {
        time = next;
        const actions = planned.get(next);
        planned.delete(next);
        for (const action of actions ?? []) action();
      }
    },
  };
}

/** A binary heap of numbers. */
function push(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((heap[parent] as number) <= value) break;
    heap[at] = heap[parent] as number;
    at = parent;
  }
  heap[at] = value;
}

function pop(heap: number[]): number | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (heap.length === 0 || last === undefined) return first;
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    if ((heap[child + 1] ?? Number.POSITIVE_INFINITY) < (heap[child] as number)) child += 1;
    if ((heap[child] as number) >= last) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = last;
  return first;
}

describe("bulk traffic at twenty times the capacity, on a clock of its own", () => {
  const BULK = { waiting: 100, waitMs: 2000 };

  it.each([
    ["reserve kept idle", { reserved: 8, priority: 9, waiting: 20 }],
    ["reserve lent and called back", { reserved: 8, lend: 8, priority: 9, waiting: 20 }],
  ])("does not raise the p99 of prior authorisation by more than half: %s", (_name, prior) => {
    const pools = { ordinary: {}, "prior-authorization": prior, "bulk-data": BULK };
    const alone = simulate(pools, "prior-authorization", false);
    const pressed = simulate(pools, "prior-authorization", true);
    expect(alone).toEqual({ p99: WORK_MS, lost: 0 });
    expect(pressed.lost).toBe(0);
    expect(pressed.p99).toBeLessThanOrEqual(1.5 * alone.p99);
  });

  it("does so where nothing is reserved: the measure would see it", () => {
    const pools = { ordinary: {}, "bulk-data": BULK };
    const alone = simulate(pools, "bulk-data", false);
    const pressed = simulate(pools, "bulk-data", true);
    expect(pressed.lost > 0 || pressed.p99 > 1.5 * alone.p99).toBe(true);
  });
});
