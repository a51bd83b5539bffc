import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import { MAX_LINE_BYTES } from "./read-lines.ts";
import { INSTANCE_NAME } from "./segments.ts";

export interface LedgerOptions {
  /** Folder of the segment files; made when it is missing. One ledger, one folder, one process. */
  readonly folder: string;
  /**
   * Name of this edge among its siblings: lower-case letters, digits and hyphens, at most 64. It is part of the file
   * names and of the first entry's link. Default `edge`.
   */
  readonly instance?: string;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** A file that has reached this size is followed by a new one. Default 64 MiB, at least 1 KiB. */
  readonly segmentBytes?: number;
  /** Bytes accepted and not yet on disk, at most. Default 16 MiB, 1 KiB to 64 MiB. */
  readonly queueBytes?: number;
  /** How long `close` waits for what was accepted. Default 10 000. */
  readonly closeDeadlineMs?: number;
}

export type ParsedLedgerOptions = Required<LedgerOptions>;

const KNOWN = ["folder", "instance", "now", "segmentBytes", "queueBytes", "closeDeadlineMs"];
const KIB = 1024;
const MIB = 1024 * KIB;

export function parseLedgerOptions(options: LedgerOptions): ParsedLedgerOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const {
    folder,
    instance = "edge",
    now = Date.now,
    segmentBytes = 64 * MIB,
    queueBytes = 16 * MIB,
    closeDeadlineMs = 10_000,
  } = options;
  if (typeof folder !== "string" || folder === "") found.add("folder", "required", "name the ledger's folder");
  if (typeof instance !== "string" || !INSTANCE_NAME.test(instance)) {
    found.add("instance", "malformed", "use 1 to 64 lower-case letters, digits and hyphens");
  }
  if (typeof now !== "function") found.add("now", "not-a-function", "give a function returning milliseconds");
  checkInteger(found, "segmentBytes", segmentBytes, KIB, Number.MAX_SAFE_INTEGER);
  checkInteger(found, "queueBytes", queueBytes, KIB, MAX_LINE_BYTES);
  checkInteger(found, "closeDeadlineMs", closeDeadlineMs, 1, 600_000);
  found.throwIfAny("openLedger()");
  return Object.freeze({ folder, instance, now, segmentBytes, queueBytes, closeDeadlineMs });
}

export function checkInteger(found: Findings, path: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  found.add(path, "out-of-range", `give a whole number from ${min} to ${max}`);
}
