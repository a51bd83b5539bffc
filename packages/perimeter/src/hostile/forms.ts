import { isUtf8 } from "node:buffer";
import { traitsOf } from "./traits.ts";

/** The readings of one text an attacker may count on: the next server may decode, fold or clean once more than we do. */
export interface TextForms {
  /** As decoded once. */
  readonly text: string;
  /** Lower case, decoded until nothing changes, entities resolved, comments and runs of white space one space. */
  readonly folded: string;
  /** `folded` without white space. */
  readonly dense: string;
  /** `folded` without what a shell ignores inside a word: quotes, backslashes, carets. */
  readonly unquoted: string;
  readonly traits: number;
}

export function formsOf(text: string): TextForms {
  let folded: string | undefined;
  let dense: string | undefined;
  let unquoted: string | undefined;
  let traits: number | undefined;
  const foldedText = (): string => (folded ??= fold(text));
  return {
    text,
    get folded() {
      return foldedText();
    },
    get dense() {
      dense ??= foldedText().replace(/\s+/g, "");
      return dense;
    },
    get unquoted() {
      // Where quotes stood between them, blanks meet: runs of them again, which patterns may not have to try.
      unquoted ??= oneBlank(foldedText().replace(/['"\\^]|\$[@*x]{1,2}(?![a-z])/g, ""));
      return unquoted;
    },
    get traits() {
      traits ??= traitsOf(text) | (NEEDS_DECODING.test(text) ? traitsOf(foldedText()) : 0);
      return traits;
    },
  };
}

const NEEDS_DECODING = /%[0-9a-f]{2}|%u[0-9a-f]{4}|&[#a-z]|\\[ux]|[^\0-\x7f]/i;
const MAX_ROUNDS = 3;

function fold(text: string): string {
  if (PLAIN.test(text)) return oneBlank(text.toLowerCase());
  let current = text;
  for (let round = 0; round < MAX_ROUNDS && NEEDS_DECODING.test(current); round++) {
    const next = decodeOnce(current);
    if (next === current) break;
    current = next;
  }
  const plain = current.normalize("NFKC").toLowerCase();
  return oneBlank(plain.replace(COMMENT, (_all, inside: string | undefined) => ` ${inside ?? ""} `));
}

/** Runs of white space become one blank, or one line break: no pattern has to try their lengths. */
function oneBlank(text: string): string {
  return text.replace(/\s{2,}|[\t\f\v\u00a0]/g, (run) => (/[\r\n]/.test(run) ? "\r\n" : " "));
}

const PLAIN = /^[\w\-.:/|,@+=;() ]*$/;
/** `/*!50000 words*\/` is run by MySQL, other comments are white space. */
const COMMENT = /\/\*(?:!\d{0,6}([^*]{0,64}))?[^*]{0,64}\*\//g;

function decodeOnce(text: string): string {
  return text
    .replace(
      /%u([0-9a-f]{4})|\\u\{?0{0,2}([0-9a-f]{2,4})\}?|\\x([0-9a-f]{2})/gi,
      (_all, a?: string, b?: string, c?: string) => String.fromCharCode(Number.parseInt(a ?? b ?? c ?? "20", 16)),
    )
    .replace(/(?:%[0-9a-f]{2})+/gi, decodePercent)
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,12}));?/gi, decodeEntity);
}

/** Asked before decoding: an error for each of a thousand broken letters would be dear. */
function decodePercent(encoded: string): string {
  const bytes = Buffer.from(encoded.replaceAll("%", ""), "hex");
  return bytes.toString(isUtf8(bytes) ? "utf8" : "latin1");
}

function decodeEntity(entity: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return ENTITIES.get(name.toLowerCase()) ?? entity;
  const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
  return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
  ["lpar", "("],
  ["rpar", ")"],
  ["colon", ":"],
  ["tab", ""],
  ["newline", ""],
]);
