import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DependencyError } from "@wardline/policy-types";
import type { ExportJob, ExportJobStore } from "@wardline/smart-auth";

export interface FolderExportJobsOptions {
  /** Jobs that count at once. Default 1000. */
  readonly limit?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const ID = /^[A-Za-z0-9_-]{32}$/;

/**
 * Whose an export is and where its addresses lead, one file for each, so that clients find theirs after a restart.
 *
 * Does NOT reach other instances: one process per folder.
 *
 * @throws {DependencyError} when a file cannot be read: what is forgotten would leave files of patients to nobody
 */
export async function openFolderExportJobs(
  folder: string,
  { limit = 1000, now = Date.now }: FolderExportJobsOptions = {},
): Promise<ExportJobStore> {
  const isOver = ({ until }: ExportJob): boolean => now() / 1000 >= until;
  const placeOf = (id: string): string => join(folder, `${id}.json`);
  const jobs = await readJobs(folder);
  await removeOver();

  async function removeOver(): Promise<void> {
    for (const [id, job] of jobs) {
      if (!isOver(job)) continue;
      jobs.delete(id);
      await rm(placeOf(id), { force: true });
    }
  }

  async function write(job: ExportJob): Promise<void> {
    jobs.set(job.id, job);
    await writeWhole(folder, placeOf(job.id), JSON.stringify(job));
    // Cancelled while it was written: nobody may find it again.
    if (!jobs.has(job.id)) await rm(placeOf(job.id), { force: true });
  }

  return {
    async save(job) {
      if (!ID.test(job.id)) throw new TypeError("not the name of an export");
      await removeOver();
      if (!jobs.has(job.id) && jobs.size >= limit) {
        throw new DependencyError("gateway/export-jobs-full", "as many exports are remembered as may be", {
          retryable: true,
        });
      }
      await write(job);
    },
    async update(job) {
      if (!jobs.has(job.id)) return false;
      await write(job);
      return jobs.has(job.id);
    },
    async load(id) {
      const job = jobs.get(id);
      return job === undefined || isOver(job) ? undefined : job;
    },
    async remove(id) {
      if (jobs.delete(id)) await rm(placeOf(id), { force: true });
    },
  };
}

async function readJobs(folder: string): Promise<Map<string, ExportJob>> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const jobs = new Map<string, ExportJob>();
    for (const name of await readdir(folder)) {
      // If we crashed before a file had its name, nobody was told of it.
      if (name.endsWith(".part")) await rm(join(folder, name), { force: true });
      if (!name.endsWith(".json")) continue;
      const job = JSON.parse(await readFile(join(folder, name), "utf8")) as ExportJob;
      jobs.set(job.id, job);
    }
    return jobs;
  } catch (cause) {
    throw new DependencyError("gateway/export-jobs-unreadable", "what is remembered of exports cannot be read", {
      retryable: false,
      cause,
    });
  }
}

/** Under another name, synced, renamed: what can be read is whole. */
async function writeWhole(folder: string, path: string, text: string): Promise<void> {
  const part = `${path}.${randomBytes(6).toString("hex")}.part`;
  const file = await open(part, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
  const names = await open(folder, "r");
  try {
    await names.sync();
  } finally {
    await names.close();
  }
}
