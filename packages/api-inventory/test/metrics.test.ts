import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { trafficMetrics } from "../src/index.ts";
import { record } from "./support/records.ts";

async function scrape(records: readonly Parameters<typeof record>[0][]): Promise<string> {
  const registry = new Registry();
  const metrics = trafficMetrics({ registry, apiTypes: ["patient-access"], buckets: [0.01, 0.1] });
  for (const changes of records) metrics.record(record(changes));
  return registry.metrics();
}
const LABELS = 'zone="patient",api_type="patient-access",interaction="read"';

it("histogram, errors and throttles, as prom-client writes them", async () => {
  const text = await scrape([
    { latencyMs: 10 },
    { latencyMs: 50, status: 404 },
    { latencyMs: 5000, status: 503 },
    { status: 429 },
    { completed: false },
  ]);
  for (const line of [
    `wardline_request_duration_seconds_bucket{${LABELS},le="0.01"} 3`,
    `wardline_request_duration_seconds_bucket{${LABELS},le="0.1"} 4`,
    `wardline_request_duration_seconds_bucket{${LABELS},le="+Inf"} 5`,
    `wardline_request_duration_seconds_count{${LABELS}} 5`,
    `wardline_request_errors_total{${LABELS},kind="client"} 1`,
    `wardline_request_errors_total{${LABELS},kind="server"} 2`,
    `wardline_request_throttled_total{${LABELS}} 1`,
  ]) {
    expect(text.split("\n")).toContain(line);
  }
});

it("A14: labels are few, fixed, and say nothing of anybody", async () => {
  const hostile = Array.from({ length: 500 }, (_, index) => ({
    apiType: `type-${index}`,
    operation: `op-${index}`,
    interaction: "operation" as const,
    method: `M${index}`,
    patients: [`jane-${index}`],
    client: `client-${index}`,
    resourceType: `T${index}`,
  }));
  const text = await scrape([
    ...hostile,
    { zone: undefined as never },
    { interaction: "operation", operation: "export" },
  ]);
  expect(text.split("\n").filter((line) => line.includes("_count{"))).toHaveLength(3);
  expect(text).not.toMatch(/jane|client-\d|type-\d|op-\d|T\d/);
  expect(text).toContain('api_type="other",interaction="operation"');
  expect(text).toContain('interaction="export"');
});

it("a name that is taken and buckets that do not ascend stop the start", () => {
  const registry = new Registry();
  trafficMetrics({ registry, apiTypes: [] });
  expect(() => trafficMetrics({ registry, apiTypes: [] })).toThrow("already been registered");
  for (const buckets of [[], [1, 1], [0], [Number.NaN]]) {
    expect(() => trafficMetrics({ registry: new Registry(), apiTypes: [], buckets })).toThrow(RangeError);
  }
});
