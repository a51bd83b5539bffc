import type { JobFiles } from "./files.ts";
import type { JobFile, JobState } from "./job.ts";

/** How much all jobs keep, as far as this process knows. */
export interface Storage {
  isFull(): boolean;
  /** False when there is no room for `bytes` more. */
  take(bytes: number): boolean;
  /** Removes the files of jobs that are gone, of failed ones and of attempts that do not count, and weighs the rest. */
  sweep(load: (id: string) => Promise<JobState | undefined>): Promise<void>;
}

export function createStorage(files: JobFiles, maxStoredBytes: number): Storage {
  let stored = 0;
  /** Bytes taken since the last look at the files began: it may have seen them or not. */
  let takenMeanwhile = 0;
  return {
    isFull: () => stored >= maxStoredBytes,
    take(bytes) {
      if (stored + bytes > maxStoredBytes) return false;
      stored += bytes;
      takenMeanwhile += bytes;
      return true;
    },
    async sweep(load) {
      takenMeanwhile = 0;
      let sum = 0;
      for (const id of await files.ids()) {
        const state = await load(id);
        if (state === undefined || state.status.kind === "failed") {
          await files.remove(id);
          continue;
        }
        if (state.status.kind === "done") await files.remove(id, attemptOf(state.status.result.files));
        sum += await files.bytesOf(id);
      }
      stored = sum + takenMeanwhile;
    },
  };
}

/** Files of one result lie in one attempt's folder; a result without files keeps none. */
function attemptOf([first]: readonly JobFile[]): string | undefined {
  return first === undefined ? undefined : first.name.slice(0, first.name.indexOf("/") + 1);
}
