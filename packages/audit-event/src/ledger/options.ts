import { type Findings, findings, type KeyProvider, refuseUnknownKeys } from "@wardline/policy-types";
import type { CheckpointSigner } from "../merkle/signer.ts";
import { MAX_LINE_BYTES } from "./read-lines.ts";
import { INSTANCE_NAME } from "./segments.ts";

export interface LedgerOptions {
  /** Folder of the segment files; made when it is missing. One ledger, one folder, one process. */
  readonly folder: string;
  /**
   * Name of this edge among its siblings: lower-case letters, digits and hyphens, at most 64. It is part of the file
   * names, of the first entry's link and of the checkpoints' origin. Default `edge`.
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
  /**
   * After a failed write, the first attempt to go on comes so many milliseconds later, each further one after twice as
   * long, up to a minute. 0: never; the ledger stays failed until it is reopened. Default 1000.
   */
  readonly healAfterMs?: number;
  /** Signs checkpoints. Without one, whoever can write the files can write another history. Default none. */
  readonly signer?: CheckpointSigner;
  /** A checkpoint is signed at most so long after an entry, in milliseconds. Default 60 000. */
  readonly checkpointEveryMs?: number;
  /** And when so many entries have come since the last. Default 10 000. */
  readonly checkpointEveryEntries?: number;
  /**
   * Takes each checkpoint to where the writer of these files cannot change it: `postCheckpoint(url)`, an object store
   * that locks, a second party. Never in the way of an append; a failure shows in `state()` and is tried again.
   */
  readonly onCheckpoint?: (note: string) => Promise<void>;
  /** Encrypts the events at rest, with a key for each file. Default none: they are stored as they are. */
  readonly encryption?: KeyProvider;
  /**
   * Files all of whose entries are older are removed, if a `signer` vouches for what remains. Default 2192 days: six
   * years (45 CFR 164.316(b)(2)(i)).
   */
  readonly retention?: { readonly days: number } | "forever";
  /**
   * What opening verifies. Default `last-file`: from where the last file begins, which the signer's checkpoint there vouches
   * for. `everything` takes longer as the ledger grows.
   */
  readonly verifyAtStart?: "last-file" | "everything";
  /**
   * The place that `audit-event/ledger-hole` has named, `<file>:<line>`: everything from there on is put aside in a `.torn`
   * file, and the ledger goes on before it. For people who have looked. Default none.
   */
  readonly putAside?: string;
}

type Optional = "signer" | "onCheckpoint" | "encryption" | "putAside";
export type ParsedLedgerOptions = Required<Omit<LedgerOptions, Optional>> & {
  readonly [Name in Optional]: LedgerOptions[Name] | undefined;
};

const KNOWN = [
  "folder",
  "instance",
  "now",
  "segmentBytes",
  "queueBytes",
  "closeDeadlineMs",
  "healAfterMs",
  "signer",
  "checkpointEveryMs",
  "checkpointEveryEntries",
  "onCheckpoint",
  "encryption",
  "retention",
  "verifyAtStart",
  "putAside",
];
const KIB = 1024;
const MIB = 1024 * KIB;

export function parseLedgerOptions(options: LedgerOptions): ParsedLedgerOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const parsed: ParsedLedgerOptions = {
    folder: options.folder,
    instance: options.instance ?? "edge",
    now: options.now ?? Date.now,
    segmentBytes: options.segmentBytes ?? 64 * MIB,
    queueBytes: options.queueBytes ?? 16 * MIB,
    closeDeadlineMs: options.closeDeadlineMs ?? 10_000,
    healAfterMs: options.healAfterMs ?? 1000,
    signer: options.signer,
    checkpointEveryMs: options.checkpointEveryMs ?? 60_000,
    checkpointEveryEntries: options.checkpointEveryEntries ?? 10_000,
    onCheckpoint: options.onCheckpoint,
    encryption: options.encryption,
    retention: options.retention ?? { days: 2192 },
    verifyAtStart: options.verifyAtStart ?? "last-file",
    putAside: options.putAside,
  };
  const { folder, instance, now } = parsed;
  if (typeof folder !== "string" || folder === "") found.add("folder", "required", "name the ledger's folder");
  if (typeof instance !== "string" || !INSTANCE_NAME.test(instance)) {
    found.add("instance", "malformed", "use 1 to 64 lower-case letters, digits and hyphens");
  }
  if (typeof now !== "function") found.add("now", "not-a-function", "give a function returning milliseconds");
  checkInteger(found, "segmentBytes", parsed.segmentBytes, KIB, Number.MAX_SAFE_INTEGER);
  checkInteger(found, "queueBytes", parsed.queueBytes, KIB, MAX_LINE_BYTES);
  checkInteger(found, "closeDeadlineMs", parsed.closeDeadlineMs, 1, 600_000);
  checkInteger(found, "healAfterMs", parsed.healAfterMs, 0, 600_000);
  checkCheckpoints(found, parsed);
  checkKeeping(found, parsed);
  found.throwIfAny("openLedger()");
  return Object.freeze(parsed);
}

function checkCheckpoints(found: Findings, options: ParsedLedgerOptions): void {
  const { signer, onCheckpoint } = options;
  if (signer !== undefined && (typeof signer?.sign !== "function" || typeof signer.name !== "string")) {
    found.add("signer", "not-a-signer", "give what checkpointSigner() returns");
  }
  if (onCheckpoint !== undefined && typeof onCheckpoint !== "function") {
    found.add("onCheckpoint", "not-a-function", "give a function that takes a note");
  }
  if (onCheckpoint !== undefined && signer === undefined) {
    found.add("onCheckpoint", "needs-signer", "give a signer too: without one there are no checkpoints");
  }
  checkInteger(found, "checkpointEveryMs", options.checkpointEveryMs, 1, 86_400_000);
  checkInteger(found, "checkpointEveryEntries", options.checkpointEveryEntries, 1, Number.MAX_SAFE_INTEGER);
}

function checkKeeping(found: Findings, options: ParsedLedgerOptions): void {
  const { encryption, retention, verifyAtStart, putAside } = options;
  if (verifyAtStart !== "last-file" && verifyAtStart !== "everything") {
    found.add("verifyAtStart", "unknown", 'give "last-file" or "everything"');
  }
  if (putAside !== undefined && (typeof putAside !== "string" || !PLACE.test(putAside))) {
    found.add("putAside", "malformed", "give the place that the refusal names: <file>:<line>");
  }
  if (encryption !== undefined && typeof encryption?.generateDataKey !== "function") {
    found.add("encryption", "not-a-key-provider", "give a KeyProvider, such as what localKeyRing() resolves to");
  }
  if (retention === "forever") return;
  if (typeof retention !== "object") {
    found.add("retention", "malformed", 'give { days } or "forever"');
    return;
  }
  refuseUnknownKeys(found, retention, ["days"], "retention");
  checkInteger(found, "retention.days", retention.days, 1, 365_000);
}

export function checkInteger(found: Findings, path: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  found.add(path, "out-of-range", `give a whole number from ${min} to ${max}`);
}

const PLACE = /^[a-z0-9-]{1,64}\.\d{16}\.jsonl:[1-9]\d{0,15}$/;
