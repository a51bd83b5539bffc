import { DependencyError } from "@wardline/policy-types";
import type { ExportJob, ExportJobStore } from "./job.ts";

const DEFAULT_LIMIT = 1000;

/**
 * An export job store for one process. Full of jobs that still count, it rejects: forgetting one would orphan files.
 *
 * Does NOT survive a restart or reach other instances.
 */
export function createMemoryExportJobStore(
  options: { readonly limit?: number; readonly now?: () => number } = {},
): ExportJobStore {
  const { limit = DEFAULT_LIMIT, now = Date.now } = options;
  const jobs = new Map<string, ExportJob>();
  const isOver = ({ until }: ExportJob): boolean => now() / 1000 >= until;
  return {
    async save(job) {
      if (!jobs.has(job.id) && jobs.size >= limit) {
        for (const [id, old] of jobs) if (isOver(old)) jobs.delete(id);
        if (jobs.size >= limit) {
          throw new DependencyError("smart-auth/export-store-full", "the export job store is full", {
            retryable: true,
          });
        }
      }
      jobs.set(job.id, job);
    },
    async update(job) {
      const isThere = jobs.has(job.id);
      if (isThere) jobs.set(job.id, job);
      return isThere;
    },
    async load(id) {
      const job = jobs.get(id);
      return job === undefined || isOver(job) ? undefined : job;
    },
    async remove(id) {
      jobs.delete(id);
    },
  };
}
