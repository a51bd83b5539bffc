import { createHmac, timingSafeEqual } from "node:crypto";
import { findings, refuseUnknownKeys } from "@wardline/policy-types";

export interface PseudonymKeys {
  /** What the tokens are for: the same value has another token for another purpose. */
  readonly purpose: string;
  readonly tenant?: string;
  /** Id of the key new tokens are made with. */
  readonly keyId: string;
  /** Every key in use, by id (one to eight of `a-z0-9`); at least 32 random bytes each. */
  readonly keys: Readonly<Record<string, Uint8Array>>;
}

/** Substitutes values by tokens that only the holder of the key can make. */
export interface Pseudonymiser {
  /** `domain`: an identifier system, a resource type, an element; the same value in two domains has two tokens. */
  readonly pseudonymOf: (domain: string, value: string) => string;
}

/**
 * HMAC-SHA-256 over length-prefixed parts, 128 bits of it kept: `v1.<key id>.<mac><check>` in hex, which is legal in a FHIR
 * id. The check lets a token be known again, so that a value is not replaced twice; it is keyed, so nobody else can make a
 * value look like a token.
 *
 * Does NOT de-identify: a token is derived from the value (45 CFR 164.514(c)), and whoever holds the key can try all SSNs.
 *
 * @throws {ConfigurationError} for a key that is missing or too short
 */
export function pseudonymiser(options: PseudonymKeys): Pseudonymiser {
  const { purpose, tenant, keyId, keys } = parse(options);
  const current = keys.get(keyId) ?? new Uint8Array();

  const macOf = (key: Uint8Array, domain: string, value: string): Buffer =>
    hmac(key, ["value", purpose, tenant, domain, value]).subarray(0, MAC_BYTES);
  const checkOf = (key: Uint8Array, mac: Uint8Array): Buffer =>
    hmac(key, ["token", purpose, tenant, Buffer.from(mac).toString("hex")]).subarray(0, CHECK_BYTES);

  function isToken(value: string): boolean {
    const [, id = "", hex = ""] = TOKEN.exec(value) ?? [];
    const key = keys.get(id);
    if (key === undefined) return false;
    const bytes = Buffer.from(hex, "hex");
    return timingSafeEqual(checkOf(key, bytes.subarray(0, MAC_BYTES)), bytes.subarray(MAC_BYTES));
  }

  return {
    pseudonymOf(domain, value) {
      if (isToken(value)) return value;
      const mac = macOf(current, domain, value);
      return `v1.${keyId}.${mac.toString("hex")}${checkOf(current, mac).toString("hex")}`;
    },
  };
}

/** @see https://www.rfc-editor.org/rfc/rfc2104 */
function hmac(key: Uint8Array, parts: readonly string[]): Buffer {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(`${Buffer.byteLength(part)}:${part}`);
  return mac.digest();
}

function parse(options: PseudonymKeys): {
  readonly purpose: string;
  readonly tenant: string;
  readonly keyId: string;
  readonly keys: ReadonlyMap<string, Uint8Array>;
} {
  const found = findings();
  refuseUnknownKeys(found, options, ["purpose", "tenant", "keyId", "keys"]);
  const { purpose, tenant = "", keyId } = options;
  const keys = new Map(Object.entries(options.keys ?? {}).map(([id, key]) => [id, Uint8Array.from(key)]));
  if (typeof purpose !== "string" || purpose === "") found.add("purpose", "required", "say what the tokens are for");
  if (!keys.has(keyId)) found.add("keyId", "unknown-key", "`keys` holds no key of this id");
  for (const [id, key] of keys) {
    if (!/^[a-z0-9]{1,8}$/.test(id)) found.add(`keys.${id}`, "invalid-id", "a key id is one to eight of a-z and 0-9");
    if (key.length < 32) found.add(`keys.${id}`, "weak-key", "a key is at least 32 random bytes");
  }
  found.throwIfAny("pseudonymiser()");
  return { purpose, tenant, keyId, keys };
}

const MAC_BYTES = 16;
const CHECK_BYTES = 8;
const TOKEN = /^v1\.([a-z0-9]{1,8})\.([0-9a-f]{48})$/;
