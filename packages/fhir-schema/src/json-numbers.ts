const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_E = 0x65;
const LOWER_CASE = 0x20;

export function isNumberStart(byte: number): boolean {
  return byte === MINUS || isDigit(byte);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Where the number that was begun before `start` ends. */
export function endOfNumber(bytes: Buffer, start: number): number {
  let at = start;
  while (isNumberPart(bytes[at] ?? 0)) at++;
  return at;
}

function isNumberPart(byte: number): boolean {
  return isDigit(byte) || byte === POINT || (byte | LOWER_CASE) === LETTER_E || byte === PLUS || byte === MINUS;
}

/** FHIR asks for eighteen digits of precision; more than this measures nothing. */
const MAX_NUMBER_LENGTH = 64;

/** RFC 8259 section 6. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * How a number is written: `changed` is one that JavaScript cannot hold; `whole` is a whole one with a fraction or an
 * exponent, as `1.0` and `1e2`, of which reading leaves nothing to be seen.
 *
 * @see https://hl7.org/fhir/R4/datatypes.html#decimal
 */
export function numberForm(text: string): "changed" | "whole" | "usual" {
  if (text.length > MAX_NUMBER_LENGTH || !NUMBER.test(text)) return "changed";
  const number = Number(text);
  if (!Number.isFinite(number)) return "changed";
  if (number === 0 && /^-?[0.]*[1-9]/.test(text)) return "changed";
  return Number.isInteger(number) && /[.eE]/.test(text) ? "whole" : "usual";
}
