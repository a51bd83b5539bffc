import { hostname } from "node:os";
import { type Findings, findings, refuseUnknownKeys, TRUST_ZONES } from "@wardline/policy-types";
import type { OperationalLogger } from "./access-log.ts";
import type { GeoReader } from "./balp/geo.ts";
import { createNaming, type IdentifierPolicy, type NamingFor, type PseudonymKey } from "./balp/naming.ts";
import type { AuditSource } from "./balp/source.ts";
import { checkInteger } from "./ledger/options.ts";
import type { Ledger } from "./ledger.ts";

/** The log became unable to record, or able again. Told once per change. */
export interface AuditDegradation {
  readonly kind: "degraded" | "recovered";
  /** What failed first: the ledger's error code, or `audit-event/append-timeout`. */
  readonly code: string;
  /** Why the ledger could not be opened, and what to do: for the operator. */
  readonly reason?: string;
  /** Events whose record is missing or in doubt since the change. */
  readonly unrecorded: number;
}

export interface AuditEventOptions {
  /**
   * Where the events go: a folder, which is opened here and closed by the handler's `close()`; or what `openLedger` gave,
   * or another store that keeps the same contract, which its owner closes.
   */
  readonly ledger: Ledger | string;
  /** Who the events say wrote them. Default the name of this host. */
  readonly source?: AuditSource;
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
  /** How long an answer, or what is no request, waits for its record, in milliseconds (F1). Default 2000. */
  readonly appendDeadlineMs?: number;
  /** Default: a process warning. May not throw. */
  readonly onDegraded?: (change: AuditDegradation) => void;
  /** Takes one line for each request, without PHI: a `winston` logger, or anything with its `log`. */
  readonly logger?: OperationalLogger;
  /**
   * How patients, resources, users and devices are named. `hashed`: HMAC-SHA-256 with `identifierKey`. By zone: zones
   * left out and requests in no zone are hashed. Default `clear`.
   */
  readonly identifiers?: IdentifierPolicy;
  /** Required for any `hashed`. */
  readonly identifierKey?: PseudonymKey;
  /** A reader of an `.mmdb` file, or the file's path. Country, state and network operator are recorded. Default none. */
  readonly geolocation?: GeoReader | string;
  /** Seconds between entries that only show that recording goes on; 0 for none. Default 300. */
  readonly heartbeatSeconds?: number;
}

type Optional = "logger" | "geolocation";
type Naming = "identifiers" | "identifierKey";
export type ParsedOptions = Required<Omit<AuditEventOptions, Optional | Naming>> &
  Pick<AuditEventOptions, Optional> & { readonly namingFor: NamingFor };

const KNOWN = [
  "ledger",
  "source",
  "durability",
  "onFailure",
  "appendDeadlineMs",
  "onDegraded",
  "logger",
  "identifiers",
  "identifierKey",
  "geolocation",
  "heartbeatSeconds",
];

export function parseOptions(options: AuditEventOptions): ParsedOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const {
    ledger,
    source = { observer: hostname() },
    durability = "before-response",
    onFailure = "refuse",
    appendDeadlineMs = 2000,
    onDegraded = warn,
    logger,
    identifiers,
    identifierKey,
    geolocation,
    heartbeatSeconds = 300,
  } = options;
  checkLedger(found, ledger);
  checkSource(found, source);
  checkNaming(found, identifiers, identifierKey);
  if (!["before-response", "async"].includes(durability)) {
    found.add("durability", "unknown-value", "use before-response or async");
  }
  if (!["refuse", "continue"].includes(onFailure)) found.add("onFailure", "unknown-value", "use refuse or continue");
  checkInteger(found, "appendDeadlineMs", appendDeadlineMs, 1, 60_000);
  checkInteger(found, "heartbeatSeconds", heartbeatSeconds, 0, 86_400);
  if (typeof onDegraded !== "function") found.add("onDegraded", "not-a-function", "give a function");
  if (logger !== undefined && typeof logger?.log !== "function") {
    found.add("logger", "not-a-logger", "give an object with a log method, such as a winston logger");
  }
  if (geolocation !== undefined && !isGeolocation(geolocation)) {
    found.add("geolocation", "malformed", "give the path of an .mmdb file or an object with a get method");
  }
  found.throwIfAny("auditEvent()");
  return Object.freeze({
    ledger,
    source: Object.freeze({ ...source }),
    durability,
    onFailure,
    appendDeadlineMs,
    onDegraded,
    heartbeatSeconds,
    namingFor: createNaming(identifiers, identifierKey),
    ...(logger === undefined ? {} : { logger }),
    ...(geolocation === undefined ? {} : { geolocation }),
  });
}

function checkLedger(found: Findings, ledger: AuditEventOptions["ledger"]): void {
  if (typeof ledger === "string" && ledger !== "") return;
  const store = ledger as Partial<Ledger> | undefined;
  if (typeof store?.append === "function" && typeof store.state === "function") return;
  found.add("ledger", "required", "give a folder, or what openLedger resolves to");
}

function checkSource(found: Findings, source: AuditSource): void {
  const { observer, site, address, ...rest } = (source ?? {}) as AuditSource;
  if (typeof observer !== "string" || observer === "") found.add("source.observer", "required", "name this edge");
  for (const [name, value] of Object.entries({ site, address })) {
    if (value !== undefined && (typeof value !== "string" || value === "")) {
      found.add(`source.${name}`, "malformed", "give a text that is not empty, or leave it out");
    }
  }
  refuseUnknownKeys(found, rest, ["observer", "site", "address"], "source");
}

function checkNaming(found: Findings, identifiers: IdentifierPolicy | undefined, key: PseudonymKey | undefined): void {
  const forms = typeof identifiers === "object" && identifiers !== null ? identifiers : {};
  refuseUnknownKeys(found, forms, TRUST_ZONES, "identifiers");
  const isForm = (form: unknown): boolean => form === "clear" || form === "hashed";
  const known = isForm(identifiers) || (forms === identifiers && Object.values(forms).every(isForm));
  if (identifiers !== undefined && !known) {
    found.add("identifiers", "unknown-value", "use clear or hashed, for all or for each zone");
  }
  if (identifiers !== undefined && identifiers !== "clear" && key === undefined) {
    found.add("identifierKey", "required", "give a key for hashed identifiers");
  }
  if (key === undefined) return;
  if (typeof key?.id !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(key.id)) {
    found.add("identifierKey.id", "malformed", "use 1 to 64 letters, digits, hyphens or underscores");
  }
  if (!(key?.key instanceof Uint8Array) || key.key.length < 32) {
    found.add("identifierKey.key", "too-short", "give at least 32 random bytes");
  }
}

function isGeolocation(given: GeoReader | string): boolean {
  return typeof given === "string" ? given !== "" : typeof (given as Partial<GeoReader> | null)?.get === "function";
}

function warn({ kind, code, unrecorded, reason }: AuditDegradation): void {
  const told = kind === "degraded" ? "cannot record accesses" : `records accesses again, ${unrecorded} in doubt`;
  const why = reason === undefined ? code : `${code}: ${reason}`;
  process.emitWarning(`the audit log ${told} (${why})`, { code: "WARDLINE_AUDIT_DEGRADED" });
}
