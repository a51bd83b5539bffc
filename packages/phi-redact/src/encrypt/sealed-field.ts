import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import type { FieldPlace } from "./field.ts";
import { NONCE_BYTES } from "./nonces.ts";

/** A field as it is stored: which wrapping key, the data key under it, and nonce, ciphertext and tag. */
export interface SealedField {
  readonly keyId: string;
  readonly wrapped: Uint8Array;
  readonly box: Uint8Array;
}

/** `w1.<wrapping key id>.<wrapped data key>.<nonce, ciphertext, tag>`, each in base64url. */
export function renderSealed({ keyId, wrapped, box }: SealedField): string {
  return `${VERSION}.${encode(Buffer.from(keyId))}.${encode(wrapped)}.${encode(box)}`;
}

/** `undefined` when it is no such text, or not in its one spelling. */
export function parseSealed(text: string): SealedField | undefined {
  const [version, keyId, wrapped, box, ...rest] = text.split(".");
  if (version !== VERSION || rest.length > 0) return undefined;
  const parts = [keyId, wrapped, box].map(decode);
  const [id, key, sealed] = parts;
  if (id === undefined || key === undefined || sealed === undefined) return undefined;
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  return { keyId: id.toString(), wrapped: key, box: sealed };
}

/** @see https://doi.org/10.6028/NIST.SP.800-38D */
export function sealField(key: KeyObject, nonce: Uint8Array, text: string, aad: Buffer): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

/** `undefined` when it was changed, or sealed under another key or for another place. */
export function openField(key: Uint8Array, box: Uint8Array, aad: Buffer): string | undefined {
  const decipher = createDecipheriv(ALGORITHM, key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(box.subarray(-TAG_BYTES));
  try {
    // Nothing is looked at before `final` has verified the tag.
    return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString();
  } catch {
    return undefined;
  }
}

/**
 * Type, id, path and key id as additional data, in one unambiguous spelling. Indexes are left out: see `FieldPlace`.
 *
 * Does NOT bind the version of the resource or the place within a list: an older value of the same element opens.
 */
export function additionalData(place: FieldPlace, keyId: string): Buffer {
  const path = place.path.replace(INDEX, "");
  return Buffer.from(JSON.stringify(["wardline field 1", keyId, place.resourceType, place.id ?? null, path]));
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function decode(text: string | undefined): Buffer | undefined {
  if (text === undefined || text === "") return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

const VERSION = "w1";
const ALGORITHM = "aes-256-gcm";
const TAG_BYTES = 16;
const INDEX = /\[\d+\]/g;
