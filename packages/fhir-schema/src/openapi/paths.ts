import type { Findings } from "@wardline/policy-types";

/** A path template of the document, split once. */
export interface PathTemplate {
  readonly template: string;
  readonly segments: readonly Segment[];
}

/** `report-{id}.json` has a parameter between two texts; a literal has no parameter. */
interface Segment {
  readonly before: string;
  readonly parameter?: string;
  readonly after: string;
}

export function parseTemplate(template: string, at: string, found: Findings): PathTemplate | undefined {
  if (!template.startsWith("/")) {
    found.add(at, "path-template", "a path begins with a slash");
    return undefined;
  }
  const segments: Segment[] = [];
  for (const text of template.slice(1).split("/")) {
    const match = /^([^{}]*)(?:\{([^{}]+)\}([^{}]*))?$/.exec(text);
    if (match === null) {
      found.add(at, "path-template", "a segment of a path has at most one parameter in braces");
      return undefined;
    }
    const [, before = "", parameter, after = ""] = match;
    segments.push({ before, after, ...(parameter === undefined ? {} : { parameter }) });
  }
  return { template, segments };
}

/**
 * Puts the most specific template first: a literal before a parameter, segment by segment. Reports templates that match
 * the same paths.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html#path-templating-matching
 */
export function bySpecificity<Path extends PathTemplate>(paths: readonly Path[], found: Findings): readonly Path[] {
  const sorted = [...paths].sort((a, b) => (shape(a) < shape(b) ? -1 : 1));
  for (const [index, path] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before !== undefined && shape(before) === shape(path))
      found.add(`paths.${path.template}`, "path-ambiguous", "another template matches the same paths");
  }
  return sorted;
}

/** Equal for templates that match the same paths; sorts literals first. */
function shape({ segments }: PathTemplate): string {
  return segments
    .map(({ before, parameter, after }) => {
      if (parameter === undefined) return `0${before}`;
      return before === "" && after === "" ? "2" : `1${before}{}${after}`;
    })
    .join("/");
}

/**
 * The parameters of a raw path, still encoded, or `undefined` when the template does not match it. Letters count, a
 * trailing slash counts, and a parameter is never empty. Requires a canonical path.
 */
export function matchPath({ segments }: PathTemplate, path: string): ReadonlyMap<string, string> | undefined {
  const given = path.slice(1).split("/");
  if (given.length !== segments.length) return undefined;
  const parameters = new Map<string, string>();
  for (const [index, { before, parameter, after }] of segments.entries()) {
    const text = given[index] ?? "";
    if (parameter === undefined) {
      if (decodeURIComponent(text) !== before) return undefined;
      continue;
    }
    if (text.length <= before.length + after.length || !text.startsWith(before) || !text.endsWith(after))
      return undefined;
    parameters.set(parameter, text.slice(before.length, text.length - after.length));
  }
  return parameters;
}

/**
 * S6: a path that has one spelling. Not so encoded separators and letters that need no encoding, dot segments, empty
 * segments and control characters.
 */
export function isCanonicalPath(path: string): boolean {
  if (!/^\/[A-Za-z0-9\-._~!$&'()*+,=:@%/]*$/.test(path) || path.includes("//") || NEEDLESS.test(path)) return false;
  try {
    const decoded = decodeURIComponent(path);
    return !hasControl(decoded) && decoded.split("/").every((segment) => segment !== "." && segment !== "..");
  } catch {
    return false;
  }
}

/** Encoded `/`, `\\`, `%` and `;`, and the unreserved characters of RFC 3986 section 2.3. */
const NEEDLESS = /%(?:2[5def]|3[0-9b]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9ae])/i;

export function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}
