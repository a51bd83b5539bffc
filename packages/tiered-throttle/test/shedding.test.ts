import type { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { createShedder, type Load, type ShedderOptions } from "../src/shedding/index.ts";
import { measureLoad } from "../src/shedding/load.ts";

function shedderOn(load: { current: Load }) {
  const clock = { ms: 0 };
  const shedder = createShedder({
    delayMs: { begin: 100, all: 500 },
    heapShare: { begin: 0.8, all: 0.9 },
    everyMs: 100,
    meter: { read: () => load.current, close: () => undefined },
    now: () => clock.ms,
  });
  return {
    shedder,
    /** Which of four ranks are shed after a while. */
    after: (ms: number): readonly number[] => {
      clock.ms += ms;
      return [0, 1, 2, 3].filter((rank) => shedder.sheds(rank, 4));
    },
  };
}

const IDLE: Load = { delayMs: 0, heapShare: 0 };

describe("shedding by load", () => {
  it.each<[Load, readonly number[]]>([
    [IDLE, []],
    [{ delayMs: 100, heapShare: 0.8 }, []],
    [{ delayMs: 101, heapShare: 0 }, [0]],
    [{ delayMs: 233, heapShare: 0 }, [0]],
    [{ delayMs: 234, heapShare: 0 }, [0, 1]],
    [{ delayMs: 367, heapShare: 0 }, [0, 1, 2]],
    [{ delayMs: 499, heapShare: 0 }, [0, 1, 2]],
    [{ delayMs: 500, heapShare: 0 }, [0, 1, 2, 3]],
    [{ delayMs: 0, heapShare: 0.801 }, [0]],
    [{ delayMs: 0, heapShare: 0.899 }, [0, 1, 2]],
    [{ delayMs: 0, heapShare: 0.95 }, [0, 1, 2, 3]],
    [{ delayMs: Number.NaN, heapShare: Number.NaN }, []],
  ])("%j gives up ranks %j, the most urgent last", (current, shed) => {
    expect(shedderOn({ current }).after(100)).toEqual(shed);
  });

  it("looks no more often than it is told", () => {
    const load = { current: IDLE };
    const { after } = shedderOn(load);
    expect(after(100)).toEqual([]);
    load.current = { delayMs: 1000, heapShare: 0 };
    expect(after(99)).toEqual([]);
    expect(after(1)).toEqual([0, 1, 2, 3]);
  });

  it("rises at once and lets them back by and by", () => {
    const load = { current: { delayMs: 1000, heapShare: 0 } };
    const { after, shedder } = shedderOn(load);
    expect(after(100)).toEqual([0, 1, 2, 3]);
    load.current = IDLE;
    expect(Array.from({ length: 11 }, () => after(100).length)).toEqual([3, 3, 3, 2, 2, 2, 1, 1, 1, 0, 0]);
    expect(shedder.snapshot()).toEqual({ ...IDLE, pressure: 0 });
  });

  it("a server with one rank refuses only at the height", () => {
    const { shedder, after } = shedderOn({ current: { delayMs: 499, heapShare: 0 } });
    after(100);
    expect(shedder.sheds(0, 1)).toBe(false);
  });

  it("measures a process that is blocked", async () => {
    const meter = measureLoad();
    const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 15));
    await turn();
    meter.read();
    const blockedUntil = performance.now() + 200;
    while (performance.now() < blockedUntil);
    // Two looks in one turn: the first may not swallow what the second would see.
    const first = meter.read().delayMs;
    await turn();
    const second = meter.read();
    expect(Math.max(first, second.delayMs)).toBeGreaterThan(50);
    expect(second.heapShare).toBeGreaterThan(0);
    meter.close();
  });

  it.each<[string, unknown, readonly string[]]>([
    ["a misspelled option", { delay: 1 }, ["delay unknown-option"]],
    ["a range upside down", { delayMs: { begin: 5, all: 5 } }, ["delayMs not-a-range"]],
    ["a share above one", { heapShare: { begin: 0.5, all: 1.5 } }, ["heapShare not-a-range"]],
    ["half a range", { heapShare: { begin: 0.5 } }, ["heapShare not-a-range"]],
    [
      "all at once",
      { everyMs: 1, meter: {}, now: 5 },
      ["everyMs out-of-range", "now not-a-function", "meter not-a-meter"],
    ],
  ])("refuses %s", (_what, options, expected) => {
    try {
      createShedder(options as ShedderOptions);
    } catch (error) {
      expect((error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`)).toEqual(expected);
      return;
    }
    expect.unreachable();
  });
});
