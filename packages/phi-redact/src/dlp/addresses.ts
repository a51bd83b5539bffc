import type { Detector } from "./detection.ts";
import { found } from "./numbers.ts";

/**
 * Street lines, post boxes and postal codes, as they are written in the United States, Canada, the United Kingdom and
 * Germany. A German postal code alone is a number like any other, so it counts only behind `D-` or a street.
 *
 * Does NOT find the addresses of other countries, nor a street without the number of a house.
 */
export const address: Detector = function* ({ text }) {
  for (const [pattern, confidence] of PATTERNS) {
    for (const match of text.matchAll(pattern)) yield found("address", match.index, match[0], confidence);
  }
};

/** `12 N Oak Street, Apt 4`, `221B Baker Street`. */
const STREET =
  /(?<![\w.-])\d{1,6}[A-Z]?(?: [NSEW]\.?)?(?: [A-Z][A-Za-z'.-]{1,24}){1,4} (?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Ter|Circle|Cir|Highway|Hwy|Parkway|Pkwy|Square|Sq|Trail|Trl|Close|Crescent|Cres|Gardens|Grove|Mews)\b\.?(?:,? (?:Apt|Suite|Ste|Unit|#)\.? ?\w{1,6})?/g;
/** `1234, rue Sainte-Catherine` */
const RUE =
  /(?<![\w.-])\d{1,5}[a-zA-Z]?,? (?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin) (?:(?:de|du|des|la|le|les) ){0,2}(?:[ld]')?\p{Lu}[\p{L}'-]{1,30}/gu;
/** `Lindenstraße 12a, 10115 Berlin`, `Hauptstr. 5` */
const STRASSE =
  /(?<![\p{L}\p{N}.-])\p{Lu}[\p{L}-]{2,30}(?:straße|strasse|str\.|platz|[Aa]llee|gasse) \d{1,4} ?[a-z]?(?![\p{L}\p{N}-])(?:, (?:D-)?\d{5} \p{Lu}\p{L}{2,30})?/gu;
const BOX = /(?<!\w)P\.? ?O\.? ?Box \d{1,6}(?!\w)/gi;
const STATE_ZIP =
  /(?<!\w)(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY]) {1,2}\d{5}(?:-\d{4})?(?![\w-])/g;
/** Letters the post does not use are left out. */
const UK_CODE =
  /(?<![\w-])(?:[A-PR-UWYZ]\d[\dA-HJKPSTUW]?|[A-PR-UWYZ][A-HK-Y]\d[\dABEHMNPRV-Y]?) \d[ABD-HJLNP-UW-Z]{2}(?![\w-])/g;
const CANADIAN_CODE = /(?<![\w-])[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][ -]\d[ABCEGHJ-NPRSTV-Z]\d(?![\w-])/g;
const GERMAN_CODE = /(?<![\w-])D-\d{5} \p{Lu}\p{L}{2,30}/gu;

const PATTERNS: readonly (readonly [pattern: RegExp, confidence: number])[] = [
  [STREET, 0.7],
  [RUE, 0.65],
  [STRASSE, 0.7],
  [BOX, 0.65],
  [STATE_ZIP, 0.6],
  [UK_CODE, 0.6],
  [CANADIAN_CODE, 0.6],
  [GERMAN_CODE, 0.65],
];
