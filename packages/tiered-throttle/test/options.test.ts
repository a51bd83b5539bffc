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

describe("doorThrottle options", () => {
  it.each<[object, [string, string][]]>([
    [{ limit: 1, windowSeconds: 1 }, []],
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
