import { createHash } from "node:crypto";
import type { LedgerPosition } from "../ledger.ts";

/**
 * One entry is one line of JSON, in exactly this form and order:
 *
 *     {"v":1,"seq":7,"prev":"<hash of entry 6>","at":"2026-01-31T12:00:00.000Z","event":{...},"hash":"<hash>"}
 *
 * `hash` is the SHA-256 of the line's bytes before `,"hash":`, so it covers the number, the link and the event as they
 * are stored: nothing is canonicalised, and a decimal keeps its zeros. `prev` of entry 0 is the genesis hash.
 */
export interface Entry {
  readonly seq: number;
  readonly at: string;
  readonly hash: string;
  /** The event's JSON text as stored. */
  readonly event: string;
}

/** What the first entry links to. It holds the instance's name, so the ledger of one cannot pass for another's. */
export function genesisHash(instance: string): string {
  return createHash("sha256").update(`wardline ledger 1\n${instance}\n`).digest("hex");
}

/** The line of the next entry, with its newline, and the position after it. `event` is JSON text. */
export function renderEntry(
  before: LedgerPosition,
  at: string,
  event: string,
): { readonly line: string; readonly after: LedgerPosition } {
  const body = `${prefix(before)}${at}","event":${event}`;
  const hash = sha256(body);
  return { line: `${body}${suffix(hash)}\n`, after: { entries: before.entries + 1, hash } };
}

/**
 * Reads a line (without its newline) as the entry that follows `before`; gives the reason when it is not.
 * Does NOT parse the event.
 */
export function checkEntry(before: LedgerPosition, line: Buffer): Entry | string {
  const bodyEnd = line.length - SUFFIX_LENGTH;
  if (bodyEnd <= 0) return NOT_AN_ENTRY;
  const hash = sha256(line.subarray(0, bodyEnd));
  if (line.toString("latin1", bodyEnd) !== suffix(hash)) return HASH_DIFFERS;
  const head = prefix(before);
  if (line.toString("latin1", 0, head.length) !== head) return NOT_THE_NEXT;
  const eventStart = head.length + TIME_LENGTH + BETWEEN.length;
  if (line.toString("latin1", head.length + TIME_LENGTH, eventStart) !== BETWEEN) return NOT_AN_ENTRY;
  return {
    seq: before.entries,
    at: line.toString("latin1", head.length, head.length + TIME_LENGTH),
    hash,
    event: line.toString("utf8", eventStart, bodyEnd),
  };
}

function prefix({ entries, hash }: LedgerPosition): string {
  return `{"v":1,"seq":${entries},"prev":"${hash}","at":"`;
}

function suffix(hash: string): string {
  return `,"hash":"${hash}"}`;
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

const TIME_LENGTH = "2026-01-31T12:00:00.000Z".length;
const BETWEEN = '","event":';
const SUFFIX_LENGTH = suffix("0".repeat(64)).length;

const NOT_AN_ENTRY = "the line is not an entry";
const HASH_DIFFERS = "the entry does not match its own hash";
const NOT_THE_NEXT = "the entry does not follow the one before it";
