import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { canonicalJson } from "../canonical.ts";
import { decodeBase64 } from "../merkle/note.ts";

/** Wrapping keys, oldest first; the last is the current one. */
export type Ring = readonly { readonly id: string; readonly created: string; readonly key: Buffer }[];
export type RingSecret = { readonly passphrase: string } | { readonly key: Buffer };

/**
 * The file is canonical JSON: how the secret becomes a key, and the whole ring sealed under that key, so that no key can
 * be taken out, put in or moved. The derivation is a random salt and PBKDF2 (scrypt is not FIPS-approved).
 *
 *     {"iterations":600000,"kdf":"PBKDF2-HMAC-SHA-256","salt":"<base64>","sealed":"<base64>","v":1}
 *     {"kdf":"none","sealed":"<base64>","v":1}
 */
export async function renderRing(ring: Ring, secret: RingSecret): Promise<string> {
  const header =
    "key" in secret
      ? { kdf: "none", v: 1 }
      : { iterations: ITERATIONS, kdf: PBKDF2, salt: randomBytes(16).toString("base64"), v: 1 };
  const key = await deriveKey(header, secret);
  const keys = ring.map(({ id, created, key: bytes }) => ({ created, id, key: bytes.toString("base64") }));
  const sealed = sealBox(key ?? fail(), Buffer.from(canonicalJson(keys)), canonicalJson(header));
  return `${canonicalJson({ ...header, sealed: sealed.toString("base64") })}\n`;
}

/** `undefined` when the file was changed or the secret is not its own. */
export async function parseRing(text: string, secret: RingSecret): Promise<Ring | undefined> {
  try {
    const { sealed, ...header } = JSON.parse(text) as Header & { sealed: string };
    const box = decodeBase64(sealed);
    const key = await deriveKey(header, secret);
    const opened = key === undefined || box === undefined ? undefined : openBox(key, box, canonicalJson(header));
    if (opened === undefined) return undefined;
    const keys = JSON.parse(opened.toString()) as { id: string; created: string; key: string }[];
    return keys.map(({ id, created, key: bytes }) => ({ id, created, key: Buffer.from(bytes, "base64") }));
  } catch {
    return undefined;
  }
}

/** Nonce, ciphertext and tag under AES-256-GCM. `bound` must be the same to open it. */
export function sealBox(key: Uint8Array, data: Uint8Array, bound: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(bound));
  return Buffer.concat([nonce, cipher.update(data), cipher.final(), cipher.getAuthTag()]);
}

/** `undefined` when it was changed, or sealed under another key or for something else. */
export function openBox(key: Uint8Array, box: Uint8Array, bound: string): Buffer | undefined {
  if (box.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(bound));
  decipher.setAuthTag(box.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
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

/** Refuses fewer iterations than we write, and so many that a changed file could hold the process up. */
async function deriveKey(header: Header, secret: RingSecret): Promise<Buffer | undefined> {
  const { v, kdf, iterations = 0, salt = "" } = header;
  if (v !== 1) return undefined;
  if ("key" in secret) return kdf === "none" ? secret.key : undefined;
  if (kdf !== PBKDF2 || iterations < ITERATIONS || iterations > 10 * ITERATIONS) return undefined;
  return derive(secret.passphrase.normalize("NFKC"), Buffer.from(salt, "base64"), iterations, 32, "sha256");
}

function fail(): never {
  throw new TypeError("unreachable: the header is our own");
}

const derive = promisify(pbkdf2);
const PBKDF2 = "PBKDF2-HMAC-SHA-256";
/** OWASP's figure for PBKDF2-HMAC-SHA-256. */
const ITERATIONS = 600_000;
const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
