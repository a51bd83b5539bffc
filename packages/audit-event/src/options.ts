import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import type { OperationalLogger } from "./access-log.ts";
import type { AuditSource } from "./balp/source.ts";
import { checkInteger } from "./ledger/options.ts";
import type { Ledger } from "./ledger.ts";

/** The log became unable to record, or able again. Told once per change. */
export interface AuditDegradation {
  readonly kind: "degraded" | "recovered";
  /** What failed first: the ledger's error code, or `audit-event/append-timeout`. */
  readonly code: string;
  /** Events whose record is missing or in doubt since the change. */
  readonly unrecorded: number;
}

export interface AuditEventOptions {
  /** Where the events go: what `openLedger` gave, or another store that keeps the same contract. */
  readonly ledger: Ledger;
  /** Who the events say wrote them. */
  readonly source: AuditSource;
  /**
   * `before-response`: no byte of an answer is sent before its record is on disk (F9). `async`: one record when the
   * answer has ended; a crash loses the records of answers already sent. Default `before-response`.
   */
  readonly durability?: "before-response" | "async";
  /**
   * What a request sees when the ledger cannot record it. `refuse`: 503. `continue`: the answer goes out WITHOUT a
   * record, and nobody can tell afterwards who saw what; such an access is a breach that cannot even be reported.
   * Default `refuse`.
   */
  readonly onFailure?: "refuse" | "continue";
  /** How long an answer waits for its record, in milliseconds (F1). Default 2000. */
  readonly appendDeadlineMs?: number;
  /** Default: a process warning. May not throw. */
  readonly onDegraded?: (change: AuditDegradation) => void;
  /** Takes one line for each request, without PHI: a `winston` logger, or anything with its `log`. */
  readonly logger?: OperationalLogger;
}

type Optional = "logger";
export type ParsedOptions = Required<Omit<AuditEventOptions, Optional>> & Pick<AuditEventOptions, Optional>;

const KNOWN = ["ledger", "source", "durability", "onFailure", "appendDeadlineMs", "onDegraded", "logger"];

export function parseOptions(options: AuditEventOptions): ParsedOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const {
    ledger,
    source,
    durability = "before-response",
    onFailure = "refuse",
    appendDeadlineMs = 2000,
    onDegraded = warn,
    logger,
  } = options;
  const given = ledger as Partial<Ledger> | undefined;
  if (typeof given?.append !== "function" || typeof given.state !== "function") {
    found.add("ledger", "required", "give what openLedger resolves to");
  }
  const { observer, site, address, ...rest } = (source ?? {}) as AuditSource;
  if (typeof observer !== "string" || observer === "") found.add("source.observer", "required", "name this edge");
  for (const [name, value] of Object.entries({ site, address })) {
    if (value !== undefined && (typeof value !== "string" || value === "")) {
      found.add(`source.${name}`, "malformed", "give a text that is not empty, or leave it out");
    }
  }
  refuseUnknownKeys(found, rest, ["observer", "site", "address"], "source");
  if (!["before-response", "async"].includes(durability)) {
    found.add("durability", "unknown-value", "use before-response or async");
  }
  if (!["refuse", "continue"].includes(onFailure)) found.add("onFailure", "unknown-value", "use refuse or continue");
  checkInteger(found, "appendDeadlineMs", appendDeadlineMs, 1, 60_000);
  if (typeof onDegraded !== "function") found.add("onDegraded", "not-a-function", "give a function");
  if (logger !== undefined && typeof logger.log !== "function") {
    found.add("logger", "not-a-logger", "give an object with a log method, such as a winston logger");
  }
  found.throwIfAny("auditEvent()");
  return Object.freeze({
    ledger,
    source: Object.freeze({ ...source }),
    durability,
    onFailure,
    appendDeadlineMs,
    onDegraded,
    ...(logger === undefined ? {} : { logger }),
  });
}

function warn({ kind, code, unrecorded }: AuditDegradation): void {
  const told = kind === "degraded" ? "cannot record accesses" : `records accesses again, ${unrecorded} in doubt`;
  process.emitWarning(`the audit log ${told} (${code})`, { code: "WARDLINE_AUDIT_DEGRADED" });
}
