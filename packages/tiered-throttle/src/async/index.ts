export { loadBullmq } from "./bull-module.ts";
export { type BullQueueOptions, createBullQueue } from "./bull-queue.ts";
export type { BullModule } from "./bull-types.ts";
export type { AsyncCaller } from "./caller.ts";
export { type AsyncOperations, asyncOperations } from "./express.ts";
export type { FileWriter, JobFiles } from "./files.ts";
export {
  type AskedOperation,
  type AsyncJob,
  type Failure,
  type FileKind,
  JobFailure,
  type JobFile,
  type JobResult,
  type JobState,
  type JobStatus,
} from "./job.ts";
export type { AsyncOperationsOptions } from "./options.ts";
export type { JobOutput } from "./output.ts";
export { proxyExport } from "./proxy-export.ts";
export type { ProxyExportOptions } from "./proxy-options.ts";
export type { Added, AsyncTier, JobQueue, Perform, TierStanding, WorkContext } from "./queue.ts";
export type { RunContext, RunJob } from "./work.ts";
