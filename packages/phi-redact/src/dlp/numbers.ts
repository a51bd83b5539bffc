import { passesGtin14, passesLuhn, passesNpi } from "./checksums.ts";
import { contextWords, hasContext, mentions, standsAlone } from "./context.ts";
import type { Detection, Detector, Entity, Scanned } from "./detection.ts";

const SSN_WORDS = contextWords(["ssn", "us-ssn", "social[ -]sec(?:urity)?", "soc[ .-]sec"]);
const NPI_WORDS = contextWords(["npi", "us-npi", "national provider"]);
const MBI_WORDS = contextWords(["mbi", "us-mbi", "us-medicare", "medicare", "beneficiary"]);
const CARD_WORDS = contextWords(["cards?", "credit", "debit", "cc", "visa", "mastercard", "amex", "maestro", "pan"]);
const MRN_WORDS = contextWords([
  "mrn",
  "mr",
  "medical record",
  "(?:patient|chart|record|hospital|account|member|subscriber) ?(?:id|no|num|number|#)",
]);
const DEVICE_WORDS = contextWords([
  "serial",
  "serial ?n(?:o|umber)",
  "imei",
  "udi",
  "device ?id",
  "device ?identifier",
]);

/**
 * Social security numbers: never 000, 666 or 9xx, no part all zeros, one separator. Without separators only beside its
 * words: any nine digits would do.
 *
 * @see https://www.ssa.gov/employer/randomization.html
 */
export const ssn: Detector = function* (scanned) {
  for (const match of scanned.text.matchAll(SSN)) {
    const [whole, area = "", separator = "", group = "", serial = ""] = match;
    if (area === "000" || area === "666" || area.startsWith("9") || group === "00" || serial === "0000") continue;
    if (ADVERTISED.has(area + group + serial)) continue;
    if (!standsAlone(scanned.text, match.index, match.index + whole.length, separator)) continue;
    const plain = separator === "" ? 0.2 : separator === "-" ? 0.85 : separator === "." ? 0.55 : 0.4;
    yield found("ssn", match.index, whole, contextual(scanned, SSN_WORDS, match.index, whole, plain, 0.95));
  }
};
const SSN = /(?<![A-Za-z0-9])(\d{3})([-. ]?)(\d{2})\2(\d{4})(?![A-Za-z0-9])/g;
/** Printed on a wallet insert and in a pamphlet; never anybody's again. */
const ADVERTISED: ReadonlySet<string> = new Set(["078051120", "219099999"]);

/** National Provider Identifiers. They name providers and are public; found so that logs can be kept free of them too. */
export const npi: Detector = function* (scanned) {
  for (const match of scanned.text.matchAll(NPI)) {
    const [whole, separator = ""] = match;
    const digits = whole.replace(/\D/g, "");
    if (!standsAlone(scanned.text, match.index, match.index + whole.length, separator)) continue;
    if (!passesNpi(digits) || /^(\d)\1{8}/.test(digits)) continue;
    yield found("npi", match.index, whole, contextual(scanned, NPI_WORDS, match.index, whole, 0.6, 1));
  }
};
const NPI = /(?<!\w)[12]\d{3}([ -]?)\d{3}\1\d{3}(?!\w)/g;

/**
 * Medicare Beneficiary Identifiers: each of the eleven places has its own alphabet, without S, L, O, I, B and Z.
 *
 * @see https://www.cms.gov/medicare/new-medicare-card/understanding-the-mbi.pdf
 */
export const mbi: Detector = function* (scanned) {
  for (const match of scanned.text.matchAll(MBI)) {
    const [whole] = match;
    const isCapital = whole === whole.toUpperCase();
    const plain = !isCapital ? 0.2 : match[1] === "-" ? 0.75 : 0.6;
    yield found("mbi", match.index, whole, contextual(scanned, MBI_WORDS, match.index, whole, plain, 0.95));
  }
};
const LETTER = "[AC-HJKMNP-RT-Y]";
const ALNUM = "[AC-HJKMNP-RT-Y0-9]";
const MBI = new RegExp(
  `(?<![A-Z0-9-])[1-9]${LETTER}${ALNUM}\\d(-?)${LETTER}${ALNUM}\\d\\1${LETTER}${LETTER}\\d\\d(?![A-Z0-9-])`,
  "gi",
);

