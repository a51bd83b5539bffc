/** A path split into decoded segments, or the reason why two servers could read it differently. */
export type RequestPath =
  | { readonly kind: "path"; readonly segments: readonly string[]; readonly trailingSlash: boolean }
  | { readonly kind: "ambiguous"; readonly because: string };

const ambiguous = (because: string): RequestPath => ({ kind: "ambiguous", because });

/** What RFC 3986 lets a path segment hold unencoded, `;` left out. */
const SEGMENT = /^(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-Fa-f]{2})*$/;
/** C0 and C1 controls and DEL. */
const CONTROL = /\p{Cc}/u;

/**
 * Percent-decodes a path exactly once and refuses every spelling that a proxy and a server may disagree about: an
 * encoded slash, backslash or percent sign, dot segments, `;`, empty segments, control characters, invalid UTF-8.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2
 */
export function parseRequestPath(path: string): RequestPath {
  if (path.includes("\\")) return ambiguous("the path holds a backslash");
  if (path.includes(";")) return ambiguous("the path holds a semicolon");
  if (path.includes("//")) return ambiguous("the path holds an empty segment");
  const relative = path.startsWith("/") ? path.slice(1) : path;
  if (relative === "") return { kind: "path", segments: [], trailingSlash: false };
  const trailingSlash = relative.endsWith("/");
  const segments = (trailingSlash ? relative.slice(0, -1) : relative).split("/");
  for (const [at, raw] of segments.entries()) {
    const segment = decodeSegment(raw);
    if (typeof segment !== "string") return segment;
    segments[at] = segment;
  }
  return { kind: "path", segments, trailingSlash };
}

function decodeSegment(raw: string): string | RequestPath {
  if (!SEGMENT.test(raw)) return ambiguous("the path holds a character that must be percent-encoded");
  if (!raw.includes("%")) return raw === "." || raw === ".." ? ambiguous("the path holds a dot segment") : raw;
  let segment = raw;
  try {
    segment = decodeURIComponent(raw);
  } catch {
    return ambiguous("the path's percent-encoding is no UTF-8");
  }
  if (segment === "." || segment === "..") return ambiguous("the path holds a dot segment");
  if (segment.includes("%")) return ambiguous("the path is encoded twice");
  if (/[/\\;]/.test(segment)) return ambiguous("the path holds an encoded delimiter");
  if (CONTROL.test(segment)) return ambiguous("the path holds a control character");
  return segment;
}
