import { endOfNumber, isNumberStart, numberForm } from "./json-numbers.ts";
import { hasLoneSurrogate, nameOf, readString, type StringRead } from "./json-strings.ts";

/** What a JSON text may hold, by our limits. */
export interface JsonLimits {
  /** Objects and arrays within each other. */
  readonly maxDepth: number;
  /** Entries of one array. */
  readonly maxArrayLength: number;
}

export type JsonFault =
  | "too-deep"
  | "array-too-long"
  | "forbidden-name"
  | "repeated-name"
  | "number-form"
  | "lone-surrogate";

/** What one look through a JSON text tells. */
export interface JsonLook {
  readonly fault: JsonFault | undefined;
  /** Whole numbers were met that are written with a fraction or an exponent: `integerFormIssues` tells which are integers. */
  readonly wholeInOtherForm: boolean;
}

/**
 * Looks through the bytes of a JSON text for what reading it would hide or change: numbers that JavaScript cannot hold,
 * halves of surrogate pairs, names that mean something on a JavaScript object; and for what is too deep or too long.
 * One pass, no recursion, which ends at the first fault.
 *
 * Requires text that is well-formed UTF-8 and JSON. Names that occur twice are looked for on demand: `readBody` has done so.
 *
 * @see https://hl7.org/fhir/R4/json.html
 */
export function lookThroughJson(bytes: Buffer, limits: JsonLimits, demand: Demand = NO_DEMAND): JsonLook {
  const look: Growing<JsonLook> = { fault: undefined, wholeInOtherForm: false };
  look.fault = firstFault(bytes, limits, demand, look);
  return look;
}

/** The same, when nothing but the fault is asked. */
export function findJsonFault(bytes: Buffer, limits: JsonLimits): JsonFault | undefined {
  return lookThroughJson(bytes, limits).fault;
}

interface Demand {
  readonly repeatedNames: boolean;
}
const NO_DEMAND: Demand = Object.freeze({ repeatedNames: false });

type Growing<Value> = { -readonly [Key in keyof Value]: Value[Key] };

function firstFault(
  bytes: Buffer,
  { maxDepth, maxArrayLength }: JsonLimits,
  { repeatedNames }: Demand,
  look: Growing<JsonLook>,
): JsonFault | undefined {
  /** Entries begun in each open array; -1 for an object. */
  const open: number[] = [];
  /** Names seen in each open object and array. */
  const seen: Set<string>[] = [];
  const string: StringRead = { end: 0, hasEscapes: false, hasUnicodeEscapes: false };
  let expectsName = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte: number = bytes[at] ?? 0;
    switch (byte) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (open.length >= maxDepth) return "too-deep";
        expectsName = byte === OPEN_BRACE;
        open.push(expectsName ? -1 : 1);
        if (repeatedNames) seen.push(new Set());
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        open.pop();
        seen.pop();
        expectsName = false;
        break;
      case COMMA: {
        const entries = open.at(-1) ?? -1;
        expectsName = entries < 0;
        if (expectsName) break;
        if (entries >= maxArrayLength) return "array-too-long";
        open[open.length - 1] = entries + 1;
        break;
      }
      case QUOTE: {
        readString(bytes, at + 1, string);
        const fault =
          stringFault(bytes, at + 1, string) ??
          (expectsName ? nameFault(bytes, at + 1, string, seen.at(-1)) : undefined);
        if (fault !== undefined) return fault;
        expectsName = false;
        at = string.end;
        break;
      }
      default:
        if (isNumberStart(byte)) {
          const end = endOfNumber(bytes, at + 1);
          const form = end - at === 1 ? "usual" : numberForm(bytes.toString("latin1", at, end));
          if (form === "changed") return "number-form";
          if (form === "whole") look.wholeInOtherForm = true;
          at = end - 1;
        }
    }
  }
  return undefined;
}

/** The same of a value that was read: of its text are gone the forms of numbers, escapes, and names that occurred twice. */
export function findJsonValueFault(value: unknown, limits: JsonLimits): JsonFault | undefined {
  return typeof value === "object" && value !== null ? nodeFault(value, limits, 0) : undefined;
}

/** Loops that make no list of members: this looks at every node of every body. */
function nodeFault(node: object, limits: JsonLimits, depth: number): JsonFault | undefined {
  if (depth >= limits.maxDepth) return "too-deep";
  if (Array.isArray(node)) {
    if (node.length > limits.maxArrayLength) return "array-too-long";
    for (let at = 0; at < node.length; at++) {
      const entry: unknown = node[at];
      const fault = typeof entry === "object" && entry !== null ? nodeFault(entry, limits, depth + 1) : undefined;
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  for (const name in node) {
    if (FORBIDDEN.has(name)) return "forbidden-name";
    const member = (node as Readonly<Record<string, unknown>>)[name];
    const fault = typeof member === "object" && member !== null ? nodeFault(member, limits, depth + 1) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;
/** Names of JavaScript's own objects. No element of FHIR has one of them. */
const FORBIDDEN: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), "prototype"]);

/** What a name of theirs begins with, and how long it is: hardly a name of FHIR is like it, so that few have to be read. */
const shapeOf = (firstByte: number, length: number): number => firstByte + 256 * length;
const FORBIDDEN_SHAPES: ReadonlySet<number> = new Set(
  [...FORBIDDEN].map((name) => shapeOf(Buffer.from(name)[0] ?? 0, Buffer.byteLength(name))),
);

function nameFault(
  bytes: Buffer,
  start: number,
  read: StringRead,
  seen: Set<string> | undefined,
): JsonFault | undefined {
  const mayBeForbidden = read.hasEscapes || FORBIDDEN_SHAPES.has(shapeOf(bytes[start] ?? 0, read.end - start));
  if (seen === undefined && !mayBeForbidden) return undefined;
  const name = nameOf(bytes, start, read);
  if (FORBIDDEN.has(name)) return "forbidden-name";
  if (seen?.has(name) === true) return "repeated-name";
  seen?.add(name);
  return undefined;
}

function stringFault(bytes: Buffer, start: number, { end, hasUnicodeEscapes }: StringRead): JsonFault | undefined {
  return hasUnicodeEscapes && hasLoneSurrogate(bytes.toString("latin1", start, end)) ? "lone-surrogate" : undefined;
}
