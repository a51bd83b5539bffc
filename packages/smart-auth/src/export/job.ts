import { createHash } from "node:crypto";
import type { Principal } from "@wardline/policy-types";

/** One file of an export, and what its lines must be. */
export interface ExportFile {
  readonly kind: "output" | "error" | "deleted";
  readonly type: string;
  /** Path and query below the server's base. */
  readonly url: string;
}

/** A running or finished export: whose it is, and what was granted when it began (A8). */
export interface ExportJob {
  readonly id: string;
  /** Hash of who started it. */
  readonly owner: string;
  readonly types: readonly string[];
  /** The kick-off as the client asked it, absolute. */
  readonly request: string;
  /** Path and query of the server's own status URL, below its base. */
  readonly status: string;
  /** In the order of the manifest that was shown last. */
  readonly files: readonly ExportFile[];
  /** Seconds since the epoch. */
  readonly until: number;
}

/**
 * Where exports are remembered; one for all instances. `@wardline/smart-auth` waits a second for it and refuses the
 * request (503) when it rejects.
 */
export interface ExportJobStore {
  /** Writes the job or its newer state; may be forgotten from `job.until` on, not before. */
  save(job: ExportJob): Promise<void>;
  /**
   * Writes the newer state of a job that is there, and gives `false` for one that is not: it was cancelled while its server was asked.
   * Without it `load` is asked and then `save`, between which a cancel can come.
   */
  update?(job: ExportJob): Promise<boolean>;
  load(id: string): Promise<ExportJob | undefined>;
  /** From then on `load` gives nothing, on every instance. */
  remove(id: string): Promise<void>;
}

/** The same client acting for the same user: a job is nobody else's. */
export function ownerOf({ issuer, subject, clientId = "", tenant = "" }: Principal): string {
  return createHash("sha256")
    .update(JSON.stringify([issuer, subject, clientId, tenant]))
    .digest("base64url");
}

/** What is asked below `_export/`. */
export type JobRequest =
  | { readonly kind: "status" | "cancel"; readonly id: string }
  | { readonly kind: "file"; readonly id: string; readonly at: number };

const PLACE = /^\/_export\/([A-Za-z0-9_-]{32})(?:\/(\d{1,5}))?$/;

export function readJobRequest(method: string, path: string): JobRequest | undefined {
  const [, id, at] = PLACE.exec(path) ?? [];
  if (id === undefined) return undefined;
  if (method === "GET") return at === undefined ? { kind: "status", id } : { kind: "file", id, at: Number(at) };
  return method === "DELETE" && at === undefined ? { kind: "cancel", id } : undefined;
}
