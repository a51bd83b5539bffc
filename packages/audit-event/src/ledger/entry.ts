import { hash as digest } from "node:crypto";
import { GrowingBytes } from "../growing-bytes.ts";
import type { LedgerPosition } from "../ledger.ts";
import { decodeBase64 } from "../merkle/note.ts";

/**
 * One entry is one line of JSON, in exactly one of these forms and this order:
 *
 *     {"v":1,"seq":7,"prev":"<hash of entry 6>","at":"2026-01-31T12:00:00.000Z","event":{...},"hash":"<hash>"}
 *     {"v":2,"seq":7,"prev":"...","at":"...","key":{"id":"k1","wrapped":"<base64>"},"sealed":"<base64>","hash":"..."}
 *
 * `hash` is the SHA-256 of the line's bytes before `,"hash":`, so it covers the number, the link and the event as they
 * are stored: nothing is canonicalised, and a decimal keeps its zeros. `prev` of entry 0 is the genesis hash. The second
 * form holds the event encrypted; `key` stands in the first entry under a key and holds for those that follow.
 */
export interface Entry {
  readonly seq: number;
  readonly at: string;
  readonly hash: string;
  readonly event: StoredEvent;
  /** The bytes the hash is of. */
  readonly bytes: Buffer;
}

/** An event as stored: its JSON text (on its way in perhaps as bytes, in UTF-8), or ciphertext. */
export type StoredEvent<Text = string> =
  | { readonly kind: "plain"; readonly text: Text }
  | {
      readonly kind: "sealed";
      /** Absent: the key of the entries before. */
      readonly key?: StoredKey;
      readonly data: Buffer;
    };

export interface StoredKey {
  readonly id: string;
  readonly wrapped: Buffer;
}

/** What the first entry links to. It holds the instance's name, so the ledger of one cannot pass for another's. */
export function genesisHash(instance: string): string {
  return digest("sha256", `wardline ledger 1\n${instance}\n`);
}

/** The line of the next entry, with its newline, put behind `lines`; and the position after it. */
export function renderEntry(
  before: LedgerPosition,
  at: string,
  event: StoredEvent<string | Uint8Array>,
  lines: GrowingBytes = new GrowingBytes(0),
): { readonly line: Buffer; readonly after: LedgerPosition } {
  const start = lines.length;
  lines.addText(`${entryHead(before, at, event.kind)}",${event.kind === "plain" ? '"event":' : sealedMembers(event)}`);
  if (event.kind === "plain") {
    if (typeof event.text === "string") lines.addText(event.text);
    else lines.addBytes(event.text);
  }
  // Over the bytes that go to disk: nothing is encoded twice.
  const hash = digest("sha256", lines.view(start));
  lines.addText(`${suffix(hash)}\n`);
  return { line: lines.view(start), after: { entries: before.entries + 1, hash } };
}

/** The line's beginning, up to the time. An encrypted event is bound to it: it opens in its own place only. */
export function entryHead(before: LedgerPosition, at: string, kind: StoredEvent["kind"]): string {
  return `${prefix(before, kind)}${at}`;
}

/** How many bytes the next entry takes, its newline included. */
export function entryBytes(seq: number, eventBytes: number): number {
  return FIXED_LENGTH + String(seq).length + eventBytes;
}

/**
 * Reads a line (without its newline) as the entry that follows `before`; gives the reason when it is not.
 * Does NOT parse the event.
 */
export function checkEntry(before: LedgerPosition, line: Buffer): Entry | string {
  const bodyEnd = line.length - SUFFIX_LENGTH;
  if (bodyEnd <= 0) return NOT_AN_ENTRY;
  const bytes = line.subarray(0, bodyEnd);
  const hash = digest("sha256", bytes);
  if (line.toString("latin1", bodyEnd) !== suffix(hash)) return HASH_DIFFERS;
  const kind = line[VERSION_AT] === 0x32 ? "sealed" : "plain";
  const head = prefix(before, kind);
  if (line.toString("latin1", 0, head.length) !== head) return NOT_THE_NEXT;
  const timeEnd = head.length + TIME_LENGTH;
  const at = line.toString("latin1", head.length, timeEnd);
  const event = kind === "plain" ? plainEvent(bytes, timeEnd) : sealedEvent(bytes.toString("latin1", timeEnd));
  return event === undefined ? NOT_AN_ENTRY : { seq: before.entries, at, hash, event, bytes };
}

