import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { doorThrottle, tieredThrottle } from "../src/index.ts";

const BURST = { name: "burst", limit: 10, windowSeconds: 60, by: "client" } as const;
const DAILY = { name: "daily", limit: 1000, windowSeconds: 86_400, by: "client" } as const;

const issuesOf = (build: () => unknown): [string, string][] => {
  try {
    build();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.issues.map(({ path, code }) => [path, code]);
  }
  return [];
};
const tier = (options: object): [string, string][] =>
  issuesOf(() => tieredThrottle(options as Parameters<typeof tieredThrottle>[0]));
const door = (options: object): [string, string][] =>
  issuesOf(() => doorThrottle(options as Parameters<typeof doorThrottle>[0]));

describe("tieredThrottle options", () => {
  it("accept a burst and a daily quota, and the same limits for different owners", () => {
    expect(tier({ windows: [BURST, DAILY] })).toEqual([]);
    expect(tier({ windows: [BURST, { ...BURST, name: "per-user", by: "user" }], concurrency: 3 })).toEqual([]);
  });

  it.each<[string, object, [string, string][]]>([
    ["nothing", {}, [["windows", "empty"]]],
    ["no window", { windows: [] }, [["windows", "empty"]]],
    ["a misspelled option", { windows: [BURST], concurency: 1 }, [["concurency", "unknown-option"]]],
    [
      "a misspelled window field",
      { windows: [{ ...BURST, windowSecond: 1 }] },
      [["windows[0].windowSecond", "unknown-option"]],
    ],
    ["a limit of zero", { windows: [{ ...BURST, limit: 0 }] }, [["windows[0].limit", "not-a-positive-integer"]]],
    ["half a request", { windows: [{ ...BURST, limit: 1.5 }] }, [["windows[0].limit", "not-a-positive-integer"]]],
    [
      "no end",
      { windows: [{ ...BURST, limit: Number.POSITIVE_INFINITY }] },
      [["windows[0].limit", "not-a-positive-integer"]],
    ],
    ["a text", { windows: [{ ...BURST, limit: "10" }] }, [["windows[0].limit", "not-a-positive-integer"]]],
    [
      "a window of no time",
      { windows: [{ ...BURST, windowSeconds: 0 }] },
      [["windows[0].windowSeconds", "not-a-window"]],
    ],
    [
      "a window of ten years",
      { windows: [{ ...BURST, windowSeconds: 1e9 }] },
      [["windows[0].windowSeconds", "not-a-window"]],
    ],
    ["a quote in a name", { windows: [{ ...BURST, name: 'a"b' }] }, [["windows[0].name", "not-a-name"]]],
    ["an unknown owner", { windows: [{ ...BURST, by: "patient" }] }, [["windows[0].by", "unknown-owner"]]],
    ["two of a name", { windows: [BURST, { ...DAILY, name: "burst" }] }, [["windows[1].name", "duplicate-name"]]],
    [
      "a burst above the daily quota",
      { windows: [{ ...BURST, limit: 2000 }, DAILY] },
      [["windows[1]", "window-never-full"]],
    ],
    [
      "a burst below the steady rate",
      { windows: [BURST, { ...DAILY, limit: 1e6 }] },
      [["windows[1]", "window-never-full"]],
    ],
    [
      "two of a length",
      { windows: [BURST, { ...BURST, name: "b", limit: 20 }] },
      [["windows[1]", "window-never-full"]],
    ],
    [
      "F6: to open when the store is down",
      { windows: [BURST], onStoreFailure: "open" },
      [["onStoreFailure", "failure-mode-refused"]],
    ],
    ["no concurrency at all", { windows: [BURST], concurrency: 0 }, [["concurrency", "not-a-positive-integer"]]],
    ["a store that is no factory", { windows: [BURST], store: {} }, [["store", "not-a-function"]]],
    ["a prefix of nothing", { windows: [BURST], ipv6Prefix: 0 }, [["ipv6Prefix", "out-of-range"]]],
    [
      "every mistake at once",
      { windows: [{ ...BURST, limit: -1, name: "" }, null], maxKeys: 0, storeDeadlineMs: Number.NaN },
      [
        ["maxKeys", "not-a-positive-integer"],
        ["windows[0].name", "not-a-name"],
        ["windows[0].limit", "not-a-positive-integer"],
        ["windows[1]", "not-an-object"],
        ["storeDeadlineMs", "not-a-positive-integer"],
      ],
    ],
  ])("refuse %s", (_what, options, issues) => {
    expect(tier(options)).toEqual(issues);
  });
});

