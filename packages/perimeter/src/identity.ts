import { findings, join, type Principal, refuseUnknownKeys } from "@wardline/policy-types";
import type { RequestContext } from "@wardline/policy-types/express";
import { type CryptoKey, type JWK, type KeyObject, SignJWT } from "jose";
import { FORWARDING_HEADERS, STANDARD_REQUEST_HEADERS } from "./request-headers.ts";

export interface IdentityOptions {
  /** Names of the headers. Default `X-Organization-Id`, `X-User-Id`, `X-Client-Id`; `false` sends none. */
  readonly headers?: {
    readonly organization?: string | false;
    readonly user?: string | false;
    readonly client?: string | false;
  };
  /** Says the same in a form the upstream can verify. Default none. */
  readonly token?: {
    /** The private key that signs. */
    readonly key: CryptoKey | KeyObject | JWK;
    /** `ES256`, `PS256` ... */
    readonly algorithm: string;
    readonly keyId?: string;
    readonly issuer: string;
    readonly audience: string;
    /** Default 60. */
    readonly lifetimeSeconds?: number;
    /** Default `X-Identity-Token`. */
    readonly header?: string;
  };
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export type IdentityHeaders = (
  context: Pick<RequestContext, "principal" | "requestId">,
) => Promise<Readonly<Record<string, string>>>;

export interface IdentityWriter {
  /** Lower-case names this writer owns; whoever forwards a request removes them first. */
  readonly names: readonly string[];
  readonly write: IdentityHeaders;
}

/**
 * Who is calling, told to the upstream: from the principal that was proved, never from a header of the client. Values
 * that no header may hold are percent-encoded. Without a principal there are none.
 *
 * Does NOT authenticate: an upstream that others can reach believes the token only.
 *
 * @throws {ConfigurationError} with every mistake in the options
 */
export function identityHeaders(options: IdentityOptions = {}): IdentityWriter {
  checkOptions(options);
  const { organization = "X-Organization-Id", user = "X-User-Id", client = "X-Client-Id" } = options.headers ?? {};
  const { token, now = Date.now } = options;
  const tokenHeader = token?.header ?? "X-Identity-Token";
  const names = [organization, user, client, token === undefined ? false : tokenHeader]
    .filter((name): name is string => name !== false)
    .map((name) => name.toLowerCase());

  async function write({ principal, requestId }: Parameters<IdentityHeaders>[0]): Promise<Record<string, string>> {
    if (principal === undefined) return {};
    const headers: Record<string, string> = {};
    const put = (name: string | false, value: string | undefined): void => {
      if (name !== false && value !== undefined) headers[name.toLowerCase()] = headerValue(value);
    };
    put(organization, principal.organisation);
    put(user, userOf(principal));
    put(client, principal.clientId);
    if (token !== undefined) headers[tokenHeader.toLowerCase()] = await sign(principal, requestId, token, now());
    return headers;
  }
  return Object.freeze({ names: Object.freeze(names), write });
}

function userOf({ fhirUser, device, subject }: Principal): string {
  return fhirUser ?? device ?? subject;
}

/** Visible ASCII as it is; anything else could end the line or be read in two ways. */
function headerValue(value: string): string {
  return /^[\x21-\x7e]+$/.test(value) ? value : encodeURIComponent(value.replace(/\p{Surrogate}/gu, "\ufffd"));
}

/** @see https://www.rfc-editor.org/rfc/rfc8725#section-3.11 on explicit typing */
function sign(
  principal: Principal,
  requestId: string,
  { key, algorithm, keyId, issuer, audience, lifetimeSeconds = 60 }: NonNullable<IdentityOptions["token"]>,
  nowMs: number,
): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000);
  const { issuer: provedBy, subject, clientId, organisation, fhirUser, device, roles, tenant } = principal;
  return new SignJWT({
    proved_by: provedBy,
    roles: [...roles],
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(organisation === undefined ? {} : { organization: organisation }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
    ...(device === undefined ? {} : { device }),
    ...(tenant === undefined ? {} : { tenant }),
  })
    .setProtectedHeader({
      alg: algorithm,
      typ: "wardline-identity+jwt",
      ...(keyId === undefined ? {} : { kid: keyId }),
    })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setJti(requestId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + lifetimeSeconds)
    .sign(key);
}

const ALGORITHMS = /^(?:ES|PS|RS)(?:256|384|512)$|^(?:EdDSA|Ed25519)$/;

function checkOptions(options: IdentityOptions): void {
  const found = findings();
  refuseUnknownKeys(found, options, ["headers", "token", "now"]);
  refuseUnknownKeys(found, options.headers ?? {}, ["organization", "user", "client"], "headers");
  const named = Object.entries({
    ...options.headers,
    ...(options.token?.header === undefined ? {} : { token: options.token.header }),
  });
  for (const [part, name] of named) {
    if (name === false) continue;
    const lower = String(name).toLowerCase();
    if (typeof name !== "string" || !/^[a-z0-9-]+$/.test(lower)) {
      found.add(join("headers", part), "not-valid", "write a header name");
    }
    if (STANDARD_REQUEST_HEADERS.includes(lower) || FORWARDING_HEADERS.has(lower)) {
      found.add(join("headers", part), "taken", "a name that clients or proxies may send cannot say who is calling");
    }
  }
  const { token } = options;
  if (token !== undefined) {
    refuseUnknownKeys(
      found,
      token,
      ["key", "algorithm", "keyId", "issuer", "audience", "lifetimeSeconds", "header"],
      "token",
    );
    if (!isPrivate(token.key)) found.add("token.key", "not-private", "give the private key that signs");
    if (token.keyId !== undefined && typeof token.keyId !== "string") {
      found.add("token.keyId", "not-valid", "write the id of the key");
    }
    if (!ALGORITHMS.test(token.algorithm)) {
      found.add("token.algorithm", "not-valid", "write an algorithm with a public key, like ES256");
    }
    const { lifetimeSeconds = 60 } = token;
    if (!(Number.isSafeInteger(lifetimeSeconds) && lifetimeSeconds > 0 && lifetimeSeconds <= 300)) {
      found.add("token.lifetimeSeconds", "not-valid", "write 1 to 300 seconds");
    }
    for (const name of ["issuer", "audience"] as const) {
      if (typeof token[name] !== "string" || token[name] === "") found.add(join("token", name), "missing", "write who");
    }
  }
  if (options.now !== undefined && typeof options.now !== "function") {
    found.add("now", "not-a-function", "give a function");
  }
  found.throwIfAny("identity options");
}

/** What cannot sign would answer every request with 500. */
function isPrivate(key: unknown): boolean {
  if (key === null || typeof key !== "object") return false;
  const { type, d } = key as { readonly type?: unknown; readonly d?: unknown };
  return type === "private" || typeof d === "string";
}
