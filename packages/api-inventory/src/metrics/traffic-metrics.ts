import type { AccessRecord } from "@wardline/policy-types";
import { interactionClass } from "./interaction-class.ts";

/** What is needed of a prom-client `Registry`. */
export interface MetricRegistry {
  registerMetric(metric: never): void;
}

export interface TrafficMetricsOptions {
  /** Of prom-client. */
  readonly registry: MetricRegistry;
  /** API types that get a label of their own: those of the policy. Others are counted as `other`. */
  readonly apiTypes: readonly string[];
  /** Upper bounds of the latency buckets, in seconds, ascending. Default 0.005 to 10. */
  readonly buckets?: readonly number[];
}

/** Counts finished requests. */
export interface TrafficMetrics {
  record(record: AccessRecord): void;
}

const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LATENCY = "wardline_request_duration_seconds";

interface Cell {
  readonly labels: { readonly zone: string; readonly api_type: string; readonly interaction: string };
  readonly buckets: number[];
  count: number;
  seconds: number;
  client: number;
  server: number;
  throttled: number;
}

/**
 * Registers latency histograms, errors and throttles by zone, API type and class of interaction with a prom-client
 * registry. Labels are words of the policy and fixed words, at most (zones + 1) × (API types + 1) × 7 of them, and none
 * holds anything of a request (A14).
 *
 * Does NOT need prom-client itself, only the registry it is given. Throws what the registry throws when a name is taken.
 */
export function trafficMetrics({
  registry,
  apiTypes,
  buckets = DEFAULT_BUCKETS,
}: TrafficMetricsOptions): TrafficMetrics {
  if (buckets.length === 0 || buckets.some((bound, index) => !(bound > (buckets[index - 1] ?? 0)))) {
    throw new RangeError("buckets must be ascending numbers above 0");
  }
  const known = new Set(apiTypes);
  const cells = new Map<string, Cell>();

  function cellOf({ zone, apiType, interaction, operation }: AccessRecord): Cell {
    const labels = {
      zone: zone ?? "none",
      api_type: apiType !== undefined && known.has(apiType) ? apiType : "other",
      interaction: interactionClass(interaction, operation),
    };
    const key = Object.values(labels).join(" ");
    const found = cells.get(key);
    if (found !== undefined) return found;
    const opened = { labels, buckets: buckets.map(() => 0), count: 0, seconds: 0, client: 0, server: 0, throttled: 0 };
    cells.set(key, opened);
    return opened;
  }

  const histogram = (): Sample[] => [...cells.values()].flatMap((cell) => histogramOf(cell, buckets));
  const errors = (): Sample[] =>
    [...cells.values()].flatMap(({ labels, client, server }) => [
      { labels: { ...labels, kind: "client" }, value: client },
      { labels: { ...labels, kind: "server" }, value: server },
    ]);
  const throttled = (): Sample[] => [...cells.values()].map(({ labels, throttled: value }) => ({ labels, value }));
  register(
    registry,
    { name: LATENCY, help: "Seconds from a request's arrival to the end of its answer.", type: "histogram" },
    histogram,
  );
  register(
    registry,
    {
      name: "wardline_request_errors_total",
      help: "Answers with 4xx but 429 (client), with 5xx or broken off (server).",
      type: "counter",
    },
    errors,
  );
  register(
    registry,
    { name: "wardline_request_throttled_total", help: "Answers with 429.", type: "counter" },
    throttled,
  );

  return {
    record(record) {
      const cell = cellOf(record);
      const seconds = record.latencyMs / 1000;
      const bucket = buckets.findIndex((bound) => seconds <= bound);
      if (bucket >= 0) cell.buckets[bucket] = (cell.buckets[bucket] ?? 0) + 1;
      cell.count += 1;
      cell.seconds += seconds;
      const { status, completed } = record;
      if (status >= 500 || !completed) cell.server += 1;
      else if (status === 429) cell.throttled += 1;
      else if (status >= 400) cell.client += 1;
    },
  };
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

function histogramOf({ labels, buckets: counts, count, seconds }: Cell, bounds: readonly number[]): Sample[] {
  let sum = 0;
  const buckets = bounds.map((le, index) => {
    sum += counts[index] ?? 0;
    return { metricName: `${LATENCY}_bucket`, labels: { ...labels, le }, value: sum };
  });
  return [
    ...buckets,
    { metricName: `${LATENCY}_bucket`, labels: { ...labels, le: "+Inf" }, value: count },
    { metricName: `${LATENCY}_sum`, labels, value: seconds },
    { metricName: `${LATENCY}_count`, labels, value: count },
  ];
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "histogram";
}

/** A metric as a prom-client registry reads it. For OpenMetrics the registry takes `_total` off the name. */
function register(registry: MetricRegistry, { name, help, type }: Family, read: () => Sample[]): void {
  const metric = {
    name,
    help,
    type,
    aggregator: "sum",
    get: () => Promise.resolve({ name: metric.name, help, type, aggregator: "sum", values: read() }),
    // The figures are kept here and only read by the registry.
    reset: () => undefined,
  };
  registry.registerMetric(metric as never);
}
