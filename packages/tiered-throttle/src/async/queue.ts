import type { AsyncJob, JobResult, JobState } from "./job.ts";

/** How many of one tier may run and wait, over all instances that share the queue. */
export interface AsyncTier {
  /** Jobs that run at once. Default 2. */
  readonly concurrency?: number;
  /** Jobs that wait at most. Default 100. */
  readonly waiting?: number;
  /** Jobs of one organisation that wait or run at most. Default 5. */
  readonly perOrganisation?: number;
}

export type AsyncTiers = Readonly<Record<string, Required<AsyncTier>>>;

export interface WorkContext {
  /** Aborts when the job was cancelled, has become too old, or another worker has taken it over. */
  readonly signal: AbortSignal;
  /** How far the work is, from 0 to 1. */
  readonly progress: (fraction: number) => void;
}

/** Does the work of one job. Rejects with a `JobFailure` or any error: the job has failed then and is not tried again. */
export type Perform = (job: AsyncJob, context: WorkContext) => Promise<JobResult>;

export type Added = "added" | "full" | "organisation-full";

/** Jobs of one tier, for an operator's console. */
export interface TierStanding {
  readonly tier: string;
  readonly waiting: number;
  readonly running: number;
}

/**
 * Where jobs wait their turn and are remembered. Organisations of a tier take turns; of one organisation the first comes first. A job
 * whose worker died is handed out once more, and after a second death has failed as `lost`.
 */
export interface JobQueue {
  /** Resolves when the queue can be used; rejects when what it remembers cannot be read. */
  ready(): Promise<void>;
  /** `added`: the job survives this process from now on. */
  add(job: AsyncJob): Promise<Added>;
  /** `undefined` for a job that never was, was removed, or has expired. */
  load(id: string): Promise<JobState | undefined>;
  /** Forgets the job for good, and aborts its work wherever it runs. */
  remove(id: string): Promise<void>;
  /** Begins to hand out jobs. Called once. */
  work(perform: Perform): void;
  /** Forgets what has expired. */
  sweep(): Promise<void>;
  standings(): Promise<readonly TierStanding[]>;
  /** Aborts the work that runs here and hands it back, uncounted, for another to begin anew. */
  close(): Promise<void>;
}
