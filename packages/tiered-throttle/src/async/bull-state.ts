import type { BullData, BullJob } from "./bull-types.ts";
import type { AsyncJob, Failure, JobState, JobStatus } from "./job.ts";

/** BullMQ's own limit: 2 to the power of 21. Later turns would all be alike: first come, first served. */
const LAST_TURN = 2_097_152;

/**
 * The turn of a new job by start-time fair queueing, as `createFairLine` gives it, worked out from the jobs that run and wait; it
 * begins anew whenever the tier is idle.
 */
export function turnOf(
  job: AsyncJob,
  pending: { readonly running: readonly BullData[]; readonly waiting: readonly BullData[] },
): number {
  const { running, waiting } = pending;
  const turns = (list: readonly BullData[]): number[] => list.map(({ turn }) => turn);
  const now = running.length > 0 ? Math.max(...turns(running)) : waiting.length > 0 ? Math.min(...turns(waiting)) : 1;
  const own = [...running, ...waiting].filter((one) => one.job.organisation === job.organisation);
  return Math.min(Math.max(now, ...own.map(({ turn }) => turn + 1)), LAST_TURN);
}

export async function readState(held: BullJob): Promise<JobState | undefined> {
  const { job, removed } = held.data;
  if (removed === true) return undefined;
  const state = await held.getState();
  const status = statusOf(held, state);
  return status === undefined ? undefined : { job, status };
}

function statusOf(held: BullJob, state: string): JobStatus | undefined {
  const endedAt = held.finishedOn ?? 0;
  switch (state) {
    case "completed":
      return held.returnvalue ? { kind: "done", result: held.returnvalue, endedAt } : { kind: "running" };
    case "failed":
      return { kind: "failed", failure: failureIn(held.failedReason), endedAt };
    case "active":
      return typeof held.progress === "number" ? { kind: "running", fraction: held.progress } : { kind: "running" };
    case "unknown":
      return undefined;
    default:
      return { kind: "queued" };
  }
}

/** Our own word, or BullMQ's sentence about a job that stalled too often. */
function failureIn(reason: string | undefined): Failure {
  if (reason === "failed" || reason === "too-large" || reason === "too-slow") return reason;
  return reason?.includes("stalled") === true ? "lost" : "failed";
}