/** What a line that does not follow says of itself. `whole`: it matches its own hash. */
export interface LooseEntry {
  readonly whole: boolean;
  readonly seq: number;
  readonly prev: string;
  readonly at: string;
}

/** Reads a line out of its place; `undefined` when it has not even the form of an entry. */
export function looseEntry(line: Buffer): LooseEntry | undefined {
  const bodyEnd = line.length - SUFFIX_LENGTH;
  const [, seq, prev, at] = LOOSE.exec(line.toString("latin1", 0, 200)) ?? [];
  if (bodyEnd <= 0 || seq === undefined || prev === undefined || at === undefined) return undefined;
  const hash = digest("sha256", line.subarray(0, bodyEnd));
  return { whole: line.toString("latin1", bodyEnd) === suffix(hash), seq: Number(seq), prev, at };
}

function plainEvent(bytes: Buffer, timeEnd: number): StoredEvent | undefined {
  const eventStart = timeEnd + BETWEEN.length;
  if (bytes.toString("latin1", timeEnd, eventStart) !== BETWEEN) return undefined;
  return { kind: "plain", text: bytes.toString("utf8", eventStart) };
}

function sealedEvent(rest: string): StoredEvent | undefined {
  const [, id, wrapped, sealed] = SEALED.exec(rest) ?? [];
  const data = decodeBase64(sealed ?? "");
  const wrappedKey = decodeBase64(wrapped ?? "");
  if (sealed === undefined || data === undefined || wrappedKey === undefined) return undefined;
  return { kind: "sealed", data, ...(id === undefined ? {} : { key: { id, wrapped: wrappedKey } }) };
}

function sealedMembers({ key, data }: StoredEvent & { kind: "sealed" }): string {
  const keyMember = key === undefined ? "" : `"key":{"id":"${key.id}","wrapped":"${key.wrapped.toString("base64")}"},`;
  return `${keyMember}"sealed":"${data.toString("base64")}"`;
}

function prefix({ entries, hash }: LedgerPosition, kind: StoredEvent["kind"]): string {
  return `{"v":${kind === "plain" ? 1 : 2},"seq":${entries},"prev":"${hash}","at":"`;
}

function suffix(hash: string): string {
  return `,"hash":"${hash}"}`;
}

/** What the id of a wrapping key may consist of. */
export const KEY_ID: RegExp = /^[A-Za-z0-9._:/=@-]{1,512}$/;

export const TIME_LENGTH: number = "2026-01-31T12:00:00.000Z".length;
const BETWEEN = '","event":';
const SUFFIX_LENGTH = suffix("0".repeat(64)).length;
const VERSION_AT = '{"v":'.length;
const FIXED_LENGTH =
  prefix({ entries: 0, hash: "0".repeat(64) }, "plain").length - 1 + TIME_LENGTH + BETWEEN.length + SUFFIX_LENGTH + 1;
const SEALED =
  /^",(?:"key":\{"id":"([A-Za-z0-9._:/=@-]{1,512})","wrapped":"([A-Za-z0-9+/=]+)"\},)?"sealed":"([A-Za-z0-9+/=]+)"$/;
const LOOSE = /^\{"v":[12],"seq":(\d{1,16}),"prev":"([0-9a-f]{64})","at":"([0-9TZ:.+-]{24})"/;

const NOT_AN_ENTRY = "the line is not an entry";
const HASH_DIFFERS = "the entry does not match its own hash";
const NOT_THE_NEXT = "the entry does not follow the one before it";
