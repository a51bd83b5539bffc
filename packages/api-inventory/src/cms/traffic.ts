import type { TrafficEntry } from "./journal-entry.ts";
import { addTo, quantile, type Sketch } from "./sketch.ts";

/** Requests, answers and times of one API type. */
export interface TrafficFigures {
  readonly apiType: string;
  readonly requests: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly throttled: number;
  /** Share of requests answered 5xx or broken off, four decimals. */
  readonly serverErrorRate: number;
  /** Share of requests answered 4xx, 429 included, four decimals. */
  readonly clientErrorRate: number;
  /** Milliseconds; the quantiles are within 1 %. */
  readonly averageMs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface TrafficTotals {
  add(entry: Omit<TrafficEntry, "kind" | "day" | "apiType">): void;
  figures(apiType: string): TrafficFigures;
}

export function createTrafficTotals(): TrafficTotals {
  const sketch: Sketch = new Map();
  const totals = { requests: 0, clientErrors: 0, serverErrors: 0, throttled: 0, latencySumMs: 0 };
  return {
    add(entry) {
      for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += entry[name];
      for (const [bucket, count] of entry.latency) addTo(sketch, bucket, count);
    },
    figures(apiType) {
      const { requests, clientErrors, serverErrors, throttled, latencySumMs } = totals;
      return {
        apiType,
        requests,
        clientErrors,
        serverErrors,
        throttled,
        serverErrorRate: rate(serverErrors, requests),
        clientErrorRate: rate(clientErrors + throttled, requests),
        averageMs: tenth(requests === 0 ? 0 : latencySumMs / requests),
        medianMs: tenth(quantile(sketch, 0.5) ?? 0),
        p95Ms: tenth(quantile(sketch, 0.95) ?? 0),
        p99Ms: tenth(quantile(sketch, 0.99) ?? 0),
      };
    },
  };
}

function rate(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((10_000 * part) / whole) / 10_000;
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
