import { randomBytes } from "node:crypto";
import { type Findings, refuseUnknownKeys } from "@wardline/policy-types";
import type { ExportJobStore } from "./job.ts";

export interface BulkExportOptions {
  /** One for all instances. */
  readonly store: ExportJobStore;
  /** How long a job and its files are remembered. Default 86 400, at most 604 800. */
  readonly lifetimeSeconds?: number;
  readonly randomBytes?: (size: number) => Uint8Array;
}

export interface BulkExportSettings {
  readonly store: ExportJobStore;
  readonly lifetimeSeconds: number;
  readonly randomBytes: (size: number) => Uint8Array;
}

const DAY = 86_400;

export function parseBulkExport(found: Findings, options: BulkExportOptions, path: string): BulkExportSettings {
  refuseUnknownKeys(found, options, ["store", "lifetimeSeconds", "randomBytes"], path);
  const { store, lifetimeSeconds = DAY } = options;
  const isStore = (["save", "load", "remove"] as const).every((name) => typeof store?.[name] === "function");
  if (!isStore)
    found.add(`${path}.store`, "missing", "needs save, load and remove: createMemoryExportJobStore() for one process");
  if (!Number.isSafeInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > 7 * DAY) {
    found.add(`${path}.lifetimeSeconds`, "out-of-range", "must be a whole number of seconds from 1 to 604800");
  }
  if (options.randomBytes !== undefined && typeof options.randomBytes !== "function") {
    found.add(`${path}.randomBytes`, "not-a-function", "must be a function");
  }
  return Object.freeze({ store, lifetimeSeconds, randomBytes: options.randomBytes ?? randomBytes });
}
