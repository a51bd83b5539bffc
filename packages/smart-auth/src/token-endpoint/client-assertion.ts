import type { JWK } from "jose";
import { within } from "../deadline.ts";
import { LONGEST_LEEWAY_SECONDS } from "../issuer-options.ts";
import type { KeyLookup } from "../jwks.ts";
import { type KeyQuery, parseKeySet } from "../key-set.ts";
import type { ReplayStore } from "../replay.ts";
import { isSignedBy } from "../signature.ts";
import { parseAssertion, type UnverifiedToken } from "../token.ts";
import { hashOf } from "../token-cache.ts";

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/** SMART App Launch 2.2, backend services: "no more than five minutes in the future". */
const LONGEST_SECONDS = 300;
const JTI_LIMIT = 256;
/** F1 */
const STORE_DEADLINE_MS = 50;
const REGISTRY_DEADLINE_MS = 2500;
const DEFAULT_ALGORITHMS: readonly string[] = Object.freeze(["RS384", "ES384"]);

export interface RegisteredClient {
  readonly clientId: string;
  /** Its keys; absent where `findKey` finds them. */
  readonly jwks?: { readonly keys: readonly JWK[] } | undefined;
  /** Registered address of the key set; an assertion may name no other. */
  readonly jwksUri?: string;
  /** In place of `jwks`: see `clientRegistry`. */
  readonly findKey?: (query: KeyQuery) => Promise<KeyLookup>;
}

export interface ClientAssertionFacts {
  /** `client_assertion_type` of the request. */
  readonly assertionType: unknown;
  /** `client_assertion` of the request. */
  readonly assertion: unknown;
  /** `client_id` of the request, when it has one. */
  readonly clientId?: string;
  /** What `aud` may be: the token endpoint's URL, and if you will the issuer. */
  readonly audience: readonly string[];
  /** Default RS384 and ES384. */
  readonly algorithms?: readonly string[];
  readonly replayStore: ReplayStore;
  /** Seconds since the epoch. */
  readonly now: number;
  readonly findClient: (clientId: string) => Promise<RegisteredClient | undefined>;
}

export type AssertionVerdict =
  | { readonly kind: "good"; readonly client: RegisteredClient }
  /** RFC 6749 section 5.2. `because` is for the audit record. */
  | { readonly kind: "refused"; readonly error: "invalid_client"; readonly status: 401; readonly because: string }
  /** A store could not answer: not the client's fault, and no yes. */
  | { readonly kind: "unavailable"; readonly because: string };

/**
 * Verifies how a client proves who it is at a token endpoint: private_key_jwt as SMART backend services use it.
 *
 * Does NOT decide what the client may ask for.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-3
 */
export async function verifyClientAssertion(facts: ClientAssertionFacts): Promise<AssertionVerdict> {
  if (facts.assertionType !== ASSERTION_TYPE) return refused("client_assertion_type is not jwt-bearer");
  const token = parseAssertion(typeof facts.assertion === "string" ? facts.assertion : "");
  if ("fault" in token) return refused(token.fault);
  const fault = headerFault(token, facts) ?? claimFault(token, facts);
  if (fault !== undefined) return refused(fault);
  const { iss, jti, exp } = token.claims as { readonly iss: string; readonly jti: string; readonly exp: number };
  try {
    const client = await findRegistered(facts.findClient, iss);
    if (client === undefined) return refused("the client is not registered");
    if (token.jku !== undefined && token.jku !== client.jwksUri) return refused("jku is not the registered address");
    const { alg, kid = "" } = token.header;
    const found = await findKeyOf(client, { alg, kid });
    if (found.kind === "unavailable") return unavailable("the client's keys cannot be fetched");
    if (found.kind === "unknown") return refused("not exactly one key of the client fits");
    if (!(await isSignedBy(token, found.key))) return refused("the signature is wrong");
    const once = hashOf("assertion", iss, jti);
    // S3: an instance whose clock is behind takes it for longer.
    const until = Math.ceil(exp) + LONGEST_LEEWAY_SECONDS;
    const isNew: unknown = await within(STORE_DEADLINE_MS, facts.replayStore.add(once, until));
    return isNew === true ? { kind: "good", client } : refused("jti was used before");
  } catch {
    return unavailable("the registry or the replay store did not answer");
  }
}

/** Rejects when the registry does not answer in time. */
export async function findRegistered(
  findClient: ClientAssertionFacts["findClient"],
  clientId: string,
): Promise<RegisteredClient | undefined> {
  const client = await within(REGISTRY_DEADLINE_MS, findClient(clientId));
  return client?.clientId === clientId ? client : undefined;
}

async function findKeyOf({ jwks, findKey }: RegisteredClient, query: KeyQuery): Promise<KeyLookup> {
  if (findKey !== undefined) return findKey(query);
  const key = await parseKeySet(jwks).find(query);
  return key === undefined ? { kind: "unknown" } : { kind: "found", key };
}

function headerFault({ header }: UnverifiedToken, { algorithms = DEFAULT_ALGORITHMS }: ClientAssertionFacts) {
  if (header.typ?.toUpperCase() !== "JWT") return "typ is not JWT";
  if (header.kid === undefined) return "kid is missing";
  return algorithms.includes(header.alg) ? undefined : "alg is not allowed";
}

function claimFault({ claims }: UnverifiedToken, { audience, clientId, now }: ClientAssertionFacts) {
  const { iss, sub, aud, exp, nbf, jti } = claims;
  if (typeof iss !== "string" || iss === "" || iss !== sub) return "iss and sub are not one client";
  if (clientId !== undefined && clientId !== iss) return "client_id is another client";
  const names: readonly unknown[] = Array.isArray(aud) ? (aud as unknown[]) : [aud];
  if (!names.some((name) => typeof name === "string" && audience.includes(name))) return "aud is not this server";
  if (typeof exp !== "number" || !(now < exp)) return "exp is missing or past";
  if (exp > now + LONGEST_SECONDS) return "exp is more than five minutes away";
  if (nbf !== undefined && !(typeof nbf === "number" && nbf <= now)) return "not valid yet";
  return typeof jti === "string" && jti !== "" && jti.length <= JTI_LIMIT ? undefined : "jti is missing or malformed";
}

function refused(because: string): AssertionVerdict {
  return { kind: "refused", error: "invalid_client", status: 401, because };
}

function unavailable(because: string): AssertionVerdict {
  return { kind: "unavailable", because };
}
