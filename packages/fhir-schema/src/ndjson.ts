import { Pieces, readJson } from "@wardline/policy-types/express";
import { integerFormIssues } from "./integer-forms.ts";
import { hasError, type SchemaIssue } from "./issues.ts";
import { type JsonFault, lookThroughJson } from "./json-faults.ts";
import { bodyRefused } from "./problems.ts";
import type { ProfileValidator } from "./profiles/validate.ts";
import type { ExampleFaultsMode } from "./resources/example-faults.ts";
import { validateResource } from "./resources/validate.ts";

export interface NdjsonOptions {
  /** The one type the file holds: Bulk Data files hold one each. Default any. */
  readonly type?: string;
  /** Longest line. Default 1 MiB. */
  readonly maxLineBytes?: number;
  /** Issues told of one line. Default 20. */
  readonly maxIssues?: number;
  /** Objects and arrays within each other. Default 100. */
  readonly maxDepth?: number;
  /** Entries of one array. Default 10000. */
  readonly maxArrayLength?: number;
  /** What examples published with R4 do though R4 forbids it. Default `report`: told as a warning. */
  readonly exampleFaults?: ExampleFaultsMode;
  /** Judges the profiles each resource claims, and those listed here. */
  readonly profiles?: { readonly validator: ProfileValidator; readonly required?: readonly string[] };
}

/** One line of a file, judged. */
export interface NdjsonLine {
  /** Counted from 1, empty lines included. */
  readonly line: number;
  /** As received, without its newline; empty when the line was longer than allowed. */
  readonly bytes: Buffer;
  /** Undefined when the line could not be read. */
  readonly resource: unknown;
  /** The line is well-formed when none of them is an error. */
  readonly issues: readonly SchemaIssue[];
}

/**
 * Judges NDJSON line by line, holding one line at a time: the next chunk is asked for when the caller asks for the next
 * line. A line that cannot be read is told and the next one goes on; empty lines are skipped. The source's errors are
 * thrown to the caller.
 *
 * Does NOT decide what becomes of the other lines when one is refused, nor look for ids that repeat.
 *
 * @see https://hl7.org/fhir/R4/nd-json.html
 */
export async function* validateNdjson(
  source: AsyncIterable<Uint8Array>,
  options: NdjsonOptions = {},
): AsyncGenerator<NdjsonLine, void, undefined> {
  const limitBytes = options.maxLineBytes ?? 1024 * 1024;
  let line = 0;
  const parts = new Pieces();
  let isTooLong = false;
  for await (const piece of pieces(source)) {
    if (piece !== "newline") {
      isTooLong ||= parts.size + piece.length > limitBytes;
      if (isTooLong) parts.drop();
      else parts.add(piece);
      continue;
    }
    line++;
    const judged = isTooLong ? TOO_LONG : judgeLine(parts.takeCopy(), options);
    isTooLong = false;
    if (judged !== undefined) yield { line, ...judged };
  }
}

/** Cuts chunks at their newlines; the end of the source ends the last line. */
async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer | "newline", void, undefined> {
  for await (const chunk of source) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, start)) {
      yield bytes.subarray(start, at);
      yield "newline";
      start = at + 1;
    }
    if (start < bytes.length) yield bytes.subarray(start);
  }
  yield "newline";
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const MAX_ISSUES = 20;

type Judged = Omit<NdjsonLine, "line">;

const TOO_LONG: Judged = {
  bytes: Buffer.alloc(0),
  resource: undefined,
  issues: [{ severity: "error", issue: "too-long", detail: "The line is longer than this server reads." }],
};
const UNREADABLE: SchemaIssue = Object.freeze({
  severity: "error",
  issue: "structure",
  detail: "The line is no JSON in UTF-8.",
});

function judgeLine(raw: Buffer, options: NdjsonOptions): Judged | undefined {
  const bytes = raw.at(-1) === CARRIAGE_RETURN ? raw.subarray(0, -1) : raw;
  if (bytes.length === 0) return undefined;
  const { type, maxIssues, maxDepth = 100, maxArrayLength = 10_000, exampleFaults, profiles } = options;
  let resource: unknown;
  try {
    resource = readJson(STRICT_UTF8.decode(bytes));
  } catch {
    return { bytes, resource: undefined, issues: [UNREADABLE] };
  }
  const { fault, wholeInOtherForm } = lookThroughJson(bytes, { maxDepth, maxArrayLength }, { repeatedNames: true });
  if (fault !== undefined) return { bytes, resource: undefined, issues: [faultIssue(fault)] };
  const limits = {
    maxDepth,
    maxArrayLength,
    ...(maxIssues === undefined ? {} : { maxIssues }),
    ...(exampleFaults === undefined ? {} : { exampleFaults }),
  };
  const named = type === undefined ? {} : { type };
  const told = validateResource(resource, { ...limits, ...named });
  if (hasError(told)) return { bytes, resource, issues: told };
  const forms = wholeInOtherForm ? integerFormIssues(bytes, resource, maxIssues ?? MAX_ISSUES) : [];
  if (forms.length > 0 || profiles === undefined) return { bytes, resource, issues: [...forms, ...told] };
  const ofProfiles = profiles.validator.validate(resource, profiles.required ?? []);
  return { bytes, resource, issues: [...ofProfiles, ...told] };
}

function faultIssue(fault: JsonFault): SchemaIssue {
  const { issue, detail } = bodyRefused(fault);
  return { severity: "error", issue, detail };
}
