import type { AccessRecord, TrustZone } from "@wardline/policy-types";
import type { Pseudonyms } from "./pseudonym.ts";

/** Where an address is, in degrees. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/**
 * How a request ended, as a watchman sees it. `missing`: there is no such thing. `token-refused`: a token that is not
 * valid. `login-refused`: credentials that are not.
 */
export type Ending = "served" | "missing" | "forbidden" | "anonymous" | "token-refused" | "login-refused" | "other";

/**
 * One finished request as the detectors see it: keyed hashes in place of every name, so that what is kept in memory,
 * shared through Redis or told in an alert names nobody.
 */
export interface Sighting {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly requestId: string;
  readonly address: string | undefined;
  readonly client: string | undefined;
  /** Nothing proves that it is this client: its name came with a login that failed. */
  readonly clientClaimed: boolean;
  readonly subject: string | undefined;
  /** The name of a login that failed. */
  readonly claimed: string | undefined;
  /** The client acts for itself: no person is behind it. */
  readonly system: boolean;
  readonly zone: TrustZone | undefined;
  readonly apiType: string | undefined;
  /** Whom the caller is compared with: the same zone, kind and first role. */
  readonly peers: string | undefined;
  readonly ending: Ending;
  /** Patients whose data were sent. */
  readonly patients: readonly number[];
  /** The patient the request named, and the one whose number comes next when the id ends in digits. */
  readonly named: { readonly id: number; readonly after: number | undefined } | undefined;
  /** What else than a patient the request named. */
  readonly resource: number | undefined;
  /** The combination of type, interaction and operation that was refused. */
  readonly asked: number | undefined;
  readonly bytes: number;
  readonly export: "full" | "since" | undefined;
  /** An operation that was refused; its name is not known then. */
  readonly operationRefused: boolean;
  readonly breakGlass: boolean;
  /** What perimeter noticed, without `signal:`. */
  readonly signals: readonly string[];
  readonly position: Position | undefined;
}

export interface SightingFacts {
  readonly pseudonyms: Pseudonyms;
  /** Bits of an IPv6 address that name one subscriber. */
  readonly addressKey: (address: string) => string;
  readonly locate?: (address: string) => Position | undefined;
}

/** Reads a finished request. Keeps no name in clear. */
export function sightingOf(record: AccessRecord, { pseudonyms, addressKey, locate }: SightingFacts): Sighting {
  const { principal, zone } = record;
  const address = record.forwardedAddress ?? record.peerAddress;
  const ending = endingOf(record);
  const system =
    principal !== undefined && (principal.subject === principal.clientId || principal.device !== undefined);
  const isPerson = principal !== undefined && !system;
  const { client, subject } = callerOf(principal, pseudonyms);
  const named = patientNamed(record, pseudonyms);
  // Every field, in one order: spreading optional ones costs more than all the rest.
  return {
    at: record.receivedAt,
    requestId: record.requestId,
    address: address === undefined ? undefined : pseudonyms.name("address", "", addressKey(address)),
    client,
    clientClaimed: false,
    subject,
    claimed: undefined,
    system,
    zone,
    apiType: record.apiType,
    peers:
      principal === undefined
        ? undefined
        : `${zone ?? "-"} ${system ? "system" : "person"} ${principal.roles[0] ?? "-"}`,
    ending,
    patients: ending === "served" ? numbersOf(record, named, pseudonyms) : NOBODY,
    named: ending === "other" ? undefined : named,
    resource:
      record.resource === undefined || named !== undefined ? undefined : pseudonyms.number("resource", record.resource),
    asked: ending === "forbidden" ? combinationOf(record, pseudonyms) : undefined,
    bytes: record.responseBytes ?? 0,
    export: record.operation === "export" && ending === "served" ? exportKind(record) : undefined,
    operationRefused: record.interaction === "operation" && ending === "forbidden",
    breakGlass: isBreakGlass(record),
    signals: signalsOf(record),
    position: isPerson && address !== undefined ? located(locate, address) : undefined,
  };
}

const NOBODY: readonly number[] = Object.freeze([]);
export const NO_SIGNALS: readonly string[] = Object.freeze([]);

/** Pseudonyms of a proven caller. */
export function callerOf(
  principal: AccessRecord["principal"],
  pseudonyms: Pseudonyms,
): { readonly client: string | undefined; readonly subject: string | undefined } {
  if (principal === undefined) return NO_CALLER;
  const { issuer, subject, clientId } = principal;
  return {
    subject: pseudonyms.name("subject", issuer, subject),
    client: clientId === undefined ? undefined : pseudonyms.name("client", issuer, clientId),
  };
}

