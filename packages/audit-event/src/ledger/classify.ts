import { join } from "node:path";
import { checkEntry, type LooseEntry, looseEntry } from "./entry.ts";
import { readLines } from "./read-lines.ts";
import { listSegments } from "./segments.ts";
import type { Fault } from "./walk.ts";

/**
 * What kind of change was made to a ledger. `torn` is what a crash leaves, and no sign of tampering: an unfinished last
 * line.
 */
export type LedgerChange =
  | "edit"
  | "insertion"
  | "deletion"
  | "reorder"
  | "truncation"
  | "replayed-segment"
  | "forged-checkpoint"
  | "torn";

/**
 * Names the kind of change at the first place that does not fit, from what is there after it. One change is named
 * right; of several made together, the first place is right and its name is the likeliest.
 */
export async function classify(folder: string, fault: Fault): Promise<LedgerChange> {
  switch (fault.cause) {
    case "torn":
      return "torn";
    case "base":
    case "rewritten":
      return "edit";
    case "forged-checkpoint":
      return "forged-checkpoint";
    case "truncated":
      return "truncation";
    case "segment-gap":
      return "deletion";
    case "foreign-segment":
    case "segment-overlap":
      return "replayed-segment";
    case "not-ended":
    case "entry":
      return classifyLine(folder, fault);
  }
}

async function classifyLine(folder: string, fault: Fault): Promise<LedgerChange> {
  const { line, expectedLater } = await lookAround(folder, fault);
  // A file that others follow and that ends inside a line: with the lost byte put back it is whole, or more is gone.
  if (fault.cause === "not-ended") return line?.whole === true ? "edit" : "deletion";
  if (line?.whole !== true) return expectedLater ? "insertion" : "edit";
  const { entries } = fault.before;
  if (line.seq > entries) return expectedLater ? "reorder" : "deletion";
  const startsSegment = fault.at.line === 1;
  if (expectedLater) return "insertion";
  if (line.seq < entries) return startsSegment ? "replayed-segment" : "insertion";
  // Either the entry before was written anew, or this file is from another time.
  return startsSegment && line.at < (await timeBefore(folder, fault)) ? "replayed-segment" : "edit";
}

/** What the line at the fault says of itself, and whether the entry that belongs there stands further on. */
async function lookAround(
  folder: string,
  { at, before }: Fault,
): Promise<{ readonly line: LooseEntry | undefined; readonly expectedLater: boolean }> {
  let line: LooseEntry | undefined;
  let passed = false;
  for (const { file } of await listSegments(folder)) {
    let number = 0;
    if (file < at.file) continue;
    for await (const { bytes, ended } of readLines(join(folder, file))) {
      number += 1;
      if (passed && typeof checkEntry(before, bytes) !== "string") return { line, expectedLater: true };
      if (file !== at.file || number !== at.line) continue;
      line = looseEntry(ended === "newline" ? bytes : bytes.subarray(0, -1));
      passed = true;
    }
  }
  return { line, expectedLater: false };
}

async function timeBefore(folder: string, { at }: Fault): Promise<string> {
  const previous = (await listSegments(folder)).findLast(({ file }) => file < at.file);
  let time = "";
  if (previous === undefined) return time;
  for await (const { bytes } of readLines(join(folder, previous.file))) time = looseEntry(bytes)?.at ?? time;
  return time;
}
