import { type Findings, type IssuerPolicy, join, refuseUnknownKeys } from "@wardline/policy-types";
import { checkBooleans, isWithin } from "./checks.ts";
import { type ClaimNames, DEFAULT_CLAIM_NAMES, parseClaimNames } from "./claim-names.ts";
import { parseIntrospection } from "./introspection/options.ts";
import type { IntrospectionOptions } from "./introspection/settings.ts";
import { ALGORITHMS } from "./key-set.ts";
import { parseSafeUrl } from "./loopback.ts";
import type { IssuerSettings } from "./settings.ts";

/** An issuer as this package takes it: keys and secrets as values, where a policy names the places they are kept. */
export interface SmartIssuer extends Omit<IssuerPolicy, "introspection" | "claims"> {
  /** Absent: only JWTs count, verified by the issuer's keys. */
  readonly introspection?: IntrospectionOptions;
  /** Where its tokens say what no specification names. */
  readonly claims?: ClaimNames;
}

const DEFAULT_ALGORITHMS: readonly string[] = Object.freeze(["RS256", "RS384", "PS256", "PS384", "ES256", "ES384"]);
const DEFAULT_LIFETIME_SECONDS = 3600;
const DEFAULT_LEEWAY_SECONDS = 30;
/** RFC 9068 section 4: "no more than a few minutes". */
export const LONGEST_LEEWAY_SECONDS = 300;

/** In place of an issuer's name: whatever the keys of its `jwksUri` signed. */
export const ANY_ISSUER = "*";

const KNOWN = [
  "issuer",
  "audience",
  "jwksUri",
  "algorithms",
  "allowLegacyTyp",
  "maxLifetimeSeconds",
  "leewaySeconds",
  "smart",
  "introspection",
  "claims",
] as const satisfies readonly (keyof SmartIssuer)[];

/** Fills in one issuer's defaults; adds what is wrong to `found`. */
export function parseIssuer(found: Findings, issuer: SmartIssuer, path: string, development: boolean): IssuerSettings {
  if (issuer === null || typeof issuer !== "object") {
    found.add(path, "not-an-object", "must be an issuer policy");
    return parseIssuer(found, { issuer: "", audience: [] }, path, development);
  }
  refuseUnknownKeys(found, issuer, KNOWN, path);
  checkBooleans(found, issuer, ["allowLegacyTyp"], path);
  const at = (key: keyof SmartIssuer) => join(path, key);
  checkUrls(found, issuer, at, development);
  const { audience, algorithms = DEFAULT_ALGORITHMS } = issuer;
  if (!isStrings(audience) || audience.length === 0) {
    found.add(
      at("audience"),
      "missing",
      "write a list with at least one identifier of this API: a token for anybody is for nobody",
    );
  }
  const unknown = isStrings(algorithms) ? algorithms.filter((alg) => !ALGORITHMS.includes(alg)) : ["?"];
  if (unknown.length > 0 || algorithms.length === 0) {
    found.add(at("algorithms"), "unknown-value", `choose from ${ALGORITHMS.join(", ")}`);
  }
  const maxLifetimeSeconds = issuer.maxLifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS;
  if (!(isWithin(maxLifetimeSeconds, 0, Number.MAX_SAFE_INTEGER) && maxLifetimeSeconds > 0))
    found.add(at("maxLifetimeSeconds"), "not-positive", "must be a positive number of seconds");
  const leewaySeconds = issuer.leewaySeconds ?? DEFAULT_LEEWAY_SECONDS;
  if (!isWithin(leewaySeconds, 0, LONGEST_LEEWAY_SECONDS)) {
    found.add(at("leewaySeconds"), "out-of-range", "must be between 0 and 300 seconds");
  }
  const introspection =
    issuer.introspection === undefined
      ? undefined
      : parseIntrospection(found, issuer.introspection, at("introspection"), development);
  return Object.freeze({
    issuer: issuer.issuer,
    audience: Object.freeze([...(isStrings(audience) ? audience : [])]),
    ...(issuer.jwksUri === undefined ? {} : { jwksUri: issuer.jwksUri }),
    algorithms: Object.freeze([...(isStrings(algorithms) ? algorithms : [])]),
    allowLegacyTyp: issuer.allowLegacyTyp === true,
    maxLifetimeSeconds,
    leewaySeconds,
    claimNames: issuer.claims === undefined ? DEFAULT_CLAIM_NAMES : parseClaimNames(found, issuer.claims, at("claims")),
    ...(introspection === undefined ? {} : { introspection }),
  });
}

function checkUrls(
  found: Findings,
  issuer: SmartIssuer,
  at: (key: keyof SmartIssuer) => string,
  development: boolean,
): void {
  const message = "must be an https URL without user and fragment; http needs `development` and a loopback address";
  if (issuer.issuer === ANY_ISSUER) checkAnyIssuer(found, issuer, at);
  else if (String(issuer.issuer).includes("*"))
    found.add(at("issuer"), "unknown-value", "`*` stands alone: no patterns");
  else if (parseSafeUrl(issuer.issuer, development) === undefined) found.add(at("issuer"), "not-https", message);
  // RFC 8414 section 3: the document's address is made from the issuer's name, and its `iss` is the name alone.
  if (/\/\.well-known\//.test(String(issuer.issuer))) {
    found.add(at("issuer"), "not-an-issuer", "write the issuer's own name, without `/.well-known/...`");
  }
  if (issuer.jwksUri !== undefined && parseSafeUrl(issuer.jwksUri, development) === undefined) {
    found.add(at("jwksUri"), "not-https", message);
  }
}

/** Without a name its keys are the one thing that tells it, and there is nobody to ask. */
function checkAnyIssuer(found: Findings, issuer: SmartIssuer, at: (key: keyof SmartIssuer) => string): void {
  if (issuer.jwksUri === undefined) {
    found.add(at("jwksUri"), "missing", "`*` means whatever the keys of `jwksUri` signed, so it needs `jwksUri`");
  }
  if (issuer.introspection !== undefined) {
    found.add(at("introspection"), "ambiguous", "an issuer without a name cannot be asked about tokens");
  }
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === "string" && part !== "");
}
