import { pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { oneSpelling, openBox, sealBox } from "./box.ts";

/** Wrapping keys, oldest first; the last is the current one. */
export type Ring = readonly { readonly id: string; readonly created: string; readonly key: Buffer }[];
export type RingSecret = { readonly passphrase: string } | { readonly key: Buffer };

/**
 * The file is one JSON object: how the secret becomes a key, and the whole ring sealed under that key, so that no key
 * can be taken out, put in or moved. A passphrase goes through PBKDF2 with a random salt (scrypt is not FIPS-approved).
 *
 *     {"v":1,"kdf":"PBKDF2-HMAC-SHA-256","iterations":600000,"salt":"<base64>","sealed":"<base64>"}
 *     {"v":1,"kdf":"none","sealed":"<base64>"}
 */
export async function renderRing(ring: Ring, secret: RingSecret): Promise<string> {
  const header: Header =
    "key" in secret
      ? { v: 1, kdf: "none" }
      : { v: 1, kdf: PBKDF2, iterations: ITERATIONS, salt: randomBytes(16).toString("base64") };
  const key = await deriveKey(header, secret);
  if (key === undefined) throw new TypeError("unreachable: the header is our own");
  const keys = ring.map(({ id, created, key: bytes }) => ({ id, created, key: bytes.toString("base64") }));
  const sealed = sealBox(key, Buffer.from(JSON.stringify(keys)), bindingOf(header));
  return `${JSON.stringify({ ...header, sealed: sealed.toString("base64") })}\n`;
}

/** `undefined` when the file was changed or the secret is not its own. */
export async function parseRing(text: string, secret: RingSecret): Promise<Ring | undefined> {
  try {
    const { sealed, ...header } = JSON.parse(text) as Header & { readonly sealed: string };
    const key = await deriveKey(header, secret);
    if (key === undefined) return undefined;
    const opened = openBox(key, Buffer.from(sealed, "base64"), bindingOf(header));
    if (opened === undefined) return undefined;
    const keys = JSON.parse(opened.toString()) as { id: string; created: string; key: string }[];
    return keys.map(({ id, created, key: bytes }) => ({ id, created, key: Buffer.from(bytes, "base64") }));
  } catch {
    return undefined;
  }
}

interface Header {
  readonly v: number;
  readonly kdf: string;
  readonly iterations?: number;
  readonly salt?: string;
}

function bindingOf(header: Header): string {
  return oneSpelling({ ...header, use: "wardline field key ring" });
}

/** Refuses fewer iterations than we write, and so many that a changed file could hold the process up. */
async function deriveKey(header: Header, secret: RingSecret): Promise<Buffer | undefined> {
  const { v, kdf, iterations = 0, salt = "" } = header;
  if (v !== 1) return undefined;
  if ("key" in secret) return kdf === "none" ? secret.key : undefined;
  if (kdf !== PBKDF2 || iterations < ITERATIONS || iterations > 10 * ITERATIONS) return undefined;
  return derive(secret.passphrase.normalize("NFKC"), Buffer.from(salt, "base64"), iterations, 32, "sha256");
}

const derive = promisify(pbkdf2);
const PBKDF2 = "PBKDF2-HMAC-SHA-256";
/** OWASP's figure for PBKDF2-HMAC-SHA-256. */
const ITERATIONS = 600_000;
