import { createReadStream } from "node:fs";

/** A longer line is no entry: it bounds what reading a spoilt file can cost. */
export const MAX_LINE_BYTES: number = 64 * 1024 * 1024;

export interface Line {
  /** Without the newline. */
  readonly bytes: Buffer;
  /** Where the line begins in its file. */
  readonly offset: number;
  readonly ended: "newline" | "end-of-file" | "too-long";
}

/** Reads a file line by line, holding one line at a time. */
export async function* readLines(path: string): AsyncGenerator<Line, void> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let offset = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      const bytes = joined(rest, chunk.subarray(start, at));
      yield { bytes, offset, ended: "newline" };
      offset += bytes.length + 1;
      start = at + 1;
      rest = [];
      restBytes = 0;
    }
    if (start === chunk.length) continue;
    rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    if (restBytes > MAX_LINE_BYTES) {
      yield { bytes: EMPTY, offset, ended: "too-long" };
      return;
    }
  }
  if (restBytes > 0) yield { bytes: Buffer.concat(rest), offset, ended: "end-of-file" };
}

function joined(rest: readonly Buffer[], last: Buffer): Buffer {
  return rest.length === 0 ? last : Buffer.concat([...rest, last]);
}

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);
