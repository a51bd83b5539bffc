/** Elements of a narrative (invariant txt-1 of R4): formatting, lists, tables, links, images. */
const ELEMENTS: ReadonlySet<string> = new Set(
  (
    "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li " +
    "ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var"
  ).split(" "),
);

/** XML knows five entities by name; `&nbsp;` is HTML. */
const ENTITY = /&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});/y;

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
  if (!xhtml.startsWith("<div", at)) return false;
  do {
    const end = xhtml.charCodeAt(at) === LESS ? markup(xhtml, at, open) : text(xhtml, at);
    if (end === undefined) return false;
    at = end;
  } while (open.length > 0 && at < xhtml.length);
  return open.length === 0 && blanks(xhtml, at) === xhtml.length;
}

const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;
const BANG = 0x21;
const AMPERSAND = 0x26;

/** Where a comment or a tag ends; undefined when it must not be there. */
function markup(xhtml: string, start: number, open: string[]): number | undefined {
  const next = xhtml.charCodeAt(start + 1);
  if (next === SLASH) return endTag(xhtml, start + 2, open.pop() ?? "");
  return next === BANG ? commentEnd(xhtml, start) : startTag(xhtml, start + 1, open);
}

/** XML wants no `--` within; and `<!-->` is a whole comment to HTML, which would bring to life what follows. */
function commentEnd(xhtml: string, start: number): number | undefined {
  if (!xhtml.startsWith("<!--", start)) return undefined;
  const end = xhtml.indexOf("--", start + 4);
  const content = xhtml.charAt(start + 4);
  if (end === -1 || xhtml.charCodeAt(end + 2) !== GREATER || content === ">" || content === "-") return undefined;
  return end + 3;
}

function endTag(xhtml: string, start: number, name: string): number | undefined {
  if (!xhtml.startsWith(name, start)) return undefined;
  const end = blanks(xhtml, start + name.length);
  return xhtml.charCodeAt(end) === GREATER ? end + 1 : undefined;
}

function startTag(xhtml: string, start: number, open: string[]): number | undefined {
  const nameEnd = wordEnd(xhtml, start);
  const name = xhtml.slice(start, nameEnd);
  if (!ELEMENTS.has(name) || open.length === DEEPEST) return undefined;
  const end = attributesEnd(xhtml, nameEnd);
  if (end === undefined) return undefined;
  if (xhtml.charCodeAt(end) === SLASH) return xhtml.charCodeAt(end + 1) === GREATER ? end + 2 : undefined;
  if (xhtml.charCodeAt(end) !== GREATER) return undefined;
  open.push(name);
  return end + 1;
}

/** Where the attributes of a tag and the blanks after them end; undefined when one is not harmless or not XML. */
function attributesEnd(xhtml: string, start: number): number | undefined {
  let at = start;
  for (;;) {
    const nameStart = blanks(xhtml, at);
    const nameEnd = wordEnd(xhtml, nameStart);
    if (nameEnd === nameStart) return nameStart;
    const valueStart = blanks(xhtml, nameEnd + 1);
    const quote = xhtml[valueStart];
    // XML wants a blank before each attribute, and a quoted value in each.
    if (nameStart === at || xhtml[nameEnd] !== "=" || (quote !== '"' && quote !== "'")) return undefined;
    const valueEnd = xhtml.indexOf(quote, valueStart + 1);
    if (valueEnd === -1) return undefined;
    if (!isHarmless(xhtml.slice(nameStart, nameEnd), xhtml.slice(valueStart + 1, valueEnd))) return undefined;
    at = valueEnd + 1;
  }
}

/** Where the name of an element or attribute ends. */
function wordEnd(text: string, start: number): number {
  let end = start;
  while (isNameCharacter(text.charCodeAt(end))) end++;
  return end;
}

function isNameCharacter(code: number): boolean {
  if (code >= 0x61) return code <= 0x7a;
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x2d && code <= 0x3a && code !== 0x2f) || code === 0x5f;
}

/** Where a run of plain characters and entities ends. */
function text(xhtml: string, start: number): number | undefined {
  let at = start;
  for (let code = xhtml.charCodeAt(at); code !== LESS && at < xhtml.length; code = xhtml.charCodeAt(at)) {
    if (code === AMPERSAND) {
      ENTITY.lastIndex = at;
      if (!ENTITY.test(xhtml)) return undefined;
    }
    at++;
  }
  return at;
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

function blanks(text: string, at: number): number {
  let end = at;
  while (end < text.length && text.charCodeAt(end) <= 0x20) end++;
  return end;
}
