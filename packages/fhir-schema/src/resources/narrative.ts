/** Elements of a narrative (invariant txt-1 of R4): formatting, lists, tables, links, images. */
const ELEMENTS: ReadonlySet<string> = new Set(
  (
    "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li " +
    "ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var"
  ).split(" "),
);

// Sticky patterns, each unambiguous, applied at one place and moving only forward.
const ENTITY = /&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});/y;
const NAME = /[A-Za-z][A-Za-z0-9]*/y;
const ATTRIBUTE = /\s+([A-Za-z_][A-Za-z0-9_.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const CLOSE = /\s*\/?>/y;
const COMMENT = "<!--";

const URL_ATTRIBUTES: ReadonlySet<string> = new Set(["href", "src", "cite", "background", "longdesc"]);
const SAFE_SCHEMES: ReadonlySet<string> = new Set(["http", "https", "mailto", "tel", "ftp", "urn"]);
/** Pictures written into the text; never SVG, which can hold scripts. The official definitions put a blank after the colon. */
const IMAGE = /^data:\s?image\/(?:png|jpeg|gif|webp)[;,]/i;
const ACTIVE_STYLE =
  /[\\&]|expression\s*\(|url\s*\((?!['"]?data:\s?image\/(?:png|jpeg|gif|webp)[;,])|@import|behaviou?r\s*:|-moz-binding/i;
/** Levels of elements within elements. */
const DEEPEST = 100;

/**
 * Whether the text is one `div` of well-formed XHTML that can do nothing but be read: known elements, no event handlers, no
 * script in a link or a style. One pass. Does NOT sanitise, and does NOT make the text safe for a page that trusts it.
 *
 * @see https://hl7.org/fhir/R4/narrative.html#xhtml
 */
export function isNarrative(xhtml: string): boolean {
  const open: string[] = [];
  let at = blanks(xhtml, 0);
  let rootSeen = false;
  while (at < xhtml.length) {
    if (open.length === 0 && rootSeen) return blanks(xhtml, at) === xhtml.length;
    if (xhtml.startsWith(COMMENT, at)) {
      const end = xhtml.indexOf("-->", at + COMMENT.length);
      if (end === -1) return false;
      at = end + 3;
    } else if (xhtml.startsWith("</", at)) {
      const name = match(NAME, xhtml, at + 2)?.[0];
      if (name === undefined || open.pop() !== name) return false;
      at = blanks(xhtml, at + 2 + name.length);
      if (xhtml[at] !== ">") return false;
      at++;
    } else if (xhtml[at] === "<") {
      const end = startTag(xhtml, at, open);
      if (end === undefined) return false;
      if (!rootSeen && open[0] !== "div") return false;
      rootSeen = true;
      at = end;
    } else {
      const end = text(xhtml, at);
      if (end === undefined || open.length === 0) return false;
      at = end;
    }
  }
  return rootSeen && open.length === 0;
}

/** Where an entity or a run of plain characters ends. XML knows five entities by name; `&nbsp;` is HTML. */
function text(xhtml: string, start: number): number | undefined {
  if (xhtml[start] === "&") {
    const entity = match(ENTITY, xhtml, start);
    return entity === null ? undefined : start + entity[0].length;
  }
  let end = start;
  while (end < xhtml.length && xhtml[end] !== "<" && xhtml[end] !== "&") end++;
  return end;
}

/** Where the tag ends; undefined when it must not be there. */
function startTag(xhtml: string, start: number, open: string[]): number | undefined {
  const name = match(NAME, xhtml, start + 1)?.[0];
  if (name === undefined || !ELEMENTS.has(name) || open.length === DEEPEST) return undefined;
  let at = start + 1 + name.length;
  for (;;) {
    const attribute = match(ATTRIBUTE, xhtml, at);
    if (attribute === null) break;
    const [whole, key = "", double, single] = attribute;
    if (!isHarmless(key, double ?? single ?? "")) return undefined;
    at += whole.length;
  }
  const close = match(CLOSE, xhtml, at)?.[0];
  if (close === undefined) return undefined;
  if (!close.endsWith("/>")) open.push(name);
  return at + close.length;
}

function isHarmless(name: string, value: string): boolean {
  const key = name.toLowerCase();
  if (key.startsWith("on")) return false;
  if (key === "style") return !ACTIVE_STYLE.test(value);
  if (!URL_ATTRIBUTES.has(key.slice(key.indexOf(":") + 1))) return true;
  const scheme = /^[^/?#:]*(?=:)/.exec(value)?.[0].toLowerCase();
  // Blanks and entities before the colon that never comes could spell one for a browser.
  if (scheme === undefined) return !/[&\s]/.test(value.slice(0, value.search(/[/?#]|$/)));
  return scheme === "data" ? IMAGE.test(value) : SAFE_SCHEMES.has(scheme);
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function blanks(text: string, at: number): number {
  let end = at;
  while (end < text.length && text.charCodeAt(end) <= 0x20) end++;
  return end;
}
