import { join } from "node:path";
import type { LedgerPosition } from "../ledger.ts";
import { checkEntry, type Entry, genesisHash } from "./entry.ts";
import { readLines } from "./read-lines.ts";
import { listSegments, type Segment } from "./segments.ts";

/** Where in a ledger something is: the file, the line counted from 1, and the entry that belongs there. */
export interface LedgerPlace {
  readonly file: string;
  readonly line: number;
  readonly seq: number;
}

/** One step along the chain; a fault is the last. `end` is the offset in the file after the entry. */
export type Step =
  | { readonly kind: "segment"; readonly segment: Segment; readonly start: LedgerPosition }
  | { readonly kind: "entry"; readonly entry: Entry; readonly at: LedgerPlace; readonly end: number }
  | {
      readonly kind: "fault";
      readonly at: LedgerPlace;
      readonly because: string;
      /** The last segment's last line is not ended: what a crash leaves. Its offset. */
      readonly tornAt?: number;
    };

/**
 * Walks a ledger from its first entry, checking every line against the one before it. Holds one line at a time.
 * Everything that reads a ledger reads it through here.
 */
export async function* walkLedger(folder: string): AsyncGenerator<Step, void> {
  const segments = await listSegments(folder);
  const instance = segments[0]?.instance ?? "";
  let position: LedgerPosition = { entries: 0, hash: genesisHash(instance) };

  for (const segment of segments) {
    const { file } = segment;
    let line = 0;
    const fault = (because: string, tornAt?: number): Step => ({
      kind: "fault",
      at: { file, line, seq: position.entries },
      because,
      ...(tornAt === undefined ? {} : { tornAt }),
    });

    if (segment.instance !== instance) {
      yield fault("the segment belongs to another ledger");
      return;
    }
    if (segment.first !== position.entries) {
      yield fault("the segment does not begin where the entries before it end");
      return;
    }
    yield { kind: "segment", segment, start: position };

    for await (const { bytes, offset, ended } of readLines(join(folder, file))) {
      line += 1;
      if (ended !== "newline") {
        const torn = ended === "end-of-file" && segment === segments.at(-1);
        yield fault("the line is not ended", torn ? offset : undefined);
        return;
      }
      const entry = checkEntry(position, bytes);
      if (typeof entry === "string") {
        yield fault(entry);
        return;
      }
      position = { entries: entry.seq + 1, hash: entry.hash };
      yield { kind: "entry", entry, at: { file, line, seq: entry.seq }, end: offset + bytes.length + 1 };
    }
  }
}
