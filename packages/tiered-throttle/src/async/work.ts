import { randomBytes } from "node:crypto";
import type { FileWriter, JobFiles } from "./files.ts";
import { type AsyncJob, type FileKind, JobFailure, type JobFile } from "./job.ts";
import { createOutput, type JobOutput } from "./output.ts";
import type { Perform } from "./queue.ts";
import type { Storage } from "./storage.ts";

export interface RunContext {
  /** Aborts when the result is not wanted any more: the work has to end then. */
  readonly signal: AbortSignal;
  /** How far the work is, from 0 to 1: the client sees a percentage. */
  readonly progress: (fraction: number) => void;
  /** The FHIR instant the data is as of, if not the work's beginning: the manifest's `transactionTime`. */
  readonly asOf: (instant: string) => void;
  /** The NDJSON file of one type; the same one when asked again. `error` takes OperationOutcomes, `deleted` Bundles. */
  readonly output: (type: string, kind?: FileKind) => JobOutput;
}

/** The work itself. What it wrote counts when it resolves. */
export type RunJob = (job: AsyncJob, context: RunContext) => Promise<void>;

export interface WorkOptions {
  readonly run: RunJob;
  readonly files: JobFiles;
  /** Bytes one job may write. */
  readonly maxJobBytes: number;
  readonly runSeconds: number;
  readonly now: () => number;
}

const TYPE = /^[A-Z][A-Za-z]{1,63}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * Runs one attempt of a job, with files of its own: two attempts never write to the same file, and the queue decides whose
 * result counts.
 */
export function createPerform(
  { run, files, maxJobBytes, runSeconds, now }: WorkOptions,
  storage: Pick<Storage, "take">,
): Perform {
  return async function perform(job, { signal, progress }) {
    const attempt = randomBytes(12).toString("hex");
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), runSeconds * 1000);
    timer.unref();
    const either = AbortSignal.any([signal, late.signal]);
    const outputs = new Map<
      string,
      { readonly output: JobOutput; finish(): Promise<JobFile>; abandon(): Promise<void> }
    >();
    let left = maxJobBytes;
    let tooLarge: JobFailure | undefined;
    let transactionTime = new Date(now()).toISOString();

    function take(bytes: number): void {
      either.throwIfAborted();
      left -= bytes;
      if (left >= 0 && storage.take(bytes)) return;
      // Remembered: the work may catch it and go on, or fail in words of its own.
      tooLarge ??= new JobFailure("too-large");
      throw tooLarge;
    }
    function output(type: string, kind: FileKind = "output"): JobOutput {
      if (!TYPE.test(type)) throw new TypeError("the type of an output is a resource type");
      const key = `${kind}-${type}`;
      const known = outputs.get(key);
      if (known !== undefined) return known.output;
      const name = `${attempt}/${key}.ndjson`;
      let file: Promise<FileWriter> | undefined;
      const made = createOutput({
        open: () => (file ??= files.create(job.id, name)),
        take,
        describe: (count, bytes) => ({ kind, type, name, count, bytes }),
      });
      outputs.set(key, made);
      return made.output;
    }

    try {
      const asOf = (instant: string): void => {
        if (!INSTANT.test(instant)) throw new TypeError("an instant of FHIR is wanted");
        transactionTime = instant;
      };
      await run(job, { signal: either, progress: (fraction) => progress(clamp(fraction)), asOf, output });
      either.throwIfAborted();
      const written: JobFile[] = [];
      for (const one of outputs.values()) written.push(await one.finish());
      if (tooLarge !== undefined) throw tooLarge;
      either.throwIfAborted();
      return {
        transactionTime,
        files: written.filter(({ count }) => count > 0),
      };
    } catch (error) {
      for (const one of outputs.values()) await one.abandon();
      throw tooLarge ?? (late.signal.aborted && !signal.aborted ? new JobFailure("too-slow", { cause: error }) : error);
    } finally {
      clearTimeout(timer);
    }
  };
}

function clamp(fraction: number): number {
  return fraction >= 0 ? Math.min(fraction, 1) : 0;
}
