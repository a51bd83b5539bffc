import type { Breaker } from "../breaker/breaker.ts";
import type { ConnectionLimits } from "../connections/connections.ts";
import type { TieredThrottle } from "../express.ts";
import type { ReservedPools } from "../pools/express.ts";
import type { Shedder } from "../shedding/shedder.ts";
import {
  breakerFamilies,
  connectionFamilies,
  type Family,
  poolFamilies,
  type Sample,
  shedderFamilies,
  tierFamilies,
} from "./families.ts";

/** What is needed of a prom-client `Registry`. */
export interface MetricRegistry {
  registerMetric(metric: never): void;
}

export interface ThrottleMetricsOptions {
  /** Of prom-client. */
  readonly registry: MetricRegistry;
  /** Whose tiers are shown. Default none. */
  readonly throttles?: readonly Pick<TieredThrottle, "snapshot">[];
  /** Default none. */
  readonly pools?: Pick<ReservedPools, "snapshot">;
  /** Whose circuits are shown. Default none. */
  readonly breakers?: readonly Pick<Breaker, "state">[];
  /** Default none. */
  readonly connections?: Pick<ConnectionLimits, "snapshot">;
  /** Default none. */
  readonly shedder?: Pick<Shedder, "snapshot">;
}

/**
 * Registers the figures of tiers, pools, breakers, connections and shedding with a prom-client registry. They are read when the registry is
 * scraped, so that a request pays nothing for them. Labels are names of the configuration and fixed codes: their number is
 * known at the start, and none holds anything of a request (A14).
 *
 * Does NOT need prom-client itself, only the registry it is given. Throws what the registry throws when a name is taken.
 */
export function registerThrottleMetrics(options: ThrottleMetricsOptions): void {
  const { registry, throttles = [], pools, breakers = [], connections, shedder } = options;
  const groups = [
    ...(throttles.length === 0 ? [] : [() => tierFamilies(throttles.map((throttle) => throttle.snapshot()))]),
    ...(pools === undefined ? [] : [() => poolFamilies(pools.snapshot())]),
    ...(breakers.length === 0 ? [] : [() => breakerFamilies(breakers.map((breaker) => breaker.state()))]),
    ...(connections === undefined ? [] : [() => connectionFamilies(connections.snapshot())]),
    ...(shedder === undefined ? [] : [() => shedderFamilies(shedder.snapshot())]),
  ];
  for (const read of groups) for (const family of read()) registry.registerMetric(metricOf(family, read) as never);
}

/** A metric as a prom-client registry reads it. For OpenMetrics the registry takes `_total` off the name. */
interface Metric {
  name: string;
  readonly help: string;
  readonly type: Family["type"];
  readonly aggregator: "sum";
  get(): Promise<Omit<Metric, "get" | "reset"> & { readonly values: readonly Sample[] }>;
  reset(): void;
}

function metricOf(family: Family, read: () => readonly Family[]): Metric {
  const { help, type } = family;
  const metric: Metric = {
    name: family.name,
    help,
    type,
    aggregator: "sum",
    get() {
      const values = read().find(({ name }) => name === family.name)?.samples ?? [];
      return Promise.resolve({ name: metric.name, help, type, aggregator: "sum", values });
    },
    // The figures belong to the parts they are read from.
    reset: () => undefined,
  };
  return metric;
}
