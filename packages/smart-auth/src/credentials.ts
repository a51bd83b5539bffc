import { type Decision, deny, permit } from "@wardline/policy-types";
import type { TransportFacts } from "@wardline/policy-types/express";
import type { SchemeProblems } from "./token-problems.ts";

/** What a request shows of who sent it. */
export interface Credentials {
  /** Names and values in turn, repeats included, as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /** The text after "?", still encoded. */
  readonly query: string;
  readonly transport: Pick<TransportFacts, "peerAddress" | "clientCertificate">;
  /** As received. */
  readonly method: string;
  /** Public target URI without query: what a proof of possession must name. */
  readonly uri: string;
}

export interface PresentedToken {
  readonly scheme: "bearer" | "dpop";
  readonly token: string;
}

/** RFC 6750 section 2.1: `b64token`, in one look, since a token of many scopes is long; at most 8 KiB. */
const WELL_FORMED = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i;
const TOKEN_LIMIT = 8192;
/** What else there is, for the reason of its refusal. */
const ANY_FORM = /^(\S+)(?: +(\S.*)?)?$/;
const ONE_TOKEN = Object.freeze(["one token"]);

/** The one access token of a request. Does NOT look into it. */
export function readCredentials(
  { rawHeaders, query }: Pick<Credentials, "rawHeaders" | "query">,
  schemes: SchemeProblems,
  takesDpop: boolean,
): Decision<PresentedToken> {
  const values = headerValues(rawHeaders, "authorization");
  if (hasAccessToken(query)) return deny(schemes.credentialsMalformed, ["access_token in the URL"]);
  if (values.length > 1) return deny(schemes.credentialsMalformed, ["several Authorization headers"]);
  const [value] = values;
  if (value === undefined) return deny(schemes.credentialsMissing, ["no Authorization header"]);
  const wellFormed = WELL_FORMED.exec(value);
  const [, name, token = ""] = wellFormed ?? ANY_FORM.exec(value) ?? [];
  const scheme = name?.toLowerCase();
  if (scheme !== "bearer" && !(scheme === "dpop" && takesDpop)) {
    return deny(schemes.credentialsMissing, ["not a scheme that is accepted here"]);
  }
  if (token === "") return deny(schemes.credentialsMalformed, ["the scheme without a token"]);
  if (wellFormed !== null && token.length <= TOKEN_LIMIT) return permit({ scheme, token }, ONE_TOKEN);
  const { tokenInvalid } = scheme === "dpop" ? schemes.underDpop : schemes;
  return deny(tokenInvalid, ["the token has characters no token has, or is too long"]);
}

/** Every value of a header, in order. */
export function headerValues(rawHeaders: readonly string[], name: string): readonly string[] {
  let values = NO_VALUES;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const given = rawHeaders[at];
    // Lengths first: every request asks this of every header, several times.
    if (given?.length !== name.length || given.toLowerCase() !== name) continue;
    const value = rawHeaders[at + 1] ?? "";
    values = values.length === 0 ? [value] : [...values, value];
  }
  return values;
}

const NO_VALUES: readonly string[] = Object.freeze([]);

/** RFC 9700 section 4.3.2: URLs end up in logs, so a token there is refused even beside a good header. */
function hasAccessToken(query: string): boolean {
  return query.includes("access") || query.includes("%") ? new URLSearchParams(query).has("access_token") : false;
}
