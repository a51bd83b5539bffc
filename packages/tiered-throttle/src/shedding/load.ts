import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** How busy this process is. */
export interface Load {
  /** How much later than due the event loop came round, in milliseconds: the 90th percentile since the last look. */
  readonly delayMs: number;
  /** Share of the heap's limit in use, 0 to 1. */
  readonly heapShare: number;
}

export interface LoadMeter {
  read(): Load;
  close(): void;
}

/** Measures this process. The histogram runs on a timer of its own that keeps no process alive. */
export function measureLoad(): LoadMeter {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    read() {
      // Node counts the whole interval between two looks, of which only what exceeds the resolution is delay.
      const delayMs = histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(90) / 1e6 - RESOLUTION_MS);
      histogram.reset();
      const { used_heap_size, heap_size_limit } = getHeapStatistics();
      return { delayMs, heapShare: used_heap_size / heap_size_limit };
    },
    close: () => void histogram.disable(),
  };
}

const RESOLUTION_MS = 10;
