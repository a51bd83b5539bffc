import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";

/** A key that vouches for notes, as one line of text: `<name>+<key id>+<base64 of type and key>`. */
export interface NoteKey {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly key: KeyObject;
}

/** Type bytes of C2SP signed-note: Ed25519, and ECDSA (over SHA-256, in DER). */
export const ED25519 = 0x01;
export const ECDSA = 0x02;

/**
 * Reads a verifier key; `undefined` when it is none, is of another type, or its id is not its own.
 *
 * @see https://c2sp.org/signed-note
 */
export function parseNoteKey(vkey: string): NoteKey | undefined {
  const [, name, id, encoded] = VKEY.exec(vkey) ?? [];
  const data = encoded === undefined ? undefined : decodeBase64(encoded);
  if (name === undefined || id === undefined || data === undefined) return undefined;
  const key = publicKeyOf(data);
  return key !== undefined && keyId(name, data).toString("hex") === id ? { name, id, key } : undefined;
}

/** `data` is the type byte and the public key: 32 bytes for Ed25519, the SPKI for ECDSA. */
export function renderNoteKey(name: string, data: Buffer): string {
  return `${name}+${keyId(name, data).toString("hex")}+${data.toString("base64")}`;
}

/** Ed25519: of name, newline, type and key. ECDSA: of the SPKI alone. */
export function keyId(name: string, data: Buffer): Buffer {
  const hash = createHash("sha256");
  if (data[0] === ECDSA) hash.update(data.subarray(1));
  else hash.update(`${name}\n`).update(data);
  return hash.digest().subarray(0, KEY_ID_BYTES);
}

/** Is it a name that a key may have? */
export function isKeyName(name: string): boolean {
  return KEY_NAME.test(name);
}

/** `text` ends in a newline. */
export function renderNote(text: string, name: string, id: Buffer, signature: Buffer): string {
  return `${text}\n— ${name} ${Buffer.concat([id, signature]).toString("base64")}\n`;
}

/** The text of a note, or why it is not to be believed. */
export type OpenedNote =
  | { readonly ok: true; readonly text: string; readonly signers: readonly string[] }
  | { readonly ok: false; readonly because: string };

/**
 * Checks a note's signatures: one by a known key must be good, none by a known key may be bad, others are ignored.
 *
 * @see https://c2sp.org/signed-note#verifying-signatures
 */
export function openNote(note: string, keys: readonly NoteKey[]): OpenedNote {
  const end = note.lastIndexOf("\n\n");
  if (end === -1 || !note.endsWith("\n") || CONTROL.test(note)) return malformed;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split("\n");
  if (lines.length > MOST_SIGNATURES) return malformed;
  const signers: string[] = [];
  for (const line of lines) {
    const [, name, encoded] = SIGNATURE.exec(line) ?? [];
    const data = encoded === undefined ? undefined : decodeBase64(encoded);
    if (data === undefined || data.length <= KEY_ID_BYTES) return malformed;
    const id = data.toString("hex", 0, KEY_ID_BYTES);
    const known = keys.find((key) => key.name === name && key.id === id);
    if (known === undefined) continue;
    if (!isSigned(text, known.key, data.subarray(KEY_ID_BYTES))) {
      return { ok: false, because: "a signature of the note does not verify" };
    }
    signers.push(known.name);
  }
  return signers.length > 0 ? { ok: true, text, signers } : { ok: false, because: "no known key has signed the note" };
}

/** Base64 in its one standard spelling, padding and spare bits included. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

function isSigned(text: string, key: KeyObject, signature: Buffer): boolean {
  return verify(key.asymmetricKeyType === "ec" ? "sha256" : null, Buffer.from(text), key, signature);
}

function publicKeyOf(data: Buffer): KeyObject | undefined {
  const [type, bytes] = [data[0], data.subarray(1)];
  try {
    if (type === ED25519 && bytes.length === 32) {
      return createPublicKey({ key: Buffer.concat([ED25519_SPKI, bytes]), format: "der", type: "spki" });
    }
    if (type !== ECDSA) return undefined;
    const key = createPublicKey({ key: bytes, format: "der", type: "spki" });
    return key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : undefined;
  } catch {
    return undefined;
  }
}

const KEY_ID_BYTES = 4;
/** More than the 16 that C2SP asks a verifier to take, and bounded. */
const MOST_SIGNATURES = 64;
/** RFC 8410: the fixed bytes before an Ed25519 public key. */
const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");
const KEY_NAME = /^[^\s+\p{Cc}]{1,255}$/u;
const VKEY = /^([^\s+\p{Cc}]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u;
const SIGNATURE = /^— ([^\s+\p{Cc}]{1,255}) ([A-Za-z0-9+/]+={0,2})$/u;
const CONTROL = /[^\P{Cc}\n]/u;
const malformed: OpenedNote = Object.freeze({ ok: false, because: "the note is malformed" });
