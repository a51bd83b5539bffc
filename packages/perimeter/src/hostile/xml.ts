import { type HostileFinding, inspectText, push } from "./inspect.ts";
import type { RulesBySurface } from "./rules.ts";

/** White space is read between two marks that are none, so that no two pieces can share it. */
const FHIR_ROOT =
  /^\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--[^>]{0,1000}-->\s*)?<[A-Za-z]{1,60}\s[^>]{0,1000}xmlns\s*=\s*["']http:\/\/hl7\.org\/fhir["']/;
const MOST_FINDINGS = 20;

/**
 * Looks at XML as text, because a parser is what these attacks are aimed at. A document type or an entity is refused
 * wherever it stands: FHIR has none, and without them nothing expands and nothing is fetched.
 *
 * @see https://hl7.org/fhir/R4/security.html#xml
 */
export function inspectXml(bytes: Buffer, rules: RulesBySurface): HostileFinding[] {
  // UTF-16 and UTF-32 hold NULs wherever they hold ASCII; UTF-8 never does. What says it is neither is refused.
  if (bytes.includes(0)) return [{ rule: "xml/nul", surface: "xml" }];
  const text = bytes.toString("utf8");
  if (FOREIGN_ENCODING.test(text)) return [{ rule: "xml/nul", surface: "xml" }];
  if (DECLARATION.test(text)) return [{ rule: "xml/doctype", surface: "xml" }];
  return FHIR_ROOT.test(text) ? [] : inspectTexts(text, rules);
}

const DECLARATION =
  /<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)|<\?xml-stylesheet|http:\/\/www\.w3\.org\/2001\/XInclude/i;
const FOREIGN_ENCODING = /^\s*<\?xml[^>]{0,200}encoding\s*=\s*["'](?!utf-?8["']|us-ascii["']|iso-8859-1["'])/i;

function inspectTexts(text: string, rules: RulesBySurface): HostileFinding[] {
  const found: HostileFinding[] = [];
  for (const [, quoted, single, between] of text.matchAll(TEXTS)) {
    const value = quoted ?? single ?? between ?? "";
    if (value.trim() !== "" && !value.startsWith("http://www.w3.org/"))
      push(found, inspectText(value, rules.xml), "xml");
    if (found.length >= MOST_FINDINGS) break;
  }
  return found;
}

/** Values of attributes, and what stands behind a tag: each found by reading on, never by reading again. */
const TEXTS = /=\s*"([^"<]*)"|=\s*'([^'<]*)'|>([^<]*)/g;
