import { type Decision, deny, permit } from "@wardline/policy-types";
import type { TransportFacts } from "@wardline/policy-types/express";
import type { Problems } from "./problems.ts";

/** What a request shows of who sent it. */
export interface Credentials {
  /** Names and values in turn, repeats included, as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /** The text after "?", still encoded. */
  readonly query: string;
  readonly transport: Pick<TransportFacts, "peerAddress" | "clientCertificate">;
}

/** RFC 6750 section 2.1: `b64token`; at most 8 KiB. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{1,8192}=*$/;

/** The one access token of a request. Does NOT look into it. */
export function readBearer(
  { rawHeaders, query }: Pick<Credentials, "rawHeaders" | "query">,
  problems: Problems,
): Decision<string> {
  const values = headerValues(rawHeaders, "authorization");
  if (hasAccessToken(query)) return deny(problems.credentialsMalformed, ["access_token in the URL"]);
  if (values.length > 1) return deny(problems.credentialsMalformed, ["several Authorization headers"]);
  const [value] = values;
  if (value === undefined) return deny(problems.credentialsMissing, ["no Authorization header"]);
  const [, scheme, token = ""] = /^(\S+)(?: +(.*))?$/.exec(value) ?? [];
  if (scheme?.toLowerCase() !== "bearer") return deny(problems.credentialsMissing, ["not the Bearer scheme"]);
  if (token === "") return deny(problems.credentialsMalformed, ["Bearer without a token"]);
  return TOKEN.test(token)
    ? permit(token, ["one bearer token"])
    : deny(problems.tokenInvalid, ["the token has characters no token has, or is too long"]);
}

/** Every value of a header, in order. */
export function headerValues(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

/** RFC 9700 section 4.3.2: URLs end up in logs, so a token there is refused even beside a good header. */
function hasAccessToken(query: string): boolean {
  return query.includes("access") || query.includes("%") ? new URLSearchParams(query).has("access_token") : false;
}
