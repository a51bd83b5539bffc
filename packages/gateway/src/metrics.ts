import type { Gauge, Registry } from "prom-client";
import type { Throttles } from "./controls/throttle.ts";
import type { Health } from "./health.ts";
import type { PolicyInForce } from "./in-force.ts";

/** Where figures stand, and how one is put there. */
export interface Metrics {
  readonly registry: Registry;
  readonly Gauge: typeof Gauge;
}

/** For a policy with an operator's listener: without one nobody could read them. */
export async function openMetrics(): Promise<Metrics> {
  const client = await import("prom-client");
  return { registry: new client.Registry(), Gauge: client.Gauge };
}

export interface MetricFacts {
  readonly metrics: Metrics;
  readonly health: Health;
  readonly throttles: Throttles;
  readonly inForce: PolicyInForce;
  readonly redis: (() => "up" | "down") | undefined;
}

/**
 * The state of the edge itself, read when it is scraped: names of the policy and fixed words only (A14). How much passes
 * is counted by the inventory.
 */
export function registerStateMetrics({ metrics, health, throttles, inForce, redis }: MetricFacts): void {
  gauge("wardline_policy_info", "The policy in force, by its version.", ["version"], (set) => {
    set(1, { version: inForce.checked().version });
  });
  gauge("wardline_drift", "Ways in which what runs is not what was approved.", [], (set) => {
    set(health.readiness().drift.length, {});
  });
  gauge("wardline_audit_up", "1 while the audit log can record.", [], (set) => {
    set(health.readiness().degraded.includes("audit") ? 0 : 1, {});
  });
  gauge("wardline_audit_queued_bytes", "Records on their way to disk.", [], (set) => {
    set(health.readiness().audit.queuedBytes, {});
  });
  gauge("wardline_upstream_up", "1 while an upstream answers as it should.", ["upstream"], (set) => {
    for (const [upstream, { status }] of Object.entries(health.readiness().upstreams)) {
      set(status === "ok" ? 1 : 0, { upstream });
    }
  });
  gauge("wardline_breaker_open", "1 while the circuit of an upstream is open.", ["upstream"], (set) => {
    for (const [upstream, { state }] of Object.entries(throttles.snapshot().breakers)) {
      set(state === "open" ? 1 : 0, { upstream });
    }
  });
  gauge(
    "wardline_certificate_expires_seconds",
    "When a listener's first certificate runs out.",
    ["listener"],
    (set) => {
      for (const [listener, { expiresAt }] of Object.entries(health.readiness().certificates ?? {})) {
        set(Date.parse(expiresAt) / 1000, { listener });
      }
    },
  );
  gauge("wardline_tier_running", "Requests being answered, by tier.", ["tier"], (set) => {
    for (const [tier, { tiers }] of Object.entries(throttles.snapshot().tiers)) {
      set(
        tiers.reduce((sum, { running }) => sum + running, 0),
        { tier },
      );
    }
  });
  if (redis !== undefined) {
    gauge("wardline_redis_up", "1 while the shared store answers.", [], (set) => set(redis() === "up" ? 1 : 0, {}));
  }

  type Set = (value: number, labels: Record<string, string>) => void;
  function gauge(name: string, help: string, labelNames: string[], read: (set: Set) => void): void {
    new metrics.Gauge({
      name,
      help,
      labelNames,
      registers: [metrics.registry],
      collect() {
        this.reset();
        read((value, labels) => this.set(labels, value));
      },
    });
  }
}
