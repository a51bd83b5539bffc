import type { SendCommand } from "@wardline/policy-types";
import {
  type History,
  type HistoryEntry,
  type HistoryHead,
  parseEntry,
  parseHead,
  renderEntry,
} from "../history/entry.ts";
import type { Seal } from "./sealed.ts";

export interface SharedHistoryOptions {
  readonly send: SendCommand;
  readonly seal: Seal;
  readonly instance: string;
  readonly keys: { readonly history: string; readonly historyWriter: string };
  /** Between two copies, whichever instance writes them. */
  readonly seconds: number;
  readonly maxBytes: number;
  readonly now: () => number;
}

export interface StoredHistory extends History {
  /** How far the stream had been read when it was written: what comes after is not in it. */
  readonly streamId: string;
}

/** A copy of what the instances know, for one that starts and knows nothing. One of them writes it, in pieces. */
export interface SharedHistory {
  read(): Promise<StoredHistory | undefined>;
  /** Does nothing while the copy of this or another instance is young. */
  writeIfDue(streamId: string, history: () => History): Promise<void>;
}

export function createSharedHistory(options: SharedHistoryOptions): SharedHistory {
  const { send, instance, keys, seconds, maxBytes, now } = options;
  const { seal, open } = options.seal;
  let dueAt = 0;

  return {
    async read() {
      const { copy, pieces, streamId } = pointerOf(open(String(await send("GET", keys.history)))) ?? NOTHING;
      if (copy === undefined) return undefined;
      const lines: string[] = [];
      for (let piece = 0; piece < pieces; piece++) {
        const text = open(String(await send("HGET", `${keys.history}:${copy}`, String(piece))));
        // Which piece of which copy is sealed with it: an old one in a new one's place is no whole history.
        const name = `${copy} ${piece}\n`;
        if (text?.startsWith(name) !== true) return undefined;
        lines.push(...text.slice(name.length).trimEnd().split("\n"));
      }
      return { ...parseHistory(lines), streamId };
    },
    async writeIfDue(streamId, history) {
      if (now() < dueAt) return;
      dueAt = now() + seconds * 1000;
      const ours = await send("SET", keys.historyWriter, instance, "NX", "PX", String(seconds * 900));
      if (ours === null) return;
      const { head, entries } = history();
      const copy = `${instance}.${head.at}`;
      const place = `${keys.history}:${copy}`;
      let pieces = 0;
      for (const text of split(head, entries, maxBytes)) {
        await send("HSET", place, String(pieces), seal(`${copy} ${pieces}\n${text}`));
        if (pieces++ === 0) await send("PEXPIRE", place, KEPT_MS);
      }
      const before = pointerOf(open(String(await send("GET", keys.history))));
      await send("SET", keys.history, seal(JSON.stringify({ copy, pieces, streamId })), "PX", KEPT_MS);
      if (before !== undefined) await send("DEL", `${keys.history}:${before.copy}`);
    },
  };
}

const PIECE = 65_536;
/** Longer than any window; days are remembered by whoever runs. */
const KEPT_MS = String(7 * 86_400_000);
const NOTHING = { copy: undefined, pieces: 0, streamId: "" };

interface Pointer {
  readonly copy: string;
  readonly pieces: number;
  readonly streamId: string;
}

function pointerOf(text: string | undefined): Pointer | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Pointer);
}

function parseHistory([head = "", ...lines]: readonly string[]): History {
  return { head: parseHead(head), entries: lines.map(parseEntry) };
}

function* split(head: HistoryHead, entries: Iterable<HistoryEntry>, maxBytes: number): Generator<string> {
  let text = `${JSON.stringify(head)}\n`;
  let left = maxBytes;
  for (const entry of entries) {
    text += `${renderEntry(entry)}\n`;
    if (text.length < PIECE) continue;
    left -= text.length;
    if (left < 0) return;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}
