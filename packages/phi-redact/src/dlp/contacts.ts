import { isIP } from "node:net";
import { contextWords, hasContext, mentions, standsAlone } from "./context.ts";
import type { Detector } from "./detection.ts";
import { found } from "./numbers.ts";

/** @see https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1 for the lengths */
export const email: Detector = function* ({ text }) {
  if (!text.includes("@")) return;
  for (const match of text.matchAll(EMAIL)) yield found("email", match.index, match[0], 0.9);
};
const EMAIL =
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+-](?:[\p{L}\p{N}._%+'-]{0,62}[\p{L}\p{N}_%+-])?@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}@])/gu;

const PHONE_WORDS = contextWords([
  "phone",
  "tel(?:ephone|ecom)?",
  "mobile",
  "cell",
  "fax",
  "call(?:ing)?",
  "sms",
  "desk",
  "office",
  "reach (?:me|you|us)",
  "answering at",
  "messages to",
]);

/** North American numbers with punctuation, international ones with a plus; anything of the kind beside its words. */
export const phone: Detector = function* (scanned) {
  const { text } = scanned;
  for (const match of text.matchAll(NANP)) {
    const [whole, separator = "-"] = match;
    if (standsAlone(text, match.index, match.index + whole.length, separator))
      yield found("phone", match.index, whole, 0.7);
  }
  if (text.includes("+")) for (const match of text.matchAll(PLUS)) yield found("phone", match.index, match[0], 0.7);
  if (!mentions(scanned, PHONE_WORDS)) return;
  for (const match of text.matchAll(LOOSE)) {
    const [whole] = match;
    if (whole.replace(/\D/g, "").length > 15 || DATE_LIKE.test(whole)) continue;
    const worded = hasContext(scanned, PHONE_WORDS, match.index, match.index + whole.length);
    yield found("phone", match.index, whole, worded ? 0.6 : 0.2);
  }
};
const NANP =
  /(?<![\w.+/-])(?:(?:\+?1|001)[-. ]?)?(?:\(\d{3}\) ?|\d{3}([-. ]))\d{3}[-. ]\d{4}(?: ?(?:x|ext\.?) ?\d{1,6})?(?!\w|[-.]\d)/g;
const PLUS = /(?<![\w+])\+[1-9](?:[ .()-]{0,2}\d){7,14}(?: ?x ?\d{1,6})?(?!\w|[-.]\d)/g;
const LOOSE = /(?<![\w.+/-])\(?\d(?:[ .()-]{0,2}\d){5,16}(?!\w|[-./:]\d)/g;
const DATE_LIKE = /^(?:\d{4}-\d{2}-\d{2}|\d{1,2}[.-]\d{1,2}[.-]\d{2,4})/;

/** Internet addresses, with their prefix length. Not the four-part versions of products, nor parts of object ids. */
export const ip: Detector = function* ({ text }) {
  for (const match of text.matchAll(IPV4)) {
    const [whole, address = ""] = match;
    if (isIP(address) === 4) yield found("ip", match.index, whole, 0.65);
  }
  if (!text.includes("::") && !IPV6_LIKELY.test(text)) return;
  for (const match of text.matchAll(IPV6)) {
    const [whole, address = ""] = match;
    if (isIP(address) === 6) yield found("ip", match.index, whole, address === "::" ? 0.1 : 0.7);
  }
};
const IPV4 =
  /(?<![\w.-]|[A-Za-z]\/|oid:|v="?)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:\/(?:3[0-2]|[12]\d|\d)(?!\d))?(?![\w-]|\.\d)/g;
const IPV6_LIKELY = /[0-9A-Fa-f]:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]/;
const IPV6 = /(?<![\w:.])([0-9A-Fa-f:]{2,40}(?:(?:\.\d{1,3}){3})?)(?:\/\d{1,3})?(?![\w:]|\.\d)/g;
