import { createHmac, createSecretKey } from "node:crypto";

/** Hashes identifiers so that equal ones can be counted and nobody be named without the key. */
export type Pseudonym = (kind: "patient" | "case", value: string) => string;

/**
 * HMAC-SHA-256, cut to 132 bits: among a thousand million patients two share a hash with a probability below 10^-21.
 * Does NOT anonymise against the holder of the key, who can try every identifier.
 */
export function createPseudonym(key: Uint8Array): Pseudonym {
  const secret = createSecretKey(key);
  return (kind, value) =>
    createHmac("sha256", secret).update(`wardline/api-inventory/${kind}\0${value}`).digest("base64url").slice(0, 22);
}
