import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createLocalQueue } from "../../../src/async/local-queue.ts";
import type { AsyncTiers } from "../../../src/async/queue.ts";
import type { AsyncJob, JobQueue } from "../../../src/index.ts";

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wardline-async-"));
  folders.push(folder);
  return folder;
}

let made = 0;
export function jobOf(changes: Partial<AsyncJob> = {}): AsyncJob {
  made += 1;
  return {
    id: `${"j".repeat(24)}${String(made).padStart(8, "0")}`,
    owner: "me",
    organisation: "ours",
    tier: "ordinary",
    request: "https://fhir.example.org/fhir/$export",
    asked: { method: "GET", url: "/$export" },
    createdAt: Date.now(),
    lifetimeMs: 3_600_000,
    ...changes,
  };
}

export const TIERS: AsyncTiers = { ordinary: { concurrency: 1, waiting: 50, perOrganisation: 20 } };

export interface LocalParts {
  readonly path: string;
  readonly tiers?: AsyncTiers;
  readonly maxJobs?: number;
  readonly now?: () => number;
  readonly errors?: unknown[];
}

export function localQueue({ path, tiers = TIERS, maxJobs = 1000, now = Date.now, errors = [] }: LocalParts): JobQueue {
  return createLocalQueue({ path, tiers, maxJobs, now, onError: (error) => void errors.push(error) });
}
