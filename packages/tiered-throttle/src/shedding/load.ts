import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** How busy this process is. */
export interface Load {
  /** How long a request that comes at any moment waits for the event loop, in milliseconds: the mean since the last look. */
  readonly delayMs: number;
  /** Share of the heap's limit in use, 0 to 1. */
  readonly heapShare: number;
}

export interface LoadMeter {
  read(): Load;
  close(): void;
}

/** Sums over the times between two turns of the event loop, in milliseconds, since the start. */
interface Turns {
  readonly sum: number;
  readonly squares: number;
}

/** Measures this process. The histogram runs on a timer of its own that keeps no process alive. */
export function measureLoad(): LoadMeter {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let before: Turns = { sum: 0, squares: 0 };
  return {
    read() {
      const turns = turnsOf(histogram);
      const delayMs = meanWait(turns, before);
      before = turns;
      const { used_heap_size, heap_size_limit } = getHeapStatistics();
      return { delayMs, heapShare: used_heap_size / heap_size_limit };
    },
    close: () => void histogram.disable(),
  };
}

const RESOLUTION_MS = 10;

/** Read as sums and never reset: after a reset Node leaves out the turn that is under way, and that one may be the long one. */
function turnsOf({ count, mean, stddev }: { count: number; mean: number; stddev: number }): Turns {
  if (count === 0) return { sum: 0, squares: 0 };
  return { sum: (mean * count) / 1e6, squares: ((stddev ** 2 + mean ** 2) * count) / 1e12 };
}

/**
 * Who comes at a random moment is likelier to come in a long turn, and waits for half of it on average. A percentile would not see a
 * loop that is blocked seldom, but for long.
 */
function meanWait(now: Turns, before: Turns): number {
  const sum = now.sum - before.sum;
  if (!(sum > 0)) return 0;
  return Math.max(0, (now.squares - before.squares) / (2 * sum) - RESOLUTION_MS / 2);
}