/** Payment cards: known issuers and their lengths, and the check digit. Rarer issuers only beside their words. */
export const card: Detector = function* (scanned) {
  for (const match of scanned.text.matchAll(CARD)) {
    const [whole, separator = "", otherSeparator = ""] = match;
    const digits = whole.replace(/\D/g, "");
    const end = match.index + whole.length;
    if (!standsAlone(scanned.text, match.index, end, separator || otherSeparator)) continue;
    if (digits.length > 19 || !passesLuhn(digits) || /^(\d)\1+$/.test(digits)) continue;
    const plain = COMMON_ISSUERS.test(digits) ? 0.7 : 0.3;
    const worded = RARE_ISSUERS.test(digits) || plain > 0.5 ? 0.95 : 0.3;
    yield found("card", match.index, whole, contextual(scanned, CARD_WORDS, match.index, whole, plain, worded));
  }
};
const CARD = /(?<![\w.])(?:\d{12,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{5})(?!\w)/g;
/** Visa, Mastercard, American Express, Discover, JCB, at the lengths in common use. */
const COMMON_ISSUERS =
  /^(?:4(?:\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12})$/;
/** Diners, UnionPay, Maestro, UATP, and the uncommon lengths of the others. */
const RARE_ISSUERS = /^(?:3\d{13,18}|4\d{11,18}|5\d{11,18}|6\d{11,18}|1\d{14})$/;

/** Record and account numbers have no shape of their own: only beside their words. */
export const mrn: Detector = function* (scanned) {
  if (!mentions(scanned, MRN_WORDS)) return;
  for (const match of scanned.text.matchAll(MRN)) {
    const [whole] = match;
    yield found("mrn", match.index, whole, contextual(scanned, MRN_WORDS, match.index, whole, 0.1, 0.8));
  }
};
const MRN = /(?<![\w/.-])[A-Z]{0,4}-?\d{5,12}(?![\w.-])/g;

/** MAC addresses, unique device identifiers (GS1), and serial numbers beside their words. */
export const deviceId: Detector = function* (scanned) {
  for (const match of scanned.text.matchAll(MAC)) yield found("device-id", match.index, match[0], 0.75);
  for (const match of scanned.text.includes("(01)") ? scanned.text.matchAll(UDI) : []) {
    if (passesGtin14(match[1] ?? "")) yield found("device-id", match.index, match[0], 0.85);
  }
  if (!mentions(scanned, DEVICE_WORDS)) return;
  for (const match of scanned.text.matchAll(SERIAL)) {
    const [whole] = match;
    if (!/\d{3}/.test(whole)) continue;
    yield found("device-id", match.index, whole, contextual(scanned, DEVICE_WORDS, match.index, whole, 0.1, 0.75));
  }
};
const MAC = /(?<![\w:-])[0-9A-F]{2}([:-])[0-9A-F]{2}(?:\1[0-9A-F]{2}){4}(?![\w:-])/gi;
/** @see https://www.gs1.org/standards/gs1-general-specifications: (01) GTIN, then dates, batch and serial number */
const UDI = /\(01\)(\d{14})(?:\(\d{2}\)[\w.-]{1,20}){0,4}/g;
const SERIAL = /(?<![\w.-])[A-Z0-9][A-Z0-9-]{5,23}(?![\w.-])/g;

function contextual(
  scanned: Scanned,
  words: RegExp,
  start: number,
  whole: string,
  plain: number,
  worded: number,
): number {
  return hasContext(scanned, words, start, start + whole.length) ? worded : plain;
}

export function found(entity: Entity, start: number, whole: string, confidence: number): Detection {
  return { entity, start, end: start + whole.length, confidence };
}