describe("tiers, quotas and sharing", () => {
  const LAST = { name: "rest", windows: [BURST] };
  const QUOTA = { name: "contract", limit: 10, per: "month" } as const;
  const redis = (): Promise<unknown> => Promise.resolve();

  it.each<[string, object]>([
    ["tiers, the last for the rest", { tiers: [{ name: "a", when: { zone: "partner" }, quotas: [QUOTA] }, LAST] }],
    ["a quota in place of a window", { quotas: [{ ...QUOTA, carry: 0, timeZone: "Asia/Tokyo", by: "client" }] }],
    ["costs and classes", { windows: [BURST], costs: { bulk: 10 }, classes: { count: 50, bulkOperations: ["x"] } }],
    ["redis", { windows: [BURST], redis, redisPrefix: "w:", onStoreFailure: "closed" }],
    ["F6: open where nothing is protected", { windows: [BURST], onStoreFailure: "open", protects: "nothing" }],
    ["older fields", { windows: [BURST], fields: "draft-7" }],
  ])("accept %s", (_what, options) => {
    expect(tier(options)).toEqual([]);
  });

  it.each<[string, object, [string, string][]]>([
    ["no tier", { tiers: [] }, [["tiers", "empty"]]],
    ["tiers that are none", { tiers: {} }, [["tiers", "empty"]]],
    ["a tier of nothing", { tiers: [null, LAST] }, [["tiers[0]", "not-an-object"]]],
    [
      "nothing for the rest",
      { tiers: [{ ...LAST, when: { zone: "patient" } }] },
      [["tiers[0].when", "no-tier-for-the-rest"]],
    ],
    ["tiers never reached", { tiers: [LAST, { ...LAST, name: "b" }] }, [["tiers[0]", "tiers-never-reached"]]],
    [
      "two tiers of a name",
      { tiers: [{ ...LAST, when: { client: "a" } }, LAST] },
      [["tiers[1].name", "duplicate-name"]],
    ],
    ["a tier beside tiers", { tiers: [LAST], windows: [BURST] }, [["windows", "tier-written-twice"]]],
    [
      "an unknown zone, class and condition",
      { tiers: [{ ...LAST, name: "a", when: { zone: "moon", operationClass: ["bulk", "cheap"], who: "x" } }, LAST] },
      [
        ["tiers[0].when.who", "unknown-option"],
        ["tiers[0].when.zone", "unknown-zone"],
        ["tiers[0].when.operationClass", "unknown-class"],
      ],
    ],
    ["a condition on nothing", { tiers: [{ ...LAST, name: "a", when: {} }, LAST] }, [["tiers[0].when", "empty"]]],
    [
      "a condition that is no word",
      { tiers: [{ ...LAST, name: "a", when: { client: [], user: "" } }, LAST] },
      [
        ["tiers[0].when.client", "not-a-word"],
        ["tiers[0].when.user", "not-a-word"],
      ],
    ],
    [
      "a quota with every mistake",
      { quotas: [{ name: "a b", limit: 0, per: "year", by: "patient", timeZone: "+02:00", carry: -1, from: 1 }] },
      [
        ["quotas[0].from", "unknown-option"],
        ["quotas[0].name", "not-a-name"],
        ["quotas[0].limit", "not-a-positive-integer"],
        ["quotas[0].per", "unknown-period"],
        ["quotas[0].by", "unknown-owner"],
        ["quotas[0].timeZone", "unknown-time-zone"],
        ["quotas[0].carry", "not-a-positive-integer"],
      ],
    ],
    ["no quota", { quotas: [null] }, [["quotas[0]", "not-an-object"]]],
    [
      "a quota with a window's name",
      { windows: [BURST], quotas: [{ ...QUOTA, name: "burst" }] },
      [["quotas[0].name", "duplicate-name"]],
    ],
    [
      "a time zone nobody knows",
      { quotas: [{ ...QUOTA, timeZone: "Atlantis/Capital" }] },
      [["quotas[0].timeZone", "unknown-time-zone"]],
    ],
    [
      "costs of nothing and of nobody",
      { windows: [BURST], costs: { bulk: 0, cheap: 1 } },
      [
        ["costs.cheap", "unknown-option"],
        ["costs.bulk", "not-a-positive-integer"],
      ],
    ],
    [
      "bounds that bound nothing",
      { windows: [BURST], classes: { count: 0, chains: 1, bulkOperations: ["$export"] } },
      [
        ["classes.chains", "unknown-option"],
        ["classes.count", "not-a-positive-integer"],
        ["classes.bulkOperations", "not-operations"],
      ],
    ],
    ["two stores", { windows: [BURST], redis, store: redis }, [["store", "two-stores"]]],
    ["quotas in a store", { windows: [BURST], quotas: [QUOTA], store: redis }, [["store", "store-counts-by-ones"]]],
    [
      "costs in a store",
      { tiers: [{ ...LAST, costs: { bulk: 2 } }], store: redis },
      [["store", "store-counts-by-ones"]],
    ],
    ["a client in place of a command", { windows: [BURST], redis: {} }, [["redis", "not-a-function"]]],
    ["a prefix with a hash tag", { windows: [BURST], redis, redisPrefix: "{a}" }, [["redisPrefix", "not-a-prefix"]]],
    [
      "F6: to open what authenticates",
      { windows: [BURST], onStoreFailure: "open", protects: "authentication" },
      [["onStoreFailure", "failure-mode-refused"]],
    ],
    [
      "words nobody knows",
      { windows: [BURST], onStoreFailure: "ajar", protects: "all", fields: "draft-3", onDecision: 1 },
      [
        ["protects", "unknown-protection"],
        ["onStoreFailure", "failure-mode-refused"],
        ["fields", "unknown-fields"],
        ["onDecision", "not-a-function"],
      ],
    ],
  ])("refuse %s", (_what, options, issues) => {
    expect(tier(options)).toEqual(issues);
  });
});

describe("doorThrottle options", () => {
  it.each<[object, [string, string][]]>([
    [{ limit: 1, windowSeconds: 1 }, []],
    [{ limit: 1, windowSeconds: 1, failures: { limit: 5, windowSeconds: 60 } }, []],
    [
      { limit: 1, windowSeconds: 1, failures: { limit: 0, seconds: 1 } },
      [
        ["failures.seconds", "unknown-option"],
        ["failures.limit", "not-a-positive-integer"],
        ["failures.windowSeconds", "not-a-window"],
      ],
    ],
    [{ limit: 1, windowSeconds: 1, failures: 5 }, [["failures", "not-an-object"]]],
    [
      { limit: 0, windowSeconds: -1, by: "x" },
      [
        ["by", "unknown-option"],
        ["limit", "not-a-positive-integer"],
        ["windowSeconds", "not-a-window"],
      ],
    ],
  ])("%j", (options, issues) => {
    expect(door(options)).toEqual(issues);
  });
});
