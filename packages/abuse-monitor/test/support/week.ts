import type { AccessRecord } from "@wardline/policy-types";
import { type Alert, type MonitorPolicy, PATTERNS, type Pattern, simulate } from "../../src/index.ts";
import { ATTACK, type Attack, attacks, locate, longAgo } from "./attacks.ts";
import { ordinaryHours, type TownOptions } from "./town.ts";

export interface WeekResult {
  readonly records: number;
  readonly attacks: readonly { readonly attack: Attack; readonly found: Alert | undefined; readonly delayMs: number }[];
  readonly falseAlarms: readonly Alert[];
  /** Of other patterns, raised by an attacker's records: right, though not by that name. */
  readonly byTheWay: number;
  /** For a caller and week of a thousand callers. */
  readonly falsePerThousand: number;
}

/** A town's week with attacks in it, and what the monitor makes of it. */
export async function simulateWeek(
  town: Omit<TownOptions, "from" | "hours">,
  policy: MonitorPolicy = {},
): Promise<WeekResult> {
  const from = Date.UTC(2026, 0, 12);
  const made = attacks(town.seed + 7, from);
  const week = withAttacks(ordinaryHours({ ...town, from, hours: 7 * 24 }), made, from);
  const key = new Uint8Array(16).fill(7);
  const report = await simulate(week, { key, locate, ...policy });
  const right = report.alerts.filter((alert) => alert.requestId.startsWith(ATTACK));
  const falseAlarms = report.alerts.filter((alert) => !alert.requestId.startsWith(ATTACK));
  const results = made.map((attack) => {
    const found = right.find((alert) => alert.requestId === ATTACK + attack.name && alert.pattern === attack.pattern);
    return { attack, found, delayMs: found === undefined ? Number.POSITIVE_INFINITY : found.at - attack.from };
  });
  const named = right.filter((alert) => made.some((attack) => isOf(alert, attack))).length;
  return {
    records: report.records,
    attacks: results,
    falseAlarms,
    byTheWay: right.length - named,
    falsePerThousand: (falseAlarms.length / town.callers) * 1000,
  };
}

function isOf(alert: Alert, attack: Attack): boolean {
  return alert.requestId === ATTACK + attack.name && alert.pattern === attack.pattern;
}

function* withAttacks(hours: Iterable<AccessRecord[]>, made: readonly Attack[], from: number): Generator<AccessRecord> {
  yield longAgo(from);
  const hostile = made.flatMap(({ records }) => records).sort((a, b) => a.receivedAt - b.receivedAt);
  let next = 0;
  for (const hour of hours) {
    for (const ordinary of hour) {
      while (next < hostile.length && (hostile[next] as AccessRecord).receivedAt <= ordinary.receivedAt) {
        yield hostile[next++] as AccessRecord;
      }
      yield ordinary;
    }
  }
  yield* hostile.slice(next);
}

/** A table for people. */
export function renderWeek({ records, attacks: made, falseAlarms, falsePerThousand, byTheWay }: WeekResult): string {
  const lines = made.map(({ attack, found, delayMs }) => {
    const [measure] = found?.findings ?? [];
    const seen = measure === undefined ? "" : `${measure.measure} ${measure.value} of ${measure.threshold}`;
    const delay = found === undefined ? "NOT FOUND" : `${(delayMs / 60_000).toFixed(1)} min`;
    return `${attack.pattern.padEnd(20)} ${attack.name.padEnd(38)} ${delay.padStart(10)}  ${seen}`;
  });
  const counts = PATTERNS.map((pattern): [Pattern, number] => [
    pattern,
    falseAlarms.filter((alert) => alert.pattern === pattern).length,
  ]).filter(([, count]) => count > 0);
  const alarms = counts.map(([pattern, count]) => `${pattern} ${count}`).join(", ") || "none";
  return [
    `${records} records`,
    ...lines,
    `false alarms: ${alarms}; ${falsePerThousand.toFixed(2)} per thousand callers and week (wanted: under 1)`,
    `attackers noticed under a further name: ${byTheWay} alerts`,
  ].join("\n");
}
