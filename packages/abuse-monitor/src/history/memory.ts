import type { Alerts } from "../alerts/alert.ts";
import type { MeasureStore } from "../measures/store.ts";
import type { Watch } from "../watch/watch.ts";
import { type History, type HistoryEntry, VERSION } from "./entry.ts";

/** Everything a monitor remembers, as one. */
export interface Memory {
  /** Can be gone through in pieces while more is seen. */
  readonly history: () => History;
  recall(history: History): void;
}

export function createMemory({
  watch,
  alerts,
  store,
  now,
}: {
  readonly watch: Watch;
  readonly alerts: Alerts;
  readonly store: MeasureStore;
  readonly now: () => number;
}): Memory {
  return {
    history: () => ({ head: { version: VERSION, at: now(), windows: watch.windows }, entries: remembered() }),
    recall({ head, entries }) {
      // Whoever was seen last comes last into the tables, and is forgotten last.
      for (const entry of [...entries].reverse()) {
        if ("measure" in entry) store.put(entry.measure);
        else if ("told" in entry) alerts.recall(...entry.told);
        else watch.recall(entry, head.windows);
      }
    },
  };

  /** Blocks first: they are few, and what is left out for its size is not among them. */
  function* remembered(): Generator<HistoryEntry> {
    for (const measure of [...store.list()].reverse()) yield { measure };
    for (const told of alerts.remembered()) yield { told };
    yield* watch.remembered();
  }
}
