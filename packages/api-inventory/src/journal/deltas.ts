import type { AccessRecord } from "@wardline/policy-types";
import type { DayOf } from "../cms/calendar.ts";
import { apiTypeOf, trafficOf } from "../cms/entries-of.ts";
import type { JournalEntry, SightingEntry, TrafficEntry } from "../cms/journal-entry.ts";
import { addTo, type Sketch } from "../cms/sketch.ts";
import { type Sighted, sightingEntry } from "../observe/sighting.ts";

/** Counts since the last write, so that the journal grows with time and not with traffic. */
export interface Deltas {
  add(record: AccessRecord, sighted: readonly Sighted[], dayOf: DayOf): void;
  /** The counts as entries; counting begins anew. */
  take(): JournalEntry[];
  /** There is no room for a sighting of another kind: take before you add. */
  readonly isFull: boolean;
}

type Traffic = Omit<TrafficEntry, "latency" | "kind"> & { readonly sketch: Sketch };

export function createDeltas(maxSightings: number): Deltas {
  let traffic = new Map<string, Traffic>();
  let sightings = new Map<string, SightingEntry>();

  function addSighting(sighted: Sighted, at: number, dayOf: DayOf): void {
    const entry = sightingEntry(sighted, at, dayOf);
    const key = JSON.stringify([entry.day, sighted]);
    const before = sightings.get(key);
    if (before === undefined) sightings.set(key, entry);
    else sightings.set(key, { ...before, count: before.count + 1, lastAt: Math.max(at, before.lastAt) });
  }

  return {
    add(record, sighted, dayOf) {
      const day = dayOf(record.receivedAt);
      const apiType = apiTypeOf(record);
      const key = `${day} ${apiType}`;
      traffic.set(key, sum(traffic.get(key), day, apiType, record));
      for (const one of sighted) addSighting(one, record.receivedAt, dayOf);
    },
    take() {
      const entries = [...[...traffic.values()].map(trafficEntry), ...sightings.values()];
      traffic = new Map();
      sightings = new Map();
      return entries;
    },
    get isFull() {
      return sightings.size >= maxSightings;
    },
  };
}

function sum(before: Traffic | undefined, day: string, apiType: string, record: AccessRecord): Traffic {
  const { latency, ...one } = trafficOf(record);
  const sketch = before?.sketch ?? new Map<number, number>();
  for (const [bucket, count] of latency) addTo(sketch, bucket, count);
  return {
    day,
    apiType,
    sketch,
    requests: one.requests + (before?.requests ?? 0),
    clientErrors: one.clientErrors + (before?.clientErrors ?? 0),
    serverErrors: one.serverErrors + (before?.serverErrors ?? 0),
    throttled: one.throttled + (before?.throttled ?? 0),
    latencySumMs: one.latencySumMs + (before?.latencySumMs ?? 0),
  };
}

function trafficEntry({ sketch, latencySumMs, ...traffic }: Traffic): TrafficEntry {
  return { kind: "traffic", ...traffic, latencySumMs: Math.round(latencySumMs * 10) / 10, latency: [...sketch] };
}
