import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

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

/** A flat record in one spelling: names sorted, no white space. */
export function oneSpelling(record: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(record).sort();
  return JSON.stringify(names.map((name) => [name, record[name]]));
}

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
