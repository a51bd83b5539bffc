import type { Json } from "@wardline/policy-types/express";

/** What was asked, as the work needs it. Holds no token and no header of the caller. */
export interface AskedOperation {
  readonly method: string;
  /** Path and query below the FHIR base, as narrowed by smart-auth. */
  readonly url: string;
  /** JSON body, when one was sent. */
  readonly body?: Json;
}

/** A slow operation somebody started. Written once, at the kick-off. */
export interface AsyncJob {
  readonly id: string;
  /** Hash of who started it (A8). */
  readonly owner: string;
  /** Hash of whose turn it takes: the organisation, else the client. */
  readonly organisation: string;
  readonly tier: string;
  /** The kick-off as the client asked it, absolute: the manifest repeats it. */
  readonly request: string;
  readonly asked: AskedOperation;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** How long it is kept: from the kick-off while it waits and runs, from its end afterwards. */
  readonly lifetimeMs: number;
}

export const FILE_KINDS = ["output", "error", "deleted"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** One whole NDJSON file of a finished job. */
export interface JobFile {
  readonly kind: FileKind;
  readonly type: string;
  /** Where the files' keeper finds it. */
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
}

export interface JobResult {
  /** The FHIR instant the data is as of. */
  readonly transactionTime: string;
  readonly files: readonly JobFile[];
}

/**
 * Why a job failed: its work said so; it wrote more than it may; it ran longer than it may; its worker died twice.
 */
export type Failure = "failed" | "too-large" | "too-slow" | "lost";

export type JobStatus =
  | { readonly kind: "queued" }
  | { readonly kind: "running" /** From 0 to 1. */; readonly fraction?: number }
  | { readonly kind: "done"; readonly result: JobResult; readonly endedAt: number }
  | { readonly kind: "failed"; readonly failure: Failure; readonly endedAt: number };

export interface JobState {
  readonly job: AsyncJob;
  readonly status: JobStatus;
}

/** Milliseconds since the epoch from which on the job is nobody's any more. */
export function expiryOf({ job, status }: JobState): number {
  const from = status.kind === "done" || status.kind === "failed" ? status.endedAt : job.createdAt;
  return from + job.lifetimeMs;
}

/** Thrown by work that ends badly for a reason the client is told. */
export class JobFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options: { cause?: unknown } = {}) {
    super(`the job ended as ${failure}`, options);
    this.name = "JobFailure";
    this.failure = failure;
  }
}

export function failureOf(error: unknown): Failure {
  return error instanceof JobFailure ? error.failure : "failed";
}
