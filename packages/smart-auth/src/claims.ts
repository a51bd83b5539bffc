import { isId } from "@wardline/fhir-r4";
import type { AuthenticationMethod, Principal } from "@wardline/policy-types";
import { type ClaimNameSettings, claimAt } from "./claim-names.ts";
import { readConfirmation } from "./confirmation.ts";
import type { IssuerSettings } from "./settings.ts";
import type { TokenFault, UnverifiedToken } from "./token.ts";
import type { VerifiedToken } from "./verified.ts";

/** Members that only an id_token has; OpenID Connect Core sections 2 and 3.3.2.11. */
const ID_TOKEN_CLAIMS = ["nonce", "at_hash", "c_hash", "s_hash"] as const;

/**
 * Claims that narrow a token in ways this version cannot check. Ignoring one would widen the token.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9396#section-9.1
 */
const UNCHECKABLE_CLAIMS = ["authorization_details"] as const;

const NAME_LIMIT = 512;

/**
 * Checks the claims of an access token against one issuer's policy and reads who is calling.
 *
 * Does NOT verify the signature, know about revocation, or see whether the caller holds what `cnf` asks for.
 *
 * @param now seconds since the epoch
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 */
export function checkClaims(token: UnverifiedToken, issuer: IssuerSettings, now: number): VerifiedToken | TokenFault {
  const { claims } = token;
  const fault =
    typFault(token, issuer) ??
    commonFault(claims, issuer, now) ??
    missing(claims, ["sub", "client_id", "jti"]) ??
    (claims["iat"] === undefined ? "iat is missing" : undefined);
  return fault === undefined ? readToken(claims, "jwt", issuer.claimNames) : { fault };
}

/**
 * Checks an active introspection answer the way a token is checked: the authorisation server says that the token is good,
 * not that it is good here.
 *
 * Does NOT read `active`, which the caller has done.
 *
 * @param now seconds since the epoch
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-4
 */
export function checkAnswer(
  answer: Readonly<Record<string, unknown>>,
  issuer: IssuerSettings,
  now: number,
): VerifiedToken | TokenFault {
  const { iss = issuer.issuer, token_type: type } = answer;
  const claims = { ...answer, iss, sub: answer["sub"] ?? clientItself(answer) };
  const fault =
    (iss === issuer.issuer ? undefined : "iss of the answer is another issuer") ??
    typeFault(type, answer["cnf"]) ??
    commonFault(claims, issuer, now) ??
    missing(claims, ["sub", "client_id"]) ??
    (answer["jti"] === undefined ? undefined : missing(claims, ["jti"]));
  return fault === undefined ? readToken(claims, "introspection", issuer.claimNames) : { fault };
}

/**
 * RFC 7662 section 2.2: `sub` is who authorised the token. A token nobody authorised and that speaks of nobody is the
 * client's own; RFC 9068 section 2.2 names the client as its `sub`.
 */
function clientItself(answer: Readonly<Record<string, unknown>>): unknown {
  const speaksOfSomebody = ["username", "fhirUser", "patient"].some((name) => name in answer);
  return speaksOfSomebody ? undefined : answer["client_id"];
}

/** RFC 9449 section 6.2: what is bound to a key is of type DPoP. Its absence proves nothing: `cnf` decides. */
function typeFault(type: unknown, cnf: unknown): string | undefined {
  if (type === undefined) return undefined;
  const isBound = typeof cnf === "object" && cnf !== null && "jkt" in cnf;
  const isRight = typeof type === "string" && type.toLowerCase() === (isBound ? "dpop" : "bearer");
  return isRight ? undefined : "token_type does not fit";
}

type Claims = UnverifiedToken["claims"];

function commonFault(claims: Claims, issuer: IssuerSettings, now: number): string | undefined {
  const bound = UNCHECKABLE_CLAIMS.find((name) => claims[name] !== undefined);
  return (
    audienceFault(claims, issuer) ??
    timeFault(claims, issuer, now) ??
    (bound === undefined ? undefined : `token carries ${bound}, which cannot be checked`)
  );
}

function missing(claims: Claims, names: readonly string[]): string | undefined {
  const name = names.find((one) => !isName(claims[one]));
  return name === undefined ? undefined : `${name} is missing or malformed`;
}

