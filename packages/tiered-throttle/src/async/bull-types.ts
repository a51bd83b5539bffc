import type { AsyncJob, JobResult } from "./job.ts";

/**
 * What is used of BullMQ 6, written down so that who does not use it need not install it.
 *
 * @see https://docs.bullmq.io
 */
export interface BullModule {
  readonly Queue: new (name: string, options: BullOptions) => BullQueue;
  readonly Worker: new (
    name: string,
    work: (job: BullJob, token?: string) => Promise<unknown>,
    options: BullOptions & {
      readonly autorun: boolean;
      readonly concurrency: number;
      readonly lockDuration: number;
      readonly stalledInterval: number;
      readonly maxStalledCount: number;
    },
  ) => BullWorker;
  /** Thrown after `moveToWait`: the job has not failed. */
  readonly WaitingError: new () => Error;
}

interface BullOptions {
  // A client of any library BullMQ knows: their types have nothing in common.
  readonly connection: never;
  readonly prefix: string;
}

export interface BullData {
  readonly job: AsyncJob;
  readonly turn: number;
  /** Cancelled while a worker held it. */
  readonly removed?: true;
}

export interface BullJob {
  readonly id?: string | undefined;
  readonly data: BullData;
  readonly progress: unknown;
  readonly returnvalue: JobResult | null | undefined;
  readonly failedReason?: string | undefined;
  readonly finishedOn?: number | undefined;
  getState(): Promise<string>;
  updateProgress(progress: number): Promise<void>;
  updateData(data: BullData): Promise<void>;
  moveToWait(token?: string): Promise<unknown>;
  remove(): Promise<unknown>;
}

export interface BullQueue {
  waitUntilReady(): Promise<unknown>;
  setGlobalConcurrency(concurrency: number): Promise<unknown>;
  add(name: string, data: BullData, options: object): Promise<unknown>;
  getJob(id: string): Promise<BullJob | undefined>;
  getJobs(types: string[], start?: number, end?: number): Promise<(BullJob | undefined)[]>;
  getJobCounts(...types: string[]): Promise<Readonly<Record<string, number>>>;
  on(event: "error", listener: (error: Error) => void): unknown;
  close(): Promise<unknown>;
}

export interface BullWorker {
  run(): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "lockRenewalFailed", listener: (ids: string[]) => void): unknown;
  close(): Promise<unknown>;
}
