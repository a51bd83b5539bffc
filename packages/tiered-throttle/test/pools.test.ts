import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type ParsedPool, parsePools, type ReservedPoolsOptions } from "../src/pools/options.ts";
import { createPools, type Pools } from "../src/pools/pools.ts";
import { createRateShares } from "../src/pools/rate-shares.ts";

function issuesOf(options: unknown): readonly string[] {
  try {
    parsePools(options as ReservedPoolsOptions);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}

const GOOD: ReservedPoolsOptions = {
  capacity: 10,
  requestsPerSecond: 100,
  pools: {
    "prior-authorization": { reserved: 3, lend: 2, priority: 9, reservedPerSecond: 30 },
    ordinary: { waiting: 5, waitMs: 100 },
  },
};

describe("options of reservedPools", () => {
  it("takes a good set, and freezes what it read", () => {
    expect(issuesOf(GOOD)).toEqual([]);
    expect(Object.isFrozen(parsePools(GOOD))).toBe(true);
  });

  it.each<[string, unknown, readonly string[]]>([
    ["no capacity", { ...GOOD, capacity: 0 }, ["capacity out-of-range"]],
    ["a misspelled option", { ...GOOD, capacitty: 1 }, ["capacitty unknown-option"]],
    ["no pools", { capacity: 3 }, ["pools not-a-set-of-pools"]],
    ["an empty set", { capacity: 3, pools: {} }, ["pools not-a-set-of-pools"]],
    ["nowhere for the rest", { capacity: 3, pools: { device: {} } }, ["pools no-ordinary-pool"]],
    ["a pool that is none", { capacity: 3, pools: { ordinary: null } }, ["pools.ordinary not-an-object"]],
    ["a bad name", { capacity: 3, pools: { ordinary: {}, "A b": {} } }, ["pools.A b not-a-name"]],
    [
      "a misspelled pool option",
      { capacity: 3, pools: { ordinary: { reserve: 1 } } },
      ["pools.ordinary.reserve unknown-option"],
    ],
    [
      "more lent than reserved",
      { capacity: 3, pools: { ordinary: { lend: 1 } } },
      ["pools.ordinary.lend out-of-range"],
    ],
    [
      "a maximum below the reserve",
      { capacity: 3, pools: { ordinary: { reserved: 2, maximum: 1 } } },
      ["pools.ordinary.maximum out-of-range"],
    ],
    [
      "more reserved than there is",
      { capacity: 3, pools: { ordinary: { reserved: 2 }, device: { reserved: 2 } } },
      ["pools over-reserved"],
    ],
    [
      "nothing left for pools without a reserve",
      { capacity: 3, pools: { ordinary: {}, device: { reserved: 3 } } },
      ["pools over-reserved"],
    ],
    [
      "a rate reserved of no rate",
      { capacity: 3, pools: { ordinary: { reservedPerSecond: 3 } } },
      ["requestsPerSecond missing"],
    ],
    [
      "more rate reserved than there is",
      { capacity: 3, requestsPerSecond: 2, pools: { ordinary: { reservedPerSecond: 3 } } },
      ["pools over-reserved"],
    ],
    [
      "all at once",
      { capacity: 1.5, retryAfterSeconds: 0, now: 1, shedder: {}, pools: { ordinary: { waitMs: 0, waiting: -1 } } },
      [
        "capacity out-of-range",
        "retryAfterSeconds out-of-range",
        "now not-a-function",
        "shedder not-a-shedder",
        "pools.ordinary.waiting out-of-range",
        "pools.ordinary.waitMs out-of-range",
      ],
    ],
  ])("refuses %s", (_what, options, expected) => {
    expect(issuesOf(options)).toEqual(expected);
  });
});

/** Pools whose timers fire when told, and a log of what requests heard. */
function open(capacity: number, pools: ReservedPoolsOptions["pools"]) {
  const parsed: readonly ParsedPool[] = parsePools({ capacity, pools: { ordinary: {}, ...pools } }).pools;
  const timers = new Set<() => void>();
  const heard: string[] = [];
  const asked = new Map<string, () => void>();
  const made: Pools = createPools(capacity, parsed, (_ms, action) => {
    timers.add(action);
    return () => void timers.delete(action);
  });
  return {
    heard,
    timers,
    running: () => Object.fromEntries(made.standings().pools.map(({ name, running }) => [name, running])),
    standings: () => made.standings(),
    ask(name: string, pool: string, { mayBorrow = true, priority = 0 } = {}): string | undefined {
      asked.set(
        name,
        made.ask({
          pool,
          mayBorrow,
          priority,
          onSlot: (kind) => heard.push(`${name} ${kind}`),
          onRefusal: (why) => heard.push(`${name} ${why}`),
          onRecall: () => heard.push(`${name} recalled`),
        }),
      );
      return heard.at(-1);
    },
    end: (name: string) => asked.get(name)?.(),
    expire: () => {
      for (const action of timers) action();
    },
  };
}

describe("slots of pools", () => {
  it("a reserve is there whatever the others took", () => {
    const pools = open(4, { device: { reserved: 2 } });
    for (const name of ["a", "b", "c", "d"]) pools.ask(name, "ordinary");
    expect(pools.heard).toEqual(["a common", "b common", "c full", "d full"]);
    expect([pools.ask("x", "device"), pools.ask("y", "device"), pools.ask("z", "device")]).toEqual([
      "x own",
      "y own",
      "z full",
    ]);
  });

  it("a pool may use common slots beyond its reserve, up to its maximum", () => {
    const pools = open(6, { device: { reserved: 2, maximum: 4 } });
    for (const name of ["a", "b", "c", "d", "e"]) pools.ask(name, "device");
    expect(pools.heard).toEqual(["a own", "b own", "c common", "d common", "e full"]);
  });

  it("what is not lent is not borrowed", () => {
    const pools = open(3, { device: { reserved: 2, lend: 1 } });
    for (const name of ["a", "b", "c"]) pools.ask(name, "ordinary");
    expect(pools.heard).toEqual(["a common", "b loan", "c full"]);
  });

  it("who may not be cut off does not borrow", () => {
    const pools = open(3, { device: { reserved: 2, lend: 2 } });
    pools.ask("a", "ordinary");
    expect(pools.ask("b", "ordinary", { mayBorrow: false })).toBe("b full");
  });

  it("an owner calls its slot back at once: the youngest loan of the least urgent pool ends", () => {
    const pools = open(4, { device: { reserved: 3, lend: 3, priority: 9 }, clinical: { priority: 5 } });
    pools.ask("a", "ordinary");
    pools.ask("b", "ordinary");
    pools.ask("c", "ordinary");
    pools.ask("d", "clinical");
    expect(pools.heard).toEqual(["a common", "b loan", "c loan", "d loan"]);
    pools.ask("x", "device");
    expect(pools.heard.slice(4)).toEqual(["x own", "c recalled"]);
    pools.ask("y", "device");
    pools.ask("z", "device");
    expect(pools.heard.slice(6)).toEqual(["y own", "b recalled", "z own", "d recalled"]);
    expect(pools.running()).toEqual({ ordinary: 1, device: 3, clinical: 0 });
    expect(pools.standings().pools.map(({ ending }) => ending)).toEqual([2, 0, 1]);
  });

  it("a loan that a common slot has paid off is not called back", () => {
    const pools = open(3, { device: { reserved: 1, lend: 1 } });
    for (const name of ["a", "b", "c"]) pools.ask(name, "ordinary");
    expect(pools.heard.at(-1)).toBe("c loan");
    pools.end("a");
    pools.ask("x", "device");
    expect(pools.heard.slice(3)).toEqual(["x own"]);
  });

  it("F13: a called-back request that ends later gives nothing back twice", () => {
    const pools = open(2, { device: { reserved: 1, lend: 1 } });
    pools.ask("a", "ordinary");
    pools.ask("b", "ordinary");
    pools.ask("x", "device");
    expect(pools.running()).toEqual({ ordinary: 1, device: 1 });
    for (let times = 0; times < 3; times++) pools.end("b");
    expect(pools.running()).toEqual({ ordinary: 1, device: 1 });
    expect(pools.standings().pools.map(({ ending }) => ending)).toEqual([0, 0]);
    expect(pools.ask("c", "ordinary")).toBe("c full");
  });

  it("the waiting are served in the order of urgency, then of arrival", () => {
    const pools = open(1, { ordinary: { waiting: 9 }, device: { waiting: 9, priority: 5 } });
    pools.ask("a", "ordinary");
    pools.ask("b", "ordinary");
    pools.ask("c", "ordinary", { priority: 2 });
    pools.ask("d", "device");
    pools.ask("e", "device");
    expect(pools.heard).toEqual(["a common"]);
    for (const name of ["a", "d", "e", "c"]) pools.end(name);
    expect(pools.heard.slice(1)).toEqual(["d common", "e common", "c common", "b common"]);
  });

  it("an owner that waits for its own slot goes before everybody", () => {
    const pools = open(2, { ordinary: { waiting: 1, priority: 9 }, device: { reserved: 1, waiting: 1 } });
    for (const name of ["a", "b"]) pools.ask(name, "ordinary");
    pools.ask("x", "device");
    pools.ask("y", "device");
    pools.end("x");
    expect(pools.heard).toEqual(["a common", "x own", "y own"]);
  });

  it("a full line displaces the less urgent and nobody else", () => {
    const pools = open(1, { ordinary: { waiting: 2 } });
    pools.ask("a", "ordinary");
    pools.ask("b", "ordinary", { priority: 1 });
    pools.ask("c", "ordinary");
    expect(pools.ask("d", "ordinary")).toBe("d full");
    expect(pools.ask("e", "ordinary", { priority: 1 })).toBe("c displaced");
    expect(pools.ask("f", "ordinary", { priority: 1 })).toBe("f full");
    expect(pools.timers.size).toBe(2);
  });

  it("waiting ends at its deadline, and with the request", () => {
    const pools = open(1, { ordinary: { waiting: 2 } });
    for (const name of ["a", "b", "c"]) pools.ask(name, "ordinary");
    pools.end("b");
    expect(pools.timers.size).toBe(1);
    pools.expire();
    expect(pools.heard).toEqual(["a common", "c waited"]);
    pools.end("a");
    expect(pools.running()).toEqual({ ordinary: 0 });
  });

  it("knows no pool that it was not given", () => {
    expect(() => open(1, {}).ask("a", "elsewhere")).toThrow("no pool of this name");
  });
});

describe("rate of pools", () => {
  const POOLS = [
    { name: "device", reservedPerSecond: 10 },
    { name: "bulk", reservedPerSecond: 0 },
  ];

  it("a reserved rate is there whatever the others ask", () => {
    const rates = createRateShares(20, POOLS);
    let [device, bulk] = [0, 0];
    for (let ms = 0; ms < 10_000; ms++) {
      for (let times = 0; times < 5; times++) if (rates.take("bulk", ms).kind === "taken") bulk += 1;
      if (ms % 100 === 0 && rates.take("device", ms).kind === "taken") device += 1;
    }
    expect(device).toBe(100);
    // Ten a second, and the second's worth that was saved up.
    expect(bulk).toBeLessThanOrEqual(100 + 20);
    expect(bulk).toBeGreaterThanOrEqual(100);
  });

  it("a rate its owner does not use is lent, and the owner still has its own at once", () => {
    const rates = createRateShares(20, POOLS);
    let bulk = 0;
    for (let ms = 0; ms < 10_000; ms++) if (rates.take("bulk", ms).kind === "taken") bulk += 1;
    expect(bulk).toBeGreaterThanOrEqual(195);
    expect(bulk).toBeLessThanOrEqual(220);
    for (let times = 0; times < 10; times++) expect(rates.take("device", 10_000).kind).toBe("taken");
  });

  it("F14: what was not admitted is given back, once, and where it came from", () => {
    const rates = createRateShares(2, [{ name: "device", reservedPerSecond: 1 }]);
    const first = rates.take("device", 0);
    rates.take("device", 0);
    rates.take("device", 0);
    expect(rates.take("device", 0)).toEqual({ kind: "none", retryMs: 1000 });
    if (first.kind === "taken") for (let times = 0; times < 3; times++) first.giveBack();
    expect(rates.take("device", 0).kind).toBe("taken");
    expect(rates.take("device", 0).kind).toBe("none");
  });

  it("a clock that goes back gives nothing", () => {
    const rates = createRateShares(1, []);
    expect(rates.take("x", 5000).kind).toBe("taken");
    expect(rates.take("x", 0).kind).toBe("none");
    expect(rates.take("x", 5500).kind).toBe("none");
    expect(rates.take("x", 6000).kind).toBe("taken");
  });
});
