import { within } from "./deadline.ts";
import { createFairLine } from "./fair.ts";
import { type AsyncJob, expiryOf, type Failure, failureOf, type JobStatus } from "./job.ts";
import { type Journal, openJournal } from "./journal.ts";
import type { Added, AsyncTiers, JobQueue, Perform } from "./queue.ts";
import { type JournalEntry, journalOf, type Remembered, replay, stateOf } from "./remembered.ts";

export interface LocalQueueOptions {
  /** The journal. One file belongs to one process. */
  readonly path: string;
  readonly tiers: AsyncTiers;
  /** Jobs remembered at most, ended ones included. */
  readonly maxJobs: number;
  readonly now: () => number;
  /** Told what went wrong with no request to answer. */
  readonly onError: (error: unknown) => void;
}

interface Running {
  readonly known: Remembered;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** A worker that died is replaced once. */
const ATTEMPTS = 2;
/** The journal is written anew when it has this many times the entries it needs. */
const SLACK = 4;
/** F15: what does not end by then is left as if its worker had died. */
const CLOSE_MS = 5000;

/**
 * A queue for one process, in memory and in a journal: what was acknowledged survives `kill -9`.
 *
 * Does NOT reach other instances: see `createBullQueue`.
 */
export function createLocalQueue(options: LocalQueueOptions): JobQueue {
  const { tiers, now, onError } = options;
  const lines = new Map(Object.keys(tiers).map((tier) => [tier, createFairLine<Remembered>()] as const));
  const jobs = new Map<string, Remembered>();
  const running = new Map<string, Running>();
  /** Kick-offs whose line is being written: they take their place already. */
  const arriving = new Set<AsyncJob>();
  let perform: Perform | undefined;
  let closing = false;

  const opened = open();
  // Each caller hears of it through `opened`.
  opened.catch(() => undefined);

  async function open(): Promise<Journal> {
    const { journal, entries } = await openJournal(options.path);
    for (const [id, known] of replay(entries)) jobs.set(id, known);
    const waiting = [...jobs.values()].filter(({ status }) => status.kind === "queued" || status.kind === "running");
    for (const known of waiting) if (known.attempt === 0) putBack(known);
    // Each goes before the ones before it.
    for (const known of waiting.reverse()) if (known.attempt > 0) putBack(known);
    await journal.rewrite(() => journalOf(jobs.values()));
    return journal;
  }

  /** What a death interrupted begins anew, once, and before what only waited. */
  function putBack(known: Remembered): void {
    const { job, status, attempt } = known;
    const line = lines.get(job.tier);
    if (status.kind === "running" && attempt >= ATTEMPTS) known.status = failedAs("lost");
    else if (line === undefined) known.status = failedAs("failed");
    else {
      known.status = { kind: "queued" };
      if (attempt > 0) line.addFirst(job.organisation, known);
      else line.add(job.organisation, known);
    }
  }

  function failedAs(failure: Failure): JobStatus {
    return { kind: "failed", failure, endedAt: now() };
  }

  /** Memory says what the journal says: a journal that is written anew forgets nothing. */
  async function write(entry: JournalEntry, apply?: () => void): Promise<void> {
    const journal = await opened;
    await journal.append(entry, apply);
    if (journal.entries > SLACK * (jobs.size + 100))
      await journal.rewrite(() => journalOf(jobs.values())).catch(onError);
  }

  function isOver(known: Remembered): boolean {
    return expiryOf(stateOf(known)) <= now();
  }

  function room(job: AsyncJob): Added {
    const tier = tiers[job.tier];
    const line = lines.get(job.tier);
    if (tier === undefined || line === undefined || closing) return "full";
    const pending = [...arriving];
    for (const { job: one, status } of jobs.values())
      if (status.kind === "queued" || status.kind === "running") pending.push(one);
    const same = pending.filter((one) => one.tier === job.tier);
    if (same.filter(({ organisation }) => organisation === job.organisation).length >= tier.perOrganisation)
      return "organisation-full";
    const arrivals = [...arriving].filter((one) => one.tier === job.tier).length;
    if (line.size + arrivals >= tier.waiting || jobs.size + arriving.size >= options.maxJobs) return "full";
    return "added";
  }

  function runningIn(tier: string): number {
    let count = 0;
    for (const { known } of running.values()) if (known.job.tier === tier) count += 1;
    return count;
  }

  function handOut(): void {
    if (perform === undefined || closing) return;
    for (const [tier, line] of lines) {
      while (runningIn(tier) < (tiers[tier]?.concurrency ?? 0)) {
        const known = line.take();
        if (known === undefined) break;
        begin(known, perform);
      }
    }
  }

  function begin(known: Remembered, work: Perform): void {
    const abort = new AbortController();
    known.status = { kind: "running" };
    known.attempt += 1;
    const ended = run(known, work, abort.signal)
      .catch(onError)
      .finally(() => {
        // F13: the slot is free when the work has ended, whatever became of the job meanwhile.
        running.delete(known.job.id);
        handOut();
      });
    running.set(known.job.id, { known, abort, ended });
  }

  async function run(known: Remembered, work: Perform, signal: AbortSignal): Promise<void> {
    const { id } = known.job;
    const { attempt } = known;
    let status: JobStatus;
    try {
      // If we crash here, the next process knows that this attempt was begun.
      await write({ event: "begun", id, attempt });
      signal.throwIfAborted();
      const progress = (fraction: number): void => {
        if (known.status.kind === "running") known.status = { kind: "running", fraction };
      };
      const result = await work(known.job, { signal, progress });
      status = { kind: "done", result, endedAt: now() };
    } catch (error) {
      status = failedAs(failureOf(error));
      if (!signal.aborted) onError(error);
    }
    if (jobs.get(id) !== known) return;
    if (closing && status.kind === "failed") {
      await write({ event: "handed-back", id, attempt: attempt - 1 }, () => {
        known.status = { kind: "queued" };
        known.attempt = attempt - 1;
      });
      return;
    }
    try {
      await write({ event: "ended", id, status }, () => {
        known.status = status;
      });
    } catch (error) {
      // The journal says it runs: the next process begins it anew.
      known.status = failedAs("failed");
      throw error;
    }
  }

  async function forget(id: string): Promise<void> {
    const known = jobs.get(id);
    if (known === undefined) return;
    await write({ event: "removed", id }, () => jobs.delete(id));
    lines.get(known.job.tier)?.remove(known);
    running.get(id)?.abort.abort();
  }

  return {
    async ready() {
      await opened;
    },
    async add(job) {
      await opened;
      const answer = room(job);
      if (answer !== "added") return answer;
      arriving.add(job);
      const known: Remembered = { job, status: { kind: "queued" }, attempt: 0 };
      try {
        await write({ event: "added", job }, () => {
          jobs.set(job.id, known);
          lines.get(job.tier)?.add(job.organisation, known);
          arriving.delete(job);
        });
      } finally {
        arriving.delete(job);
      }
      handOut();
      return "added";
    },
    async load(id) {
      await opened;
      const known = jobs.get(id);
      return known === undefined || isOver(known) ? undefined : stateOf(known);
    },
    async remove(id) {
      await opened;
      await forget(id);
    },
    work(given) {
      perform = given;
      opened.then(handOut, onError);
    },
    async sweep() {
      await opened;
      for (const [id, known] of jobs) if (isOver(known)) await forget(id);
    },
    async standings() {
      await opened;
      return [...lines].map(([tier, line]) => ({ tier, waiting: line.size, running: runningIn(tier) }));
    },
    async close() {
      closing = true;
      for (const { abort } of running.values()) abort.abort();
      await within(CLOSE_MS, Promise.all([...running.values()].map(({ ended }) => ended)));
      const closed = opened.then(
        (journal) => journal.close(),
        () => undefined,
      );
      await within(CLOSE_MS, closed);
    },
  };
}
