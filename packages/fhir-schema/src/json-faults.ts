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

/**
 * Looks through the bytes of a JSON text for what reading it would hide or change: numbers that JavaScript cannot hold,
 * halves of surrogate pairs, names that mean something on a JavaScript object; and for what is too deep or too long.
 * One pass, no recursion.
 *
 * Requires text that is well-formed UTF-8 and JSON. Names that occur twice are looked for on demand: `readBody` has done so.
 *
 * @see https://hl7.org/fhir/R4/json.html
 */
export function findJsonFault(
  bytes: Buffer,
  { maxDepth, maxArrayLength }: JsonLimits,
  demand: { readonly repeatedNames: boolean } = { repeatedNames: false },
): JsonFault | undefined {
  /** Entries begun in each open array; -1 for an object. */
  const open: number[] = [];
  /** Names seen in each open object and array. */
  const seen: Set<string>[] = [];
  let expectsName = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte: number = bytes[at] ?? 0;
    switch (byte) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (open.length >= maxDepth) return "too-deep";
        expectsName = byte === OPEN_BRACE;
        open.push(expectsName ? -1 : 1);
        if (demand.repeatedNames) seen.push(new Set());
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
        const end = endOfString(bytes, at + 1);
        const fault =
          stringFault(bytes, at + 1, end) ?? (expectsName ? nameFault(bytes, at + 1, end, seen.at(-1)) : undefined);
        if (fault !== undefined) return fault;
        expectsName = false;
        at = end.at;
        break;
      }
      default:
        if (isNumberStart(byte)) {
          const end = endOfNumber(bytes, at + 1);
          if (end - at > 1 && !isFaithful(bytes.toString("latin1", at, end))) return "number-form";
          at = end - 1;
        }
    }
  }
  return undefined;
}

/** The same for a body an earlier parser has read: its text is gone, and with it the forms of its numbers. */
export function findJsonValueFault(value: unknown, { maxDepth, maxArrayLength }: JsonLimits): JsonFault | undefined {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const node of level) {
      if (node === null || typeof node !== "object") continue;
      if (depth >= maxDepth) return "too-deep";
      if (Array.isArray(node) && node.length > maxArrayLength) return "array-too-long";
      if (!Array.isArray(node) && Object.keys(node).some((name) => FORBIDDEN.has(name))) return "forbidden-name";
      for (const member of Object.values(node)) next.push(member);
    }
    level = next;
  }
  return undefined;
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

interface StringEnd {
  readonly at: number;
  readonly escaped: boolean;
}

function endOfString(bytes: Buffer, start: number): StringEnd {
  let escaped = false;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return { at, escaped };
    if (byte === BACKSLASH) {
      escaped = true;
      at++;
    }
  }
  return { at: bytes.length, escaped };
}

/** Names of JavaScript's own objects. No element of FHIR has one of them. */
const FORBIDDEN: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), "prototype"]);
const FORBIDDEN_STARTS: ReadonlySet<number> = new Set([...FORBIDDEN].map((name) => name.charCodeAt(0)));

function nameFault(bytes: Buffer, start: number, end: StringEnd, seen: Set<string> | undefined): JsonFault | undefined {
  if (seen === undefined && !end.escaped && !FORBIDDEN_STARTS.has(bytes[start] ?? 0)) return undefined;
  const name = nameOf(bytes, start, end);
  if (FORBIDDEN.has(name)) return "forbidden-name";
  if (seen?.has(name) === true) return "repeated-name";
  seen?.add(name);
  return undefined;
}

/** Names are compared after escapes are decoded: `"na\u006de"` is `name`. */
function nameOf(bytes: Buffer, start: number, { at: end, escaped }: StringEnd): string {
  const text = bytes.toString("utf8", start, end);
  return escaped ? (JSON.parse(`"${text}"`) as string) : text;
}

function stringFault(bytes: Buffer, start: number, { at: end, escaped }: StringEnd): JsonFault | undefined {
  return escaped && hasLoneSurrogate(bytes.toString("latin1", start, end)) ? "lone-surrogate" : undefined;
}

/** UTF-8 cannot write half a pair, so that whoever writes the text again writes something else. */
function hasLoneSurrogate(text: string): boolean {
  for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", at)) {
    const [whole = "", unit = ""] = /^\\(?:u([0-9a-fA-F]{4})|.)/s.exec(text.slice(at, at + 6)) ?? [];
    if (/^d[c-f]/i.test(unit)) return true;
    if (/^d[89ab]/i.test(unit)) {
      if (!/^\\ud[c-f]/i.test(text.slice(at + 6, at + 10))) return true;
      at += 6;
    }
    at += Math.max(whole.length, 1);
  }
  return false;
}

function isNumberStart(byte: number): boolean {
  return byte === MINUS || (byte >= ZERO && byte <= NINE);
}

function endOfNumber(bytes: Buffer, start: number): number {
  let at = start;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    // digits, "+", "-", ".", "E", "e"
    if (!((byte >= ZERO && byte <= NINE) || byte === 0x2b || byte === MINUS || byte === 0x2e || (byte | 0x20) === 0x65))
      break;
  }
  return at;
}

/** FHIR asks for eighteen digits of precision; more than this measures nothing. */
const MAX_NUMBER_LENGTH = 64;

/** `readBody` keeps the text of numbers, some of which `JSON.parse` would not read. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** @see https://hl7.org/fhir/R4/datatypes.html#decimal */
function isFaithful(text: string): boolean {
  if (text.length > MAX_NUMBER_LENGTH || !NUMBER.test(text)) return false;
  const number = Number(text);
  if (!Number.isFinite(number)) return false;
  return number !== 0 || !/^-?[0.]*[1-9]/.test(text);
}
