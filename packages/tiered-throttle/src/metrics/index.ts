export { type MetricRegistry, registerThrottleMetrics, type ThrottleMetricsOptions } from "./metrics.ts";
