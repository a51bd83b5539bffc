import { decodeBase64, type NoteKey, openNote } from "./note.ts";
import { HASH_BYTES } from "./tree.ts";

/** What a log claims when it signs: so many leaves, and this is the root of their tree. */
export interface Checkpoint {
  /** Names the log: no spaces, no `+`. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** @see https://c2sp.org/tlog-checkpoint */
export function renderCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString("base64")}\n`;
}

/** Does NOT check who signed. `undefined` when the text is no checkpoint; lines after the third are extensions. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [, origin, digits, encoded] = CHECKPOINT.exec(text) ?? [];
  const size = Number(digits);
  const root = encoded === undefined ? undefined : decodeBase64(encoded);
  if (origin === undefined || !Number.isSafeInteger(size) || root?.length !== HASH_BYTES) return undefined;
  return { origin, size, root };
}

/** The checkpoint a note holds, signed by one of the keys; otherwise why it is not to be believed. */
export function openCheckpoint(note: string, keys: readonly NoteKey[]): Checkpoint | string {
  const opened = openNote(note, keys);
  if (!opened.ok) return opened.because;
  const checkpoint = parseCheckpoint(opened.text);
  if (checkpoint === undefined) return "the note is no checkpoint";
  // The log's own key: a witness's signature alone says nothing about which log this is.
  const own = opened.signers.some((name) => checkpoint.origin === name || checkpoint.origin.startsWith(`${name}/`));
  return own ? checkpoint : "the checkpoint is not signed by the log it names";
}

const CHECKPOINT = /^([^\s+\p{Cc}]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/u;
