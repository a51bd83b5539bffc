import { isResourceType } from "@wardline/fhir-r4";

const FHIR_WORDS = new Set(["metadata", "_history", "_search", ".well-known", "smart-configuration", "*"]);
const MAX_SEGMENTS = 12;
const UNKNOWN_OPERATION = "$*";

/**
 * A path that may be written down: words that are known to be words stay, everything else becomes `{}`, because it may be
 * the id or the name of somebody (A14).
 */
export type PathPattern = (path: string) => string;

/** @param words literal segments of declared and mounted routes */
export function createPathPattern(words: Iterable<string>): PathPattern {
  const known = new Set(words);
  return (path) => {
    const [bare = ""] = path.split("?");
    const segments = bare.split("/").filter((segment) => segment !== "");
    const shown = segments.slice(0, MAX_SEGMENTS).map((segment) => {
      if (known.has(segment) || FHIR_WORDS.has(segment) || isResourceType(segment)) return segment;
      return segment.startsWith("$") ? UNKNOWN_OPERATION : "{}";
    });
    return `/${shown.join("/")}${segments.length > MAX_SEGMENTS ? "/{}" : ""}`;
  };
}

/** The literal segments of a route in Express spelling. */
export function literalSegments(path: string): readonly string[] {
  return path.split("/").filter((segment) => /^[A-Za-z0-9._~$-]+$/.test(segment));
}