const NO_CALLER = Object.freeze({ client: undefined, subject: undefined });

/** Mostly the one patient that was named: hashed once. */
function numbersOf(
  { patients, resource }: AccessRecord,
  named: Sighting["named"],
  pseudonyms: Pseudonyms,
): readonly number[] {
  const [first] = patients;
  if (named !== undefined && patients.length === 1 && resource === `Patient/${first}`) return [named.id];
  return patients.map((id) => pseudonyms.number("patient", id));
}

function combinationOf({ interaction, operation, resourceType }: AccessRecord, pseudonyms: Pseudonyms): number {
  return pseudonyms.number("asked", `${interaction} ${operation ?? ""} ${resourceType ?? ""}`);
}

/** @see https://terminology.hl7.org/CodeSystem-v3-ActReason.html code BTG */
export function isBreakGlass({ principal, decisions }: BreakGlassFacts): boolean {
  if (principal?.purposeOfUse.includes("BTG") === true) return true;
  return decisions.some(({ control, because }) => control === "smart-auth" && because.includes("break-glass"));
}

/** A record, or the context of a request under way. */
interface BreakGlassFacts extends Pick<AccessRecord, "decisions"> {
  readonly principal?: { readonly purposeOfUse: readonly string[] };
}

function endingOf({ status, problem, outcome }: AccessRecord): Ending {
  if (status === 401) return problem === "smart-auth/credentials-missing" ? "anonymous" : refusedLogin(problem);
  if (status === 404 || status === 410) return "missing";
  if (status === 403) return "forbidden";
  return outcome === "permit" && status < 400 ? "served" : "other";
}

/** A 401 that smart-auth or this package did not write is a login endpoint's. */
function refusedLogin(problem: string | undefined): Ending {
  if (problem === undefined) return "login-refused";
  return problem.startsWith("smart-auth/") ? "token-refused" : "other";
}

/** A number in the id may be one of a row: its successor is hashed with it, because hashes have none. */
function patientNamed({ resource, resourceType }: AccessRecord, pseudonyms: Pseudonyms): Sighting["named"] {
  if (resourceType !== "Patient" || resource === undefined) return undefined;
  const id = resource.slice("Patient/".length);
  const after = successorOf(id);
  return {
    id: pseudonyms.number("patient", id),
    after: after === undefined ? undefined : pseudonyms.number("patient", after),
  };
}

/** `p-0099` is followed by `p-0100`. */
function successorOf(id: string): string | undefined {
  let from = id.length;
  while (from > 0 && id.length - from < LONGEST_NUMBER && isDigit(id.charCodeAt(from - 1))) from--;
  if (from === id.length) return undefined;
  return id.slice(0, from) + String(Number(id.slice(from)) + 1).padStart(id.length - from, "0");
}

const LONGEST_NUMBER = 15;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function exportKind({ parameters }: AccessRecord): "full" | "since" {
  return parameters.includes("_since") ? "since" : "full";
}

/**
 * What an app leaves out of its requests says nothing of a caller that is known and was permitted: it is that app's way,
 * in each of its requests.
 */
export function signalsOf({ decisions, principal, outcome }: AccessRecord): readonly string[] {
  const isTrusted = principal !== undefined && outcome === "permit";
  let found: string[] | undefined;
  for (const { control, because } of decisions) {
    if (control !== "perimeter") continue;
    for (const reason of because) {
      if (!reason.startsWith(SIGNAL)) continue;
      const signal = reason.slice(SIGNAL.length);
      if (isTrusted && ABSENT_HEADERS.has(signal)) continue;
      found ??= [];
      found.push(signal);
    }
  }
  return found ?? NO_SIGNALS;
}
const SIGNAL = "signal:";

/** Signals of perimeter for headers that were not sent: many honest programs send none. */
export const ABSENT_HEADERS: ReadonlySet<string> = new Set(["no-user-agent", "no-accept"]);

/** A hook that throws, or answers with what is no place on Earth, knows nothing. */
function located(locate: SightingFacts["locate"], address: string): Position | undefined {
  if (locate === undefined) return undefined;
  try {
    const found = locate(address);
    if (found === undefined) return undefined;
    const { latitude, longitude } = found;
    return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined;
  } catch {
    return undefined;
  }
}
