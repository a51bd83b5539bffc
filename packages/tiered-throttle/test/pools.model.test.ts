import { expect, it } from "vitest";
import { type ParsedPool, parsePools } from "../src/pools/options.ts";
import { createPools } from "../src/pools/pools.ts";

const EVENTS = 1_000_000;
const CAPACITY = 24;

/** Small, fast and repeatable (xorshift32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

interface Live {
  readonly pool: string;
  phase: "new" | "waiting" | "running" | "recalled" | "over";
  end: () => void;
}

const POOLS: readonly ParsedPool[] = parsePools({
  capacity: CAPACITY,
  pools: {
    device: { reserved: 4, lend: 2, priority: 9, waiting: 3 },
    "prior-authorization": { reserved: 6, lend: 6, priority: 8, waiting: 5, maximum: 12 },
    clinical: { reserved: 3, priority: 4 },
    ordinary: { waiting: 8, maximum: 20 },
    "bulk-data": { waiting: 20, maximum: 10 },
  },
}).pools;

it("F13: slots never leak over a million random begins, aborts, ends, recalls and expiries", () => {
  const timers = new Set<() => void>();
  const slots = createPools(CAPACITY, POOLS, (_ms, action) => {
    timers.add(action);
    return () => void timers.delete(action);
  });
  const random = randomOf(20_261_128);
  const live: Live[] = [];
  const seen = { own: 0, common: 0, loan: 0, full: 0, displaced: 0, waited: 0, recalled: 0 };

  for (let event = 0; event < EVENTS; event++) {
    const dice = random(100);
    // Storms and lulls by turns, so that every share is full and empty many times.
    if (dice < (event % 2000 < 1000 ? 60 : 40)) begin((POOLS[random(POOLS.length)] as ParsedPool).name);
    else if (dice < 97) end();
    else expire();
    if (event % 101 === 0) check();
  }
  while (live.length > 0) end();
  expect(slots.standings().pools.map(({ running, waiting, ending }) => [running, waiting, ending])).toEqual(
    POOLS.map(() => [0, 0, 0]),
  );
  expect([timers.size, slots.standings().loans]).toEqual([0, 0]);
  expect(Object.entries(seen).filter(([, times]) => times < 1000)).toEqual([]);

  function begin(pool: string): void {
    const entry: Live = { pool, phase: "new", end: () => undefined };
    const withinReserve = count(pool, "running") < reservedOf(pool);
    entry.end = slots.ask({
      pool,
      mayBorrow: random(2) === 0,
      priority: random(3),
      onSlot(kind) {
        must(entry.phase === "new" || entry.phase === "waiting", "a slot is given once");
        entry.phase = "running";
        seen[kind] += 1;
      },
      onRefusal(why) {
        must(entry.phase === "new" || entry.phase === "waiting", "a refusal comes before a slot");
        entry.phase = "over";
        seen[why] += 1;
      },
      onRecall() {
        must(entry.phase === "running", "only the running are called back");
        entry.phase = "recalled";
        seen.recalled += 1;
      },
    });
    if (entry.phase === "new") entry.phase = "waiting";
    must(!withinReserve || entry.phase === "running", "who is within the reserve has a slot at once");
    if (entry.phase !== "over") live.push(entry);
  }

  /** Ends somebody, whatever they are doing; half of the time says so twice. */
  function end(): void {
    if (live.length === 0) return;
    const at = random(live.length);
    const entry = live[at] as Live;
    live[at] = live.at(-1) as Live;
    live.pop();
    entry.phase = "over";
    entry.end();
    if (random(2) === 0) entry.end();
  }

  function expire(): void {
    const [action] = timers;
    if (action === undefined) return;
    timers.delete(action);
    action();
  }

  function check(): void {
    const { pools } = slots.standings();
    let running = 0;
    for (const standing of pools) {
      must(standing.running === count(standing.name, "running"), "as many run as were let in and have not ended");
      must(standing.waiting === count(standing.name, "waiting"), "as many wait as wait");
      must(standing.ending === count(standing.name, "recalled"), "as many end as were called back");
      running += standing.running;
    }
    must(running <= CAPACITY, "never more than the capacity");
    must(timers.size === live.filter(({ phase }) => phase === "waiting").length, "a timer for each that waits");
  }

  function count(pool: string, phase: Live["phase"]): number {
    let sum = 0;
    for (const entry of live) if (entry.pool === pool && entry.phase === phase) sum += 1;
    return sum;
  }
});

function reservedOf(name: string): number {
  return POOLS.find((pool) => pool.name === name)?.reserved ?? 0;
}

/** An `expect` for each of a million events would be most of the time. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