function typFault({ header, claims }: UnverifiedToken, issuer: IssuerSettings): string | undefined {
  const typ = header.typ?.toLowerCase().replace(/^application\//, "");
  if (typ === "at+jwt") return undefined;
  if (!issuer.allowLegacyTyp || (typ !== undefined && typ !== "jwt")) return "typ is not at+jwt";
  // Without the type, an id_token is told by its own claims, by its audience (the client), and by having no scope.
  const isIdToken =
    ID_TOKEN_CLAIMS.some((name) => name in claims) ||
    claims["typ"] === "ID" ||
    typeof claims["scope"] !== "string" ||
    audiencesOf(claims).includes(String(claims["client_id"]));
  return isIdToken ? "an id_token is not an access token" : undefined;
}

function audienceFault(claims: Claims, issuer: IssuerSettings): string | undefined {
  return audiencesOf(claims).some((audience) => issuer.audience.includes(audience))
    ? undefined
    : "aud does not name this API";
}

/** A member that is no string makes the whole list unusable. */
function audiencesOf({ aud }: Claims): readonly string[] {
  if (typeof aud === "string") return [aud];
  return isStrings(aud) ? aud : [];
}

function timeFault(claims: Claims, issuer: IssuerSettings, now: number): string | undefined {
  const { exp, iat, nbf } = claims;
  const { leewaySeconds, maxLifetimeSeconds } = issuer;
  if (!isTime(exp)) return "exp is missing or malformed";
  if (iat !== undefined && !isTime(iat)) return "iat is malformed";
  if (nbf !== undefined && !isTime(nbf)) return "nbf is malformed";
  if (now >= exp + leewaySeconds) return "token has expired";
  if (iat !== undefined && iat > now + leewaySeconds) return "iat lies in the future";
  if (nbf !== undefined && nbf > now + leewaySeconds) return "token is not valid yet";
  if (exp - (iat ?? now) > maxLifetimeSeconds) return "token lives longer than the issuer may grant";
  return undefined;
}

function readToken(claims: Claims, method: AuthenticationMethod, names: ClaimNameSettings): VerifiedToken | TokenFault {
  const { patient, encounter, fhirUser, scope, iat } = claims;
  // SMART App Launch 2.2, launch context: bare ids. A malformed one is not silently "no patient".
  if (patient !== undefined && !isFhirId(patient)) return { fault: "patient is not a bare id" };
  if (encounter !== undefined && !isFhirId(encounter)) return { fault: "encounter is not a bare id" };
  if (fhirUser !== undefined && !isName(fhirUser)) return { fault: "fhirUser is malformed" };
  if (scope !== undefined && typeof scope !== "string") return { fault: "scope is not a string" };
  const confirmation = readConfirmation(claims["cnf"]);
  if (confirmation !== undefined && "fault" in confirmation) return confirmation;
  const principal = Object.freeze({
    method,
    issuer: claims["iss"] as string,
    subject: claims["sub"] as string,
    clientId: claims["client_id"] as string,
    ...optional("fhirUser", fhirUser),
    roles: stringsOf(claimAt(claims, names.roles)),
    purposeOfUse: stringsOf(claimAt(claims, names.purposeOfUse)),
    ...namedClaims(claims, names),
    launch: Object.freeze({ ...optional("patient", patient), ...optional("encounter", encounter) }),
    scopes: Object.freeze((scope ?? "").split(" ").filter((token) => token !== "")),
    ...(isName(claims["tenant"]) ? { tenant: claims["tenant"] } : {}),
    ...optional("tokenId", claims["jti"] as string | undefined),
    expiresAt: claims["exp"] as number,
    ...(isTime(claims["auth_time"]) ? { authenticatedAt: claims["auth_time"] } : {}),
    ...(isName(claims["acr"]) ? { acr: claims["acr"] } : {}),
    ...(isStrings(claims["amr"]) ? { amr: claims["amr"] } : {}),
    ...(confirmation === undefined ? {} : { confirmation }),
  } satisfies Principal);
  return Object.freeze({
    principal,
    expiresAt: claims["exp"] as number,
    ...(isTime(iat) ? { issuedAt: iat } : {}),
  });
}

/** What the operator says stands in claims of its own; a claim of another shape says nothing. */
function namedClaims(
  claims: Claims,
  names: ClaimNameSettings,
): Pick<Principal, "organisation" | "department" | "device" | "attributes"> {
  const one = (path: readonly string[] | undefined) => {
    const value = path === undefined ? undefined : claimAt(claims, path);
    return isName(value) ? value : undefined;
  };
  const attributes = names.attributes.map(([name, path]) => [name, stringsOf(claimAt(claims, path))] as const);
  return {
    ...optional("organisation", one(names.organisation)),
    ...optional("department", one(names.department)),
    ...optional("device", one(names.device)),
    ...(attributes.length === 0 ? {} : { attributes: Object.freeze(Object.fromEntries(attributes)) }),
  };
}

/** One string or a list of them; anything else is nobody's role. */
function stringsOf(value: unknown): readonly string[] {
  if (isName(value)) return Object.freeze([value]);
  return isStrings(value) ? Object.freeze([...value]) : [];
}

function optional<Key extends string>(key: Key, value: string | undefined): { readonly [K in Key]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: string });
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === "string");
}

export function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= NAME_LIMIT;
}

function isFhirId(value: unknown): value is string {
  return typeof value === "string" && isId(value);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
