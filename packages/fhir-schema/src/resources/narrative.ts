import { type ElementState, elementAt, nameLength } from "./narrative-elements.ts";

/** XML knows five entities by name; `&nbsp;` is HTML. */
const ENTITY = /^&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});$/;
const LONGEST_ENTITY = 10;

const URL_ATTRIBUTES: ReadonlySet<string> = new Set(["href", "src", "cite", "background", "longdesc"]);
const SAFE_SCHEMES: ReadonlySet<string> = new Set(["http", "https", "mailto", "tel", "ftp", "urn"]);
/** Pictures written into the text; never SVG, which can hold scripts. The official definitions put a blank after the colon. */
const IMAGE = /^data:\s?image\/(?:png|jpeg|gif|webp)[;,]/i;
const ACTIVE_STYLE =
  /[\\&]|expression\s*\(|url\s*\((?!['"]?data:\s?image\/(?:png|jpeg|gif|webp)[;,])|@import|behaviou?r\s*:|-moz-binding/i;
/** Levels of elements within elements. */
const DEEPEST = 100;

/** A narrative as it is walked through. In UTF-8 no other character has the bytes of these signs in it. */
interface Xhtml {
  readonly text: string;
  readonly bytes: Buffer;
}

/**
 * Whether the text is one `div` of well-formed XHTML that can do nothing but be read: known elements, no event handlers, no
 * script in a link or a style. One pass. Does NOT sanitise, and does NOT make the text safe for a page that trusts it.
 *
 * @see https://hl7.org/fhir/R4/narrative.html#xhtml
 */
export function isNarrative(text: string): boolean {
  // V8 reads bytes several times as fast as the characters of a text.
  const bytes = Buffer.from(text);
  const xhtml = { text, bytes };
  const open: ElementState[] = [];
  let at = blanks(bytes, 0);
  if (!startsWith(bytes, at, "<div")) return false;
  do {
    const end = bytes[at] === LESS ? markup(xhtml, at, open) : textEnd(xhtml, at);
    if (end === undefined) return false;
    at = end;
  } while (open.length > 0 && at < bytes.length);
  return open.length === 0 && blanks(bytes, at) === bytes.length;
}

const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;
const BANG = 0x21;
const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const DASH = 0x2d;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;

/** Where a comment or a tag ends; undefined when it must not be there. */
function markup(xhtml: Xhtml, start: number, open: ElementState[]): number | undefined {
  const next = xhtml.bytes[start + 1];
  if (next === SLASH) return endTag(xhtml.bytes, start + 2, open.pop());
  return next === BANG ? commentEnd(xhtml.bytes, start) : startTag(xhtml, start + 1, open);
}

/** XML wants no `--` within; and `<!-->` is a whole comment to HTML, which would bring to life what follows. */
function commentEnd(bytes: Buffer, start: number): number | undefined {
  if (!startsWith(bytes, start, "<!--")) return undefined;
  const end = bytes.indexOf("--", start + 4);
  const content = bytes[start + 4];
  if (end === -1 || bytes[end + 2] !== GREATER || content === GREATER || content === DASH) return undefined;
  return end + 3;
}

function endTag(bytes: Buffer, start: number, opened: ElementState | undefined): number | undefined {
  if (opened === undefined || elementAt(bytes, start) !== opened) return undefined;
  const end = blanks(bytes, start + nameLength(opened));
  return bytes[end] === GREATER ? end + 1 : undefined;
}

function startTag(xhtml: Xhtml, start: number, open: ElementState[]): number | undefined {
  const { bytes } = xhtml;
  const element = elementAt(bytes, start);
  if (element === 0 || open.length === DEEPEST) return undefined;
  const nameEnd = start + nameLength(element);
  const end = bytes[nameEnd] === GREATER ? nameEnd : attributesEnd(xhtml, nameEnd);
  if (end === undefined) return undefined;
  if (bytes[end] === SLASH) return bytes[end + 1] === GREATER ? end + 2 : undefined;
  if (bytes[end] !== GREATER) return undefined;
  open.push(element);
  return end + 1;
}

/** Where the attributes of a tag and the blanks after them end; undefined when one is not harmless or not XML. */
function attributesEnd(xhtml: Xhtml, start: number): number | undefined {
  const { bytes } = xhtml;
  let at = start;
  for (;;) {
    const nameStart = blanks(bytes, at);
    const nameEnd = wordEnd(bytes, nameStart);
    if (nameEnd === nameStart) return nameStart;
    const valueStart = blanks(bytes, nameEnd + 1);
    const quote = bytes[valueStart];
    // XML wants a blank before each attribute, and a quoted value in each.
    if (nameStart === at || bytes[nameEnd] !== EQUALS || (quote !== DOUBLE_QUOTE && quote !== SINGLE_QUOTE)) {
      return undefined;
    }
    let valueEnd = valueStart + 1;
    while (valueEnd < bytes.length && bytes[valueEnd] !== quote) valueEnd++;
    if (valueEnd === bytes.length) return undefined;
    if (!isHarmless(slice(xhtml, nameStart, nameEnd), slice(xhtml, valueStart + 1, valueEnd))) return undefined;
    at = valueEnd + 1;
  }
}

/** Where the name of an attribute ends. */
function wordEnd(bytes: Buffer, start: number): number {
  let end = start;
  while (isNameCharacter(bytes[end] ?? 0)) end++;
  return end;
}

function isNameCharacter(code: number): boolean {
  if (code >= 0x61) return code <= 0x7a;
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x2d && code <= 0x3a && code !== 0x2f) || code === 0x5f;
}

/** Where a run of plain characters and entities ends. */
function textEnd(xhtml: Xhtml, start: number): number | undefined {
  const { bytes } = xhtml;
  const { length } = bytes;
  for (let at = start; at < length; at++) {
    const byte = bytes[at];
    if (byte === LESS) return at;
    if (byte === AMPERSAND && !isEntity(xhtml, at)) return undefined;
  }
  return length;
}

function isEntity(xhtml: Xhtml, start: number): boolean {
  let end = start;
  while (end < start + LONGEST_ENTITY && xhtml.bytes[end] !== SEMICOLON) end++;
  return ENTITY.test(slice(xhtml, start, end + 1));
}

function isHarmless(name: string, value: string): boolean {
  if (value.includes("<")) return false;
  const key = name.toLowerCase();
  if (key.startsWith("on")) return false;
  if (key === "style") return !ACTIVE_STYLE.test(value);
  if (!URL_ATTRIBUTES.has(key.slice(key.indexOf(":") + 1))) return true;
  const scheme = /^[^/?#:]*(?=:)/.exec(value)?.[0].toLowerCase();
  // Blanks and entities before the colon that never comes could spell one for a browser.
  if (scheme === undefined) return !/[&\s]/.test(value.slice(0, value.search(/[/?#]|$/)));
  return scheme === "data" ? IMAGE.test(value) : SAFE_SCHEMES.has(scheme);
}

function blanks(bytes: Buffer, at: number): number {
  let end = at;
  while (end < bytes.length && (bytes[end] ?? 0) <= 0x20) end++;
  return end;
}

/** Text of ASCII alone has its characters where its bytes are. */
function slice({ text, bytes }: Xhtml, start: number, end: number): string {
  return bytes.length === text.length ? text.slice(start, end) : bytes.toString("utf8", start, end);
}

function startsWith(bytes: Buffer, at: number, ascii: string): boolean {
  for (let index = 0; index < ascii.length; index++) {
    if (bytes[at + index] !== ascii.charCodeAt(index)) return false;
  }
  return true;
}
