import { type AccessRecord, accessOfEntry, type SignInRecord } from "@wardline/policy-types";
import { NO_SIGNALS, type Sighting, type SightingFacts, sightingOf, signalsOf } from "./sighting.ts";

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

/**
 * Reads a finished request, whatever it asked for. Each entry of a batch is a request of its own: else a hundred patients could
 * be asked for in one that names nobody.
 */
export function readSightings(record: AccessRecord, facts: SightingFacts): readonly Sighting[] {
  const whole = readSighting(record, facts);
  if (record.entries === undefined) return [whole];
  return [whole, ...record.entries.map((entry) => readSighting(accessOfEntry(record, entry), facts))];
}

function readSighting(record: AccessRecord, facts: SightingFacts): Sighting {
  return record.signIn === undefined ? sightingOf(record, facts) : sightingOfSignIn(record, record.signIn, facts);
}

/**
 * At the token endpoint every answer tells whether the credentials were good. At the others a refusal for want of them does,
 * and nothing else: a page is answered with 200 whatever was typed into it.
 */
function sightingOfSignIn(
  record: AccessRecord,
  { issuer, endpoint, clientId }: SignInRecord,
  facts: SightingFacts,
): Sighting {
  const { status, receivedAt, requestId } = record;
  const address = record.forwardedAddress ?? record.peerAddress;
  const isRefused = status === 401 || (endpoint === "token" && (status === 400 || status === 403));
  const attempt = {
    at: receivedAt,
    requestId,
    ...(address === undefined ? {} : { address }),
    issuer,
    ...(clientId === undefined ? {} : { clientId }),
    succeeded: endpoint === "token" && status < 300,
  };
  const sighting = sightingOfLogin(attempt, facts);
  const signals = signalsOf(record);
  const ending = isRefused || attempt.succeeded ? sighting.ending : "other";
  return { ...sighting, ending, signals, zone: record.zone, apiType: record.apiType };
}

export function sightingOfLogin(
  attempt: LoginAttempt & { readonly at: number; readonly requestId: string },
  { pseudonyms, addressKey }: SightingFacts,
): Sighting {
  const { at, requestId, address, issuer, clientId, subject, succeeded } = attempt;
  return {
    at,
    requestId,
    address: address === undefined ? undefined : pseudonyms.name("address", "", addressKey(address)),
    client: clientId === undefined ? undefined : pseudonyms.name("client", issuer, clientId),
    clientClaimed: !succeeded,
    subject: undefined,
    claimed: subject === undefined ? undefined : pseudonyms.name("claimed", issuer, subject),
    system: false,
    zone: undefined,
    apiType: undefined,
    peers: undefined,
    ending: succeeded ? "served" : "login-refused",
    patients: NOBODY,
    named: undefined,
    resource: undefined,
    asked: undefined,
    bytes: 0,
    export: undefined,
    operationRefused: false,
    breakGlass: false,
    signals: NO_SIGNALS,
    position: undefined,
  };
}

const NOBODY: readonly number[] = Object.freeze([]);
