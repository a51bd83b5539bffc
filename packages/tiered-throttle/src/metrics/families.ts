import type { BreakerState } from "../breaker/breaker.ts";
import type { ConnectionsSnapshot } from "../connections/connections.ts";
import type { PoolSnapshot, PoolsSnapshot } from "../pools/express.ts";
import { WAIT_BUCKETS } from "../pools/tally.ts";
import type { ShedderSnapshot } from "../shedding/shedder.ts";
import type { ThrottleSnapshot } from "../throttle.ts";

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Where it differs from the family's: the parts of a histogram. */
  readonly metricName?: string;
}

/** All samples of one metric name. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

export function poolFamilies({ capacity, loans, pools }: PoolsSnapshot): readonly Family[] {
  const slots = pools.flatMap(({ name: pool, reserved, running, ending }) => [
    { labels: { pool, state: "reserved" }, value: reserved },
    { labels: { pool, state: "running" }, value: running },
    { labels: { pool, state: "ending" }, value: ending },
  ]);
  const decisions = pools.flatMap(({ name: pool, admitted, refused }) => [
    { labels: { pool, kind: "permit", code: "" }, value: admitted },
    ...Object.entries(refused).map(([code, value]) => ({ labels: { pool, kind: "deny", code }, value })),
  ]);
  const waiting = pools.map(({ name: pool, waiting: value }) => ({ labels: { pool }, value }));
  const recalled = pools.map(({ name: pool, recalled: value }) => ({ labels: { pool }, value }));
  return [
    gauge("wardline_throttle_slots", "Slots of each pool.", slots),
    gauge("wardline_throttle_capacity", "Slots over all pools.", single(capacity)),
    gauge("wardline_throttle_loans", "Slots lent at the moment.", single(loans)),
    gauge("wardline_throttle_waiting", "Requests waiting for a slot.", waiting),
    counter("wardline_throttle_recalled_total", "Borrowed slots called back.", recalled),
    counter("wardline_throttle_decisions_total", "Requests by pool and decision.", decisions),
    {
      name: WAIT,
      help: "Seconds a request waited for its slot.",
      type: "histogram",
      samples: pools.flatMap(waitSamples),
    },
  ];
}

const WAIT = "wardline_throttle_wait_seconds";

function waitSamples({ name: pool, waits, waitedSeconds }: PoolSnapshot): Sample[] {
  let sum = 0;
  const buckets = waits.map((count, index) => {
    sum += count;
    return { metricName: `${WAIT}_bucket`, labels: { pool, le: WAIT_BUCKETS[index] ?? "+Inf" }, value: sum };
  });
  return [
    ...buckets,
    { metricName: `${WAIT}_sum`, labels: { pool }, value: waitedSeconds },
    { metricName: `${WAIT}_count`, labels: { pool }, value: sum },
  ];
}

/** Of middlewares that have a tier of the same name the figures are added up. */
export function tierFamilies(snapshots: readonly ThrottleSnapshot[]): readonly Family[] {
  const running = new Map<string, number>();
  const decisions = new Map<string, Sample>();
  const decide = (tier: string, kind: "permit" | "deny", code: string, more: number): void => {
    const value = (decisions.get(`${tier} ${code}`)?.value ?? 0) + more;
    decisions.set(`${tier} ${code}`, { labels: { tier, kind, code }, value });
  };
  for (const { name: tier, permitted, refused, running: more } of snapshots.flatMap(({ tiers }) => tiers)) {
    running.set(tier, (running.get(tier) ?? 0) + more);
    decide(tier, "permit", "", permitted);
    for (const [code, value] of Object.entries(refused)) decide(tier, "deny", code, value);
  }
  const samples = [...running].map(([tier, value]) => ({ labels: { tier }, value }));
  const down = snapshots.some(({ store }) => store === "down") ? 1 : 0;
  return [
    counter("wardline_throttle_tier_decisions_total", "Requests by tier and decision.", [...decisions.values()]),
    gauge("wardline_throttle_tier_running", "Requests being answered, where a tier bounds them.", samples),
    gauge("wardline_throttle_store_down", "1 while limits are not counted in their shared store.", single(down)),
  ];
}

export function breakerFamilies(states: readonly BreakerState[]): readonly Family[] {
  const phases = states.flatMap(({ name: upstream, state: current }) =>
    (["closed", "half-open", "open"] as const).map((state) => ({
      labels: { upstream, state },
      value: state === current ? 1 : 0,
    })),
  );
  const calls = states.flatMap(({ name: upstream, totals }) =>
    (["good", "slow", "failed", "none", "refused"] as const).map((outcome) => ({
      labels: { upstream, outcome },
      value: totals[outcome],
    })),
  );
  const of = (read: (state: BreakerState) => number): Sample[] =>
    states.map((state) => ({ labels: { upstream: state.name }, value: read(state) }));
  return [
    gauge("wardline_breaker_state", "1 for the state each upstream's circuit is in.", phases),
    counter("wardline_breaker_calls_total", "Calls to each upstream by outcome.", calls),
    counter(
      "wardline_breaker_opened_total",
      "Times each circuit opened.",
      of(({ totals }) => totals.opened),
    ),
    counter(
      "wardline_breaker_retries_total",
      "Calls made a second time.",
      of(({ totals }) => totals.retried),
    ),
    gauge(
      "wardline_breaker_running",
      "Calls whose work has not ended.",
      of(({ running }) => running),
    ),
    gauge("wardline_breaker_shared_down", "1 while shared state is out of reach.", of(isDown)),
  ];
}

function isDown({ shared }: BreakerState): number {
  return shared === "down" ? 1 : 0;
}

export function connectionFamilies(snapshot: ConnectionsSnapshot): readonly Family[] {
  return [
    gauge("wardline_connections_open", "Open connections.", single(snapshot.open)),
    counter("wardline_connections_dropped_total", "Connections closed on arrival.", single(snapshot.dropped)),
    counter(
      "wardline_connections_refused_total",
      "Requests refused for their client's connections.",
      single(snapshot.refused),
    ),
  ];
}

export function shedderFamilies({ pressure, delayMs, heapShare }: ShedderSnapshot): readonly Family[] {
  return [
    gauge("wardline_shed_pressure", "0: nobody is shed; 1: everybody is.", single(pressure)),
    gauge("wardline_event_loop_delay_seconds", "Mean wait for the event loop.", single(delayMs / 1000)),
    gauge("wardline_heap_share", "Share of the heap's limit in use.", single(heapShare)),
  ];
}

function single(value: number): readonly Sample[] {
  return [{ labels: {}, value }];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: "gauge", samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: "counter", samples };
}
