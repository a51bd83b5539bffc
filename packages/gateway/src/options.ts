import type { ObservePasOptions } from "@wardline/api-inventory";
import type { AccessRecord } from "@wardline/policy-types";
import { ConfigurationError, type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import type { AuditDependencies } from "./audit.ts";
import type { AuthDependencies } from "./auth-dependencies.ts";
import type { SpanSource } from "./controls/tracing.ts";
import type { GatewayEvent } from "./events.ts";
import type { Place } from "./policy/place.ts";
import { readSecret, type SecretProvider, type SecretReference } from "./policy/secrets.ts";
import type { PolicySignature } from "./policy/signature.ts";
import type { ResolveSrv } from "./proxy/discover.ts";

/** What the gateway takes from outside instead of reaching for it. */
export interface GatewayDependencies {
  /** Default: one JSON line on standard error. */
  readonly onEvent?: (event: GatewayEvent) => void;
  /** Sees every finished request, once. */
  readonly onRecord?: (record: AccessRecord) => void;
  /** For issuers' documents and key sets. Default the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** How long `close()` waits for answers in work, in milliseconds. Default 10000. */
  readonly drainMs?: number;
  /** Who approved the policy. Needed unless the policy says `development`; where it is given, enough of them must have. */
  readonly signature?: PolicySignature;
  /** What this process does otherwise than the policy says: its ports, its name. Default nothing. */
  readonly place?: Place;
  /** Seconds between two comparisons of what runs with what was approved. Default 60. */
  readonly driftCheckSeconds?: number;
  /** Finds the servers of upstreams with `srv`, in place of DNS: a service registry of yours. */
  readonly resolveSrv?: ResolveSrv;
  /** Makes the spans of requests. Default the global one of @opentelemetry/api, where that is installed. */
  readonly tracerProvider?: SpanSource;
  /** Says of a ClaimResponse that its review was extended (CMS-0057-F), which PAS has no element for. Default: never. */
  readonly isExtendedReview?: NonNullable<ObservePasOptions["isExtended"]>;
  /** Finds the secrets a policy names as `provider:NAME`. Default none. */
  readonly secrets?: SecretProvider;
  /** Secrets and shared stores of authentication. Default: no introspection, no revocation list, DPoP in one process. */
  readonly auth?: AuthDependencies;
  /** Keys and receivers of the audit log. Default none: no signature, no encryption, no delivery. */
  readonly audit?: AuditDependencies;
}

type Optional = "isExtendedReview" | "onRecord" | "signature" | "tracerProvider" | "resolveSrv";
export type ParsedDependencies = Required<Omit<GatewayDependencies, Optional | "secrets">> &
  Pick<GatewayDependencies, Optional> & { readonly readSecret: (reference: SecretReference) => Promise<string> };

const KNOWN = [
  "onEvent",
  "onRecord",
  "fetch",
  "now",
  "drainMs",
  "signature",
  "place",
  "driftCheckSeconds",
  "tracerProvider",
  "resolveSrv",
  "isExtendedReview",
  "secrets",
  "auth",
  "audit",
] as const satisfies readonly (keyof GatewayDependencies)[];

export function parseDependencies(given: GatewayDependencies): ParsedDependencies {
  const found = findings();
  refuseUnknownKeys(found, given, KNOWN);
  const drainMs = given.drainMs ?? 10_000;
  if (!Number.isInteger(drainMs) || drainMs < 0) {
    found.add("drainMs", "range", "must be a whole number of milliseconds, 0 or more");
  }
  const driftCheckSeconds = given.driftCheckSeconds ?? 60;
  if (!Number.isInteger(driftCheckSeconds) || driftCheckSeconds < 1) {
    found.add("driftCheckSeconds", "range", "must be a whole number of seconds, 1 or more");
  }
  if (given.isExtendedReview !== undefined && typeof given.isExtendedReview !== "function") {
    found.add("isExtendedReview", "not-a-function", "must be a function of a ClaimResponse");
  }
  const place = given.place ?? {};
  checkPlace(place, found);
  found.throwIfAny("createGateway's second argument");
  const onEvent = tellingAnyway(given.onEvent ?? writeLine);
  return Object.freeze({
    onEvent,
    ...(given.onRecord === undefined ? {} : { onRecord: outlasting(given.onRecord, onEvent) }),
    fetch: given.fetch ?? globalThis.fetch,
    now: given.now ?? Date.now,
    drainMs,
    place: Object.freeze({ ...place }),
    driftCheckSeconds,
    readSecret: (reference) =>
      readSecret(reference, {
        environment: process.env,
        ...(given.secrets === undefined ? {} : { provider: given.secrets }),
      }),
    ...(given.signature === undefined ? {} : { signature: given.signature }),
    ...(given.resolveSrv === undefined ? {} : { resolveSrv: given.resolveSrv }),
    ...(given.isExtendedReview === undefined ? {} : { isExtendedReview: given.isExtendedReview }),
    ...(given.tracerProvider === undefined ? {} : { tracerProvider: given.tracerProvider }),
    auth: given.auth ?? {},
    audit: given.audit ?? {},
  });
}

function checkPlace(place: Place, found: Findings): void {
  refuseUnknownKeys(found, place, ["port", "adminPort", "instance"], "place");
  for (const name of ["port", "adminPort"] as const) {
    const port = place[name] ?? 0;
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      found.add(`place.${name}`, "range", "must be a port, 0 to 65535");
    }
  }
}

/** A listener that fails would keep a reload from ending, and every later one. What it was told is told all the same (F12). */
function tellingAnyway(onEvent: ParsedDependencies["onEvent"]): ParsedDependencies["onEvent"] {
  return function tellAnyway(event) {
    try {
      onEvent(event);
    } catch {
      writeLine(event);
    }
  };
}

/** What a listener makes of a finished request is nothing the process should end of. */
function outlasting(
  onRecord: NonNullable<GatewayDependencies["onRecord"]>,
  onEvent: ParsedDependencies["onEvent"],
): NonNullable<GatewayDependencies["onRecord"]> {
  return function outlast(record) {
    try {
      onRecord(record);
    } catch (error) {
      const message = "a listener to finished requests failed";
      onEvent({ level: "error", code: "gateway/listener-failed", message, error });
    }
  };
}

/** S14: JSON escapes control characters; of an error only what the runtime named it. */
function writeLine({ error, ...event }: GatewayEvent): void {
  const cause =
    error instanceof Error
      ? { error: error.name, ...("code" in error ? { errorCode: error.code } : {}), ...mistakesOf(error) }
      : {};
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), ...event, ...cause })}\n`);
}

/** Whoever wrote the policy is not there when it is refused at night; what is wrong with it names no one and no secret. */
function mistakesOf(error: Error): { readonly mistakes?: readonly string[] } {
  if (!(error instanceof ConfigurationError)) return {};
  return {
    mistakes: error.issues.map(({ path, line, message }) =>
      [...(line === undefined ? [] : [`line ${line}`]), `${path === "" ? "(root)" : path}: ${message}`].join(", "),
    ),
  };
}
