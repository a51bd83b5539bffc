import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { checkBooleans, isWithin } from "../checks.ts";
import { ALGORITHMS } from "../key-set.ts";
import { parseSafeUrl } from "../loopback.ts";
import { parseDecryption } from "./decryption.ts";
import { certifiedFetch } from "./mutual-tls.ts";
import { fitsAlgorithm, privateKey } from "./private-key.ts";
import type { IntrospectionAuthentication, IntrospectionOptions, IntrospectionSettings } from "./settings.ts";

const DEFAULT_POSITIVE_SECONDS = 60;
const DEFAULT_NEGATIVE_SECONDS = 10;
const LONGEST_SECONDS = 300;

const KNOWN = [
  "endpoint",
  "clientId",
  "authentication",
  "positiveTtlSeconds",
  "negativeTtlSeconds",
  "expectSigned",
  "decryption",
  "always",
  "opaque",
] as const satisfies readonly (keyof IntrospectionOptions)[];

/** Fills in the defaults; adds what is wrong to `found`. */
export function parseIntrospection(
  found: Findings,
  options: IntrospectionOptions,
  path: string,
  development: boolean,
): IntrospectionSettings | undefined {
  if (options === null || typeof options !== "object") {
    found.add(path, "not-an-object", "must say where and as whom to ask");
    return undefined;
  }
  refuseUnknownKeys(found, options, KNOWN, path);
  checkBooleans(found, options, ["expectSigned", "always", "opaque"], path);
  if (parseSafeUrl(options.endpoint, development) === undefined) {
    const message = "must be an https URL without user and fragment; http needs `development` and a loopback address";
    found.add(join(path, "endpoint"), "not-https", message);
  }
  if (typeof options.clientId !== "string" || options.clientId === "") {
    found.add(join(path, "clientId"), "missing", "say as whom to ask");
  }
  const authentication = parseAuthentication(found, options.authentication, join(path, "authentication"));
  if (authentication?.method === "tls_client_auth" && !String(options.endpoint).startsWith("https:")) {
    found.add(join(path, "endpoint"), "not-https", "a certificate can only be shown over https");
  }
  const seconds = (name: "positiveTtlSeconds" | "negativeTtlSeconds", fallback: number) => {
    const value = options[name] ?? fallback;
    if (!isWithin(value, 0, LONGEST_SECONDS)) {
      found.add(join(path, name), "out-of-range", "must be between 0 and 300 seconds");
    }
    return value;
  };
  const positiveTtlSeconds = seconds("positiveTtlSeconds", DEFAULT_POSITIVE_SECONDS);
  const negativeTtlSeconds = seconds("negativeTtlSeconds", DEFAULT_NEGATIVE_SECONDS);
  const decryption =
    options.decryption === undefined
      ? undefined
      : parseDecryption(found, options.decryption, join(path, "decryption"), options.expectSigned === true);
  if (authentication === undefined) return undefined;
  return Object.freeze({
    endpoint: options.endpoint,
    clientId: options.clientId,
    authentication,
    positiveTtlSeconds,
    negativeTtlSeconds,
    expectSigned: options.expectSigned === true,
    ...(decryption === undefined ? {} : { decryption }),
    always: options.always === true,
    opaque: options.opaque !== false,
  });
}

function parseAuthentication(
  found: Findings,
  given: IntrospectionAuthentication | undefined,
  path: string,
): IntrospectionSettings["authentication"] | undefined {
  if (given?.method === "client_secret_basic") {
    refuseUnknownKeys(found, given, ["method", "secret"], path);
    if (typeof given.secret === "string" && given.secret !== "") return Object.freeze({ ...given });
    found.add(join(path, "secret"), "missing", "the method needs a secret");
    return undefined;
  }
  if (given?.method === "tls_client_auth" || given?.method === "self_signed_tls_client_auth") {
    refuseUnknownKeys(found, given, ["method", "cert", "key", "ca"], path);
    const fetch = certifiedFetch(given);
    if (fetch !== undefined) return Object.freeze({ method: "tls_client_auth", fetch });
    found.add(
      path,
      "not-a-certificate",
      "must have `cert` and the `key` that belongs to it, PEM, and `ca` only as PEM",
    );
    return undefined;
  }
  if (given?.method !== "private_key_jwt") {
    const known = '"client_secret_basic", "private_key_jwt", "tls_client_auth" or "self_signed_tls_client_auth"';
    found.add(join(path, "method"), "unknown-value", `must be ${known}`);
    return undefined;
  }
  refuseUnknownKeys(found, given, ["method", "key", "alg", "kid"], path);
  if (!ALGORITHMS.includes(given.alg)) {
    found.add(join(path, "alg"), "unknown-value", `choose from ${ALGORITHMS.join(", ")}`);
  }
  if (typeof given.kid !== "string" || given.kid === "") {
    found.add(join(path, "kid"), "missing", "the server finds the key by it");
  }
  const key = privateKey(given.key);
  if (key === undefined) found.add(join(path, "key"), "not-a-key", "must be a private key, as CryptoKey or JWK");
  else if (!fitsAlgorithm(key, given.alg)) found.add(join(path, "key"), "not-for-alg", "the key is not one for `alg`");
  return key === undefined ? undefined : Object.freeze({ method: given.method, key, alg: given.alg, kid: given.kid });
}
