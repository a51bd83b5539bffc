import type { AccessRecord, TrustZone } from "@wardline/policy-types";
import type { CallerKind, Pseudonyms } from "./pseudonym.ts";

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
  readonly address?: string;
  readonly client?: string;
  readonly subject?: string;
  /** The name of a login that failed. */
  readonly claimed?: string;
  /** The client acts for itself: no person is behind it. */
  readonly system: boolean;
  readonly zone?: TrustZone;
  readonly apiType?: string;
  /** Whom the caller is compared with: the same zone, kind and first role. */
  readonly peers?: string;
  readonly ending: Ending;
  /** Patients whose data were sent. */
  readonly patients: readonly number[];
  /** The patient the request named, and the numbers before and after when its id ends in digits. */
  readonly named?: { readonly id: number; readonly before?: number; readonly after?: number };
  readonly resource?: number;
  /** The combination of type, interaction and operation that was asked for. */
  readonly asked: number;
  readonly bytes: number;
  readonly export?: "full" | "since";
  /** An operation that was refused; its name is not known then. */
  readonly operationRefused: boolean;
  readonly breakGlass: boolean;
  /** What perimeter noticed, without `signal:`. */
  readonly signals: readonly string[];
  readonly position?: Position;
}

/** A login that was tried at a token endpoint or login page, which are not FHIR requests. */
export interface LoginAttempt {
  /** Milliseconds since the epoch. Default now. */
  readonly at?: number;
  readonly requestId?: string;
  readonly address?: string;
  readonly issuer: string;
  readonly clientId?: string;
  /** The name that was given, whether or not there is such a user. */
  readonly subject?: string;
  readonly succeeded: boolean;
}

export interface SightingFacts {
  readonly pseudonyms: Pseudonyms;
  /** Bits of an IPv6 address that name one subscriber. */
  readonly addressKey: (address: string) => string;
  readonly locate?: (address: string) => Position | undefined;
}

/** Reads a finished request. Keeps no name in clear. */
export function sightingOf(record: AccessRecord, { pseudonyms, addressKey, locate }: SightingFacts): Sighting {
  const { principal, zone, apiType } = record;
  const address = record.forwardedAddress ?? record.peerAddress;
  const ending = endingOf(record);
  const system =
    principal !== undefined && (principal.subject === principal.clientId || principal.device !== undefined);
  const position = principal === undefined || system || address === undefined ? undefined : located(locate, address);
  const named =
    ending === "served" || ending === "missing" || ending === "forbidden" ? patientNamed(record) : undefined;
  return {
    at: record.receivedAt,
    requestId: record.requestId,
    ...(address === undefined ? {} : { address: pseudonyms.name("address", "", addressKey(address)) }),
    ...callerOf(record, pseudonyms),
    system,
    ...(zone === undefined ? {} : { zone }),
    ...(apiType === undefined ? {} : { apiType }),
    ...(principal === undefined
      ? {}
      : { peers: `${zone ?? "-"} ${system ? "system" : "person"} ${principal.roles[0] ?? "-"}` }),
    ending,
    patients: ending === "served" ? record.patients.map((id) => pseudonyms.number("patient", id)) : NOBODY,
    ...(named === undefined ? {} : { named: neighbours(named, pseudonyms) }),
    ...(record.resource === undefined ? {} : { resource: pseudonyms.number("resource", record.resource) }),
    asked: pseudonyms.number("asked", `${record.interaction} ${record.operation ?? ""} ${record.resourceType ?? ""}`),
    bytes: record.responseBytes ?? 0,
    ...(record.operation === "export" && ending === "served" ? { export: exportKind(record) } : {}),
    operationRefused: record.interaction === "operation" && ending === "forbidden",
    breakGlass: isBreakGlass(record),
    signals: signalsOf(record),
    ...(position === undefined ? {} : { position }),
  };
}

export function sightingOfLogin(
  attempt: LoginAttempt & { readonly at: number; readonly requestId: string },
  { pseudonyms, addressKey }: SightingFacts,
): Sighting {
  const { address, issuer, clientId, subject, succeeded } = attempt;
  return {
    at: attempt.at,
    requestId: attempt.requestId,
    ...(address === undefined ? {} : { address: pseudonyms.name("address", "", addressKey(address)) }),
    ...(clientId === undefined ? {} : { client: pseudonyms.name("client", issuer, clientId) }),
    ...(subject === undefined ? {} : { claimed: pseudonyms.name("claimed", issuer, subject) }),
    system: false,
    ending: succeeded ? "served" : "login-refused",
    patients: NOBODY,
    asked: 0,
    bytes: 0,
    operationRefused: false,
    breakGlass: false,
    signals: NO_SIGNALS,
  };
}

const NOBODY: readonly number[] = Object.freeze([]);
const NO_SIGNALS: readonly string[] = Object.freeze([]);

/** Pseudonyms of a proven caller. */
export function callerOf(
  { principal }: Pick<AccessRecord, "principal">,
  pseudonyms: Pseudonyms,
): Partial<Record<Exclude<CallerKind, "address" | "claimed">, string>> {
  if (principal === undefined) return {};
  const { issuer, subject, clientId } = principal;
  return {
    subject: pseudonyms.name("subject", issuer, subject),
    ...(clientId === undefined ? {} : { client: pseudonyms.name("client", issuer, clientId) }),
  };
}

/** @see https://terminology.hl7.org/CodeSystem-v3-ActReason.html code BTG */
export function isBreakGlass({ principal, decisions }: Pick<AccessRecord, "principal" | "decisions">): boolean {
  if (principal?.purposeOfUse.includes("BTG") === true) return true;
  return decisions.some(({ control, because }) => control === "smart-auth" && because.includes("break-glass"));
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

function patientNamed({ resource, resourceType }: AccessRecord): string | undefined {
  return resourceType === "Patient" && resource !== undefined ? resource.slice("Patient/".length) : undefined;
}

function neighbours(id: string, pseudonyms: Pseudonyms): NonNullable<Sighting["named"]> {
  const self = pseudonyms.number("patient", id);
  const [, stem = "", digits] = /^(.*?)(\d{1,15})$/.exec(id) ?? [];
  if (digits === undefined) return { id: self };
  const near = (number: number) => pseudonyms.number("patient", stem + String(number).padStart(digits.length, "0"));
  return { id: self, before: near(Math.max(0, Number(digits) - 1)), after: near(Number(digits) + 1) };
}

function exportKind({ parameters }: AccessRecord): "full" | "since" {
  return parameters.includes("_since") ? "since" : "full";
}

function signalsOf({ decisions }: AccessRecord): readonly string[] {
  let found: string[] | undefined;
  for (const { control, because } of decisions) {
    if (control !== "perimeter") continue;
    for (const reason of because) {
      if (!reason.startsWith(SIGNAL)) continue;
      found ??= [];
      found.push(reason.slice(SIGNAL.length));
    }
  }
  return found ?? NO_SIGNALS;
}
const SIGNAL = "signal:";

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
