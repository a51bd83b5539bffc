import { randomUUID } from "node:crypto";
import type { AccessRecord } from "@wardline/policy-types";
import { type Alert, createAlerts } from "./alerts/alert.ts";
import { createTeller } from "./alerts/tell.ts";
import type { History } from "./history/entry.ts";
import { createKeeper } from "./history/keep.ts";
import { createMemory } from "./history/memory.ts";
import { type Measure, type MeasureChange, measureId } from "./measures/measure.ts";
import { createMeasures, type Measures } from "./measures/operate.ts";
import { mayReplace, measureFor } from "./measures/respond.ts";
import { createMeasureStore, type MeasureStore } from "./measures/store.ts";
import type { ParsedOptions } from "./options.ts";
import { createExchange, type Exchange } from "./shared/exchange.ts";
import { addressKey } from "./watch/address.ts";
import { type LoginAttempt, readSightings, sightingOfLogin } from "./watch/login.ts";
import { type CallerKind, createPseudonyms } from "./watch/pseudonym.ts";
import type { Sighting, SightingFacts } from "./watch/sighting.ts";
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
  /** Everything it remembers; can be gone through in pieces while more is seen. */
  readonly history: () => History;
  /** The same for the monitor that takes its place; its own file is no longer written. */
  readonly handOver: () => History;
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
  const memory = createMemory({ watch, alerts, store, now });
  const keeper = createKeeper(options, memory, teller);
  let knownAt = keeper.start();
  // What is seen before it is known what the others know is taken in after it.
  let waiting: Sighting[] | undefined = options.shared === undefined ? undefined : [];
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
    see: (record) => take(() => readSightings(record, facts)),
    seeLogin: (attempt) =>
      take(() => {
        const { at = now(), requestId = randomUUID() } = attempt;
        return [sightingOfLogin({ ...attempt, at, requestId }, facts)];
      }),
    snapshot: () => ({
      sightings,
      alerts: told,
      tracked: watch.tracked(),
      measures: store.list().length,
      ...(exchange === undefined ? {} : { shared: exchange.snapshot() }),
    }),
    history: memory.history,
    handOver: keeper.handOver,
    async close() {
      await exchange?.close();
      await keeper.close();
    },
  };

  /** Comes after the answer: whatever goes wrong here, nobody waits for it. */
  function take(read: () => readonly Sighting[]): void {
    try {
      for (const sighting of read()) {
        if (waiting === undefined || waiting.length >= MOST_WAITING) see(sighting);
        else waiting.push(sighting);
        exchange?.publish(sighting);
      }
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
      history: {
        seconds: SHARED_HISTORY_SECONDS,
        maxBytes: SHARED_HISTORY_BYTES,
        current: memory.history,
        onStart: catchUp,
      },
      onState: (state) => {
        if (state === "down") teller.degraded("abuse-monitor/store-down");
        else teller.recovered("abuse-monitor/store-down");
      },
    });
  }

  /** The younger of what the others know and what the file said; then what was seen meanwhile. */
  function catchUp(known: History | undefined): boolean {
    const isYounger = known !== undefined && known.head.at > knownAt;
    if (isYounger) memory.recall(known);
    knownAt = Number.POSITIVE_INFINITY;
    const seen = waiting ?? [];
    waiting = undefined;
    for (const sighting of seen) seeRemote(sighting);
    return isYounger;
  }

  function seeRemote(sighting: Sighting): void {
    try {
      see(sighting);
    } catch {
      teller.degraded("abuse-monitor/record-failed");
    }
  }
}

const MOST_WAITING = 20_000;
const SHARED_HISTORY_SECONDS = 300;
const SHARED_HISTORY_BYTES = 64 * 1024 * 1024;

type Shared = NonNullable<ParsedOptions["shared"]>;

function changeBy(measure: Measure): MeasureChange {
  return { kind: measure.state === "proposed" ? "proposed" : "imposed", measure };
}
