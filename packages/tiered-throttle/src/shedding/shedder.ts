import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { type Load, type LoadMeter, measureLoad } from "./load.ts";

/** From `begin` on the least urgent are refused; at `all` everybody is. */
export interface ShedRange {
  readonly begin: number;
  readonly all: number;
}

export interface ShedderOptions {
  /** Mean wait for the event loop in milliseconds. Default 40 to 250. */
  readonly delayMs?: ShedRange;
  /** Share of the heap's limit, 0 to 1. Default 0.85 to 0.97. */
  readonly heapShare?: ShedRange;
  /** Time between two looks at the load, in milliseconds. Default 250. */
  readonly everyMs?: number;
  /** Where the load is read. Default this process. */
  readonly meter?: LoadMeter;
  /** Milliseconds on a clock that never goes back. Default that of the process. */
  readonly now?: () => number;
}

export interface ShedderSnapshot extends Load {
  /** 0: nobody is shed; 1: everybody is. */
  readonly pressure: number;
}

export interface Shedder {
  /**
   * Whether a request of this rank is refused now. Ranks count from 0, the least urgent, to `ranks - 1`; they are given up one
   * after the other as the pressure rises, and the last only at its height.
   */
  sheds(rank: number, ranks: number): boolean;
  snapshot(): ShedderSnapshot;
  /** Ends the measuring. */
  close(): void;
}

/**
 * Decides by the delay of the event loop and the heap whom the server can still serve. Rises with the load at once, and falls by a
 * tenth of the range per look, so that the shed do not all come back together.
 *
 * Does NOT see load outside this process, such as a slow upstream; see `createBreaker`.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 */
export function createShedder(options: ShedderOptions = {}): Shedder {
  const { delayMs, heapShare, everyMs, meter, now } = parseShedder(options);
  let lookedAt = now();
  let load: Load = { delayMs: 0, heapShare: 0 };
  let pressure = 0;

  return {
    sheds(rank, ranks) {
      look();
      if (pressure <= 0) return false;
      // From the first sign on the least urgent; the most urgent only at the height.
      const givenUp = pressure >= 1 ? ranks : Math.min(ranks - 1, 1 + Math.floor(pressure * (ranks - 1)));
      return rank < givenUp;
    },
    snapshot() {
      look();
      return { ...load, pressure };
    },
    close: () => meter.close(),
  };

  function look(): void {
    const passed = now() - lookedAt;
    if (passed < everyMs) return;
    lookedAt += passed;
    load = meter.read();
    const measured = Math.max(within(load.delayMs, delayMs), within(load.heapShare, heapShare));
    // In whole thousandths, so that ten tenths make nothing of one.
    const recovered = Math.round(1000 * (pressure - RECOVERY * Math.floor(passed / everyMs))) / 1000;
    pressure = Math.max(measured, Math.min(1, recovered), 0);
  }
}

const RECOVERY = 0.1;

/** Where a value stands in its range: 0 up to its begin, 1 from its end on. What is no number is no load. */
function within(value: number, { begin, all }: ShedRange): number {
  if (!(value > begin)) return 0;
  return Math.min(1, (value - begin) / (all - begin));
}

function parseShedder(options: ShedderOptions): Required<ShedderOptions> {
  const found = findings();
  refuseUnknownKeys(found, options, ["delayMs", "heapShare", "everyMs", "meter", "now"]);
  const delayMs = options.delayMs ?? { begin: 40, all: 250 };
  const heapShare = options.heapShare ?? { begin: 0.85, all: 0.97 };
  for (const [path, range, most] of [
    ["delayMs", delayMs, 60_000],
    ["heapShare", heapShare, 1],
  ] as const) {
    refuseUnknownKeys(found, range, ["begin", "all"], path);
    if (!(range.begin > 0 && range.all > range.begin && range.all <= most))
      found.add(path, "not-a-range", `write { begin, all } with 0 < begin < all <= ${most}`);
  }
  const { everyMs = 250 } = options;
  if (!(Number.isInteger(everyMs) && everyMs >= 20 && everyMs <= 60_000))
    found.add("everyMs", "out-of-range", "write a whole number from 20 to 60000");
  if (options.now !== undefined && typeof options.now !== "function")
    found.add("now", "not-a-function", "give a function");
  if (options.meter !== undefined && typeof options.meter.read !== "function")
    found.add("meter", "not-a-meter", "give { read, close }");
  found.throwIfAny("createShedder options");
  return Object.freeze({
    delayMs: Object.freeze({ ...delayMs }),
    heapShare: Object.freeze({ ...heapShare }),
    everyMs,
    meter: options.meter ?? measureLoad(),
    now: options.now ?? (() => performance.now()),
  });
}
