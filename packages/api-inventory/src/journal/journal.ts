import type { AccessRecord } from "@wardline/policy-types";
import { transfersOf } from "../cms/entries-of.ts";
import type { JournalEntry, PriorAuthEntry } from "../cms/journal-entry.ts";
import type { Sighted } from "../observe/sighting.ts";
import { createDeltas } from "./deltas.ts";
import { createLineFile } from "./line-file.ts";
import { parseJournalOptions, type UsageJournalOptions } from "./options.ts";
import { createRecent, createTransferFilter } from "./recent.ts";

/** A prior-authorisation event whose identifiers are still in clear. */
export type PriorAuthEvent = Omit<PriorAuthEntry, "kind">;

export interface UsageJournal {
  /** Counts a finished request. Costs no wait: lines are written behind it. */
  record(record: AccessRecord, ...sighted: readonly Sighted[]): void;
  /** `keys` are hashed here; the journal never holds them in clear. */
  priorAuth(event: PriorAuthEvent): void;
  /** Resolves when everything so far is on disk, or the disk has refused it. */
  flush(): Promise<void>;
  close(): Promise<void>;
  status(): { readonly state: "writing" | "degraded" | "closed"; readonly pending: number; readonly lost: number };
}

/** Patients remembered so as not to be written again; about 100 bytes each. */
const REMEMBERED = 200_000;
/** Kinds of use counted before they are written, as a share of the lines held: what is written at once must find room. */
const SIGHTINGS_SHARE = 1 / 4;
/** A case is known by a few identifiers; a body may hold any number. */
const MAX_KEYS = 16;

/**
 * A small append-only file from which `cmsReport` and `inventoryReport` are made: figures, and patients and cases as keyed
 * hashes. At most three short lines for each patient and year, one for each prior-authorisation event, and the counts of
 * every interval; figures survive a restart.
 *
 * Does NOT hold PHI, and does NOT replace the audit ledger: a crash may lose the counts of one interval.
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export function openUsageJournal(options: UsageJournalOptions): UsageJournal {
  const { file, flushSeconds, maxPending, onDegraded, counting } = parseJournalOptions(options);
  const lines = createLineFile({ file, maxPending, onDegraded });
  const deltas = createDeltas(maxPending * SIGHTINGS_SHARE);
  const filter = createTransferFilter(REMEMBERED);
  const answered = createRecent<true>(REMEMBERED);
  let closed = false;
  const timer = setInterval(() => void flush(), flushSeconds * 1000);
  timer.unref();

  function put(entry: JournalEntry): void {
    lines.put(JSON.stringify(entry));
  }

  async function flush(): Promise<void> {
    for (const entry of deltas.take()) put(entry);
    await lines.flush();
  }

  return {
    record(record, ...sighted) {
      if (closed) return;
      deltas.add(record, sighted, counting.dayOf);
      for (const transfer of transfersOf(record, counting)) {
        if (filter.isNews(transfer.patient, transfer.day)) put(transfer);
      }
      if (deltas.isFull) void flush();
    },
    priorAuth({ keys, ...event }) {
      if (closed || keys.length === 0) return;
      const hashes = [...new Set(keys.slice(0, MAX_KEYS).map((key) => counting.pseudonym("case", key)))];
      const said = `${hashes.join(" ")} ${event.decision ?? ""} ${String(event.extended)}`;
      if (event.event === "answered" && answered.get(said) === true) return;
      if (event.event === "answered") answered.set(said, true);
      put({ kind: "prior-auth", ...event, keys: hashes });
      void lines.flush();
    },
    flush: () => (closed ? Promise.resolve() : flush()),
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      await flush();
      await lines.close();
    },
    status: () => ({ ...lines.status(), state: closed ? "closed" : lines.status().state }),
  };
}
