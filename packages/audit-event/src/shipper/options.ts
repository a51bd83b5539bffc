import { findings, type KeyProvider, refuseUnknownKeys } from "@wardline/policy-types";
import { checkInteger } from "../ledger/options.ts";
import { type LedgerEntry, readLedger } from "../ledger/read.ts";
import type { Sink, SinkLimits } from "./sink.ts";

export interface ShipOptions {
  /** The ledger's folder. */
  readonly folder: string;
  /** Where the cursors are kept. One shipper for each such folder; it must survive a restart. */
  readonly cursorFolder: string;
  /** The receivers; each has a queue and a cursor of its own. */
  readonly sinks: readonly Sink[];
  /** How often the ledger is looked at for new entries, in milliseconds. Default 1000. */
  readonly intervalMs?: number;
  /** Wait after a first failure, in milliseconds; it doubles with each further one, with jitter. Default 500. */
  readonly firstRetryMs?: number;
  /** The longest wait between attempts. Default 60 000. A receiver may ask for up to an hour. */
  readonly lastRetryMs?: number;
  /** How long `close` takes at most, in milliseconds. Default 10 000. */
  readonly closeDeadlineMs?: number;
  /** Told once when a sink fails and once when it works again. Default a process warning. May not throw. */
  readonly onChange?: (change: SinkChange) => void;
  /** Opens events that were encrypted. What is delivered is then in clear: the receiver has to protect it. */
  readonly encryption?: KeyProvider;
  /** Reads the ledger, in place of `readLedger`: entries in order, from `fromSeq` or before it. */
  readonly read?: (fromSeq: number) => AsyncIterable<LedgerEntry>;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

/** A sink began to fail, works again, will never take one entry, or came too late for some that have expired. */
export interface SinkChange {
  readonly sink: string;
  readonly kind: "failing" | "recovered" | "rejected" | "missed";
  /** Why it fails or failed: `audit-event/sink-unreachable`. */
  readonly code: string;
  /** The entry, for `rejected`; the first of them, for `missed`. */
  readonly seq?: number;
}

export type ParsedShipOptions = Required<Omit<ShipOptions, "folder" | "encryption">>;

const KNOWN = [
  "folder",
  "cursorFolder",
  "sinks",
  "intervalMs",
  "firstRetryMs",
  "lastRetryMs",
  "closeDeadlineMs",
  "onChange",
  "encryption",
  "read",
  "now",
];
const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;
const SINK_NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;

export const DEFAULT_LIMITS: SinkLimits = Object.freeze({ deadlineMs: 10_000, batchEntries: 500, batchBytes: MIB });

export function parseShipOptions(options: ShipOptions): ParsedShipOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const {
    folder,
    cursorFolder,
    sinks,
    intervalMs = 1000,
    firstRetryMs = 500,
    lastRetryMs = 60_000,
    closeDeadlineMs = 10_000,
    onChange = warn,
    encryption,
    read = (from) => readLedger(folder, { from, ...(encryption === undefined ? {} : { encryption }) }),
    now = Date.now,
  } = options;
  for (const [name, value] of Object.entries({ folder, cursorFolder })) {
    if (typeof value !== "string" || value === "") found.add(name, "required", "name a folder");
  }
  checkInteger(found, "intervalMs", intervalMs, 1, HOUR_MS);
  checkInteger(found, "firstRetryMs", firstRetryMs, 1, HOUR_MS);
  checkInteger(found, "lastRetryMs", lastRetryMs, 1, HOUR_MS);
  checkInteger(found, "closeDeadlineMs", closeDeadlineMs, 1, 600_000);
  if (firstRetryMs > lastRetryMs) found.add("lastRetryMs", "out-of-range", "give at least firstRetryMs");
  if (!Array.isArray(sinks) || sinks.length === 0) found.add("sinks", "required", "give at least one sink");
  const names = new Set<string>();
  for (const [index, sink] of (Array.isArray(sinks) ? (sinks as readonly Sink[]) : []).entries()) {
    const path = `sinks[${index}]`;
    if (typeof sink?.send !== "function" || !SINK_NAME.test(sink.name)) {
      found.add(
        path,
        "malformed",
        "give a sink with a send method and a name of lower-case letters, digits and hyphens",
      );
      continue;
    }
    if (names.has(sink.name)) found.add(`${path}.name`, "duplicate", "give each sink a name of its own");
    names.add(sink.name);
    const limits = { ...DEFAULT_LIMITS, ...sink.limits };
    checkInteger(found, `${path}.limits.deadlineMs`, limits.deadlineMs, 1, HOUR_MS);
    checkInteger(found, `${path}.limits.batchEntries`, limits.batchEntries, 1, 10_000);
    checkInteger(found, `${path}.limits.batchBytes`, limits.batchBytes, 1, 64 * MIB);
  }
  found.throwIfAny("shipLedger()");
  return Object.freeze({
    cursorFolder,
    sinks: Object.freeze([...sinks]),
    intervalMs,
    firstRetryMs,
    lastRetryMs,
    closeDeadlineMs,
    onChange,
    read,
    now,
  });
}

function warn({ sink, kind, code, seq }: SinkChange): void {
  const what = {
    failing: "does not deliver",
    recovered: "delivers again",
    rejected: `refuses entry ${seq ?? ""}`,
    missed: `was not given entry ${seq ?? ""} and others`,
  };
  process.emitWarning(`the audit sink ${sink} ${what[kind]} (${code})`, { code: "WARDLINE_AUDIT_SINK" });
}
