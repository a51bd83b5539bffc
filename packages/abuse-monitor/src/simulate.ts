import type { AccessRecord } from "@wardline/policy-types";
import { type Alert, createAlerts } from "./alerts/alert.ts";
import { PATTERNS, type Pattern } from "./detectors/detector.ts";
import type { Measure } from "./measures/measure.ts";
import { measureFor } from "./measures/respond.ts";
import { type MonitorPolicy, parsePolicy } from "./policy-options.ts";
import { addressKey } from "./watch/address.ts";
import { readSightings } from "./watch/login.ts";
import { createPseudonyms } from "./watch/pseudonym.ts";
import { createWatch } from "./watch/watch.ts";

export interface SimulationReport {
  readonly records: number;
  /** Milliseconds since the epoch; absent when there were no records. */
  readonly from?: number;
  readonly to?: number;
  /** In the order they would have been told; the first `maxAlerts`. */
  readonly alerts: readonly Alert[];
  readonly byPattern: Readonly<Record<Pattern, { readonly alerts: number; readonly callers: number }>>;
  /** What would have been done by policy. */
  readonly measures: readonly Measure[];
}

/**
 * Replays records, oldest first, and says what would have been told and done under a policy. Two policies with the same
 * `key` give alerts that can be compared. Tells nobody and blocks nobody.
 *
 * Does NOT know what a measure would have changed: callers that would have been blocked go on.
 *
 * @param maxAlerts alerts and measures kept in the report; all are counted
 */
export async function simulate(
  records: AsyncIterable<AccessRecord> | Iterable<AccessRecord>,
  policy: MonitorPolicy = {},
  maxAlerts = 10_000,
): Promise<SimulationReport> {
  const { thresholds, responses, protection, repeatSeconds, maxCallers, locate, ipv6Prefix, key } = parsePolicy(policy);
  const facts = {
    pseudonyms: createPseudonyms(key),
    addressKey: (address: string) => addressKey(address, ipv6Prefix),
    ...(locate === undefined ? {} : { locate }),
  };
  const watch = createWatch(thresholds, maxCallers);
  const alerts = createAlerts(repeatSeconds);
  const told: Alert[] = [];
  const measures: Measure[] = [];
  const tally = new Map(PATTERNS.map((pattern) => [pattern, { alerts: 0, callers: new Set<string>() }]));
  let count = 0;
  let from: number | undefined;
  let to: number | undefined;

  for await (const record of records) {
    count++;
    from = Math.min(from ?? record.receivedAt, record.receivedAt);
    to = Math.max(to ?? record.receivedAt, record.receivedAt);
    for (const observation of readSightings(record, facts).flatMap((sighting) => watch.see(sighting))) {
      const alert = alerts.raise(observation);
      if (alert === undefined) continue;
      const counted = tally.get(alert.pattern);
      if (counted !== undefined) {
        counted.alerts++;
        counted.callers.add(alert.whom.pseudonym);
      }
      if (told.length < maxAlerts) told.push(alert);
      const measure = measureFor(alert, observation.sighting, responses, protection);
      if (measure !== undefined && measures.length < maxAlerts) measures.push(measure);
    }
  }
  return {
    records: count,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    alerts: told,
    byPattern: Object.fromEntries(
      [...tally].map(([pattern, { alerts: number, callers }]) => [pattern, { alerts: number, callers: callers.size }]),
    ) as SimulationReport["byPattern"],
    measures,
  };
}
