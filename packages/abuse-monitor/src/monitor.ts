import { randomUUID } from "node:crypto";
import type { AccessRecord } from "@wardline/policy-types";
import { type Alert, createAlerts } from "./alerts/alert.ts";
import { createTeller } from "./alerts/tell.ts";
import { type Measure, type MeasureChange, measureId } from "./measures/measure.ts";
import { createMeasures, type Measures } from "./measures/operate.ts";
import { mayReplace, measureFor } from "./measures/respond.ts";
import { createMeasureStore, type MeasureStore } from "./measures/store.ts";
import type { ParsedOptions } from "./options.ts";
import { createExchange, type Exchange } from "./shared/exchange.ts";
import { addressKey } from "./watch/address.ts";
import { type CallerKind, createPseudonyms } from "./watch/pseudonym.ts";
import { type LoginAttempt, type Sighting, type SightingFacts, sightingOf, sightingOfLogin } from "./watch/sighting.ts";
import { createWatch, type Observation } from "./watch/watch.ts";

/** What the monitor knows at the moment, for an admin endpoint or metrics. Names nobody. */
export interface MonitorSnapshot {
  readonly sightings: number;
  readonly alerts: number;
  readonly tracked: Readonly<Record<CallerKind, number>>;
  readonly measures: number;
  /** Absent when nothing is shared. */
  readonly shared?: ReturnType<Exchange["snapshot"]>;
}

/** The watchman without Express. */
export interface Monitor {
  readonly facts: SightingFacts;
  readonly store: MeasureStore;
  readonly measures: Measures;
  readonly see: (record: AccessRecord) => void;
  readonly seeLogin: (attempt: LoginAttempt) => void;
  readonly snapshot: () => MonitorSnapshot;
  readonly close: () => Promise<void>;
}

export function createMonitor(options: ParsedOptions): Monitor {
  const { thresholds, maxCallers, repeatSeconds, responses, protection, now, locate } = options;
  const facts: SightingFacts = {
    pseudonyms: createPseudonyms(options.key),
    addressKey: (address) => addressKey(address, options.ipv6Prefix),
    ...(locate === undefined ? {} : { locate }),
  };
  const watch = createWatch(thresholds, maxCallers);
  const alerts = createAlerts(repeatSeconds);
  const teller = createTeller(options);
  const store = createMeasureStore(now, options.maxMeasures);
  const exchange = options.shared === undefined ? undefined : startExchange(options.shared);
  const measures = createMeasures(store, options, (change) => {
    exchange?.publishMeasure(change.measure);
    teller.tellMeasure(change);
  });
  let sightings = 0;
  let told = 0;

  return {
    facts,
    store,
    measures,
    see: (record) => take(() => sightingOf(record, facts)),
    seeLogin: (attempt) =>
      take(() => {
        const { at = now(), requestId = randomUUID() } = attempt;
        return sightingOfLogin({ ...attempt, at, requestId }, facts);
      }),
    snapshot: () => ({
      sightings,
      alerts: told,
      tracked: watch.tracked(),
      measures: store.list().length,
      ...(exchange === undefined ? {} : { shared: exchange.snapshot() }),
    }),
    async close() {
      await exchange?.close();
    },
  };

  /** Comes after the answer: whatever goes wrong here, nobody waits for it. */
  function take(read: () => Sighting): void {
    try {
      const sighting = read();
      see(sighting);
      exchange?.publish(sighting);
      teller.recovered("abuse-monitor/record-failed");
    } catch {
      teller.degraded("abuse-monitor/record-failed");
    }
  }

  function see(sighting: Sighting): void {
    sightings++;
    for (const observation of watch.see(sighting)) raise(observation);
  }

  function raise(observation: Observation): void {
    const alert = alerts.raise(observation);
    if (alert === undefined) return;
    told++;
    const measure = measureFor(alert, observation.sighting, responses, protection);
    const imposed = measure !== undefined && mayReplace(store.get(measureId(measure))) && store.put(measure);
    const change = imposed ? changeBy(measure) : undefined;
    if (exchange === undefined) return tell(alert, change);
    if (imposed) exchange.publishMeasure(measure);
    // Every instance has seen it and imposed the same; one of them tells.
    void exchange.claim(alert.id, repeatSeconds).then((ours) => {
      if (ours) tell(alert, change);
    });
  }

  function tell(alert: Alert, change: MeasureChange | undefined): void {
    teller.tell(alert);
    if (change !== undefined) teller.tellMeasure(change);
  }

  function startExchange({
    instance,
    sendCommand,
    prefix,
    deadlineMs,
    intervalMs,
    retryMs,
    maxQueue,
  }: Shared): Exchange {
    return createExchange({
      sendCommand,
      prefix,
      deadlineMs,
      intervalMs,
      retryMs,
      maxQueue,
      instance,
      now,
      key: options.key,
      onSightings: (found) => {
        for (const sighting of found) seeRemote(sighting);
      },
      onMeasure: (measure) => void store.put(measure),
      measures: () => store.list(),
      onState: (state) => {
        if (state === "down") teller.degraded("abuse-monitor/store-down");
        else teller.recovered("abuse-monitor/store-down");
      },
    });
  }

  function seeRemote(sighting: Sighting): void {
    try {
      see(sighting);
    } catch {
      teller.degraded("abuse-monitor/record-failed");
    }
  }
}

type Shared = NonNullable<ParsedOptions["shared"]>;

function changeBy(measure: Measure): MeasureChange {
  return { kind: measure.state === "proposed" ? "proposed" : "imposed", measure };
}
