import type { AsyncJob, JobState, JobStatus } from "./job.ts";

/** One line of the journal. */
export type JournalEntry =
  | { readonly event: "added"; readonly job: AsyncJob }
  /** Handed to a worker for the `attempt`th time. */
  | { readonly event: "begun"; readonly id: string; readonly attempt: number }
  /** Given back by a process that was asked to end: this attempt does not count. */
  | { readonly event: "handed-back"; readonly id: string; readonly attempt: number }
  | { readonly event: "ended"; readonly id: string; readonly status: JobStatus }
  | { readonly event: "removed"; readonly id: string };

export interface Remembered {
  readonly job: AsyncJob;
  status: JobStatus;
  /** Attempts begun so far that count. */
  attempt: number;
}

/** Folds the journal into what it says now. Entries about jobs it does not know say nothing. */
export function replay(entries: readonly unknown[]): Map<string, Remembered> {
  const jobs = new Map<string, Remembered>();
  for (const entry of entries as readonly JournalEntry[]) {
    if (entry.event === "added") {
      jobs.set(entry.job.id, { job: entry.job, status: { kind: "queued" }, attempt: 0 });
      continue;
    }
    const known = jobs.get(entry.id);
    if (known === undefined) continue;
    switch (entry.event) {
      case "begun":
        known.status = { kind: "running" };
        known.attempt = entry.attempt;
        break;
      case "handed-back":
        known.status = { kind: "queued" };
        known.attempt = entry.attempt;
        break;
      case "ended":
        known.status = entry.status;
        break;
      case "removed":
        jobs.delete(entry.id);
        break;
      default:
        entry satisfies never;
    }
  }
  return jobs;
}

/** The shortest journal that says the same. */
export function journalOf(jobs: Iterable<Remembered>): JournalEntry[] {
  return [...jobs].flatMap(({ job, status, attempt }): JournalEntry[] => {
    const added: JournalEntry = { event: "added", job };
    if (status.kind === "done" || status.kind === "failed") return [added, { event: "ended", id: job.id, status }];
    if (attempt === 0) return [added];
    return [added, { event: status.kind === "running" ? "begun" : "handed-back", id: job.id, attempt }];
  });
}

export function stateOf({ job, status }: Remembered): JobState {
  return { job, status };
}
