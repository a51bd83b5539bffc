import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byBase, byRoute } from "../src/places.ts";

const pathOf = (segments: readonly string[], end: string): string => `/${segments.join("/")}${end}`;
const paths = (...words: string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(fc.constantFrom(...words), { maxLength: 4 }), fc.constantFrom("", "", "/"))
    .map(([segments, end]) => pathOf(segments, segments.length > 0 ? end : ""));
const given = (path: string, id: number): { path: string; id: number } => ({ path, id });

/** What is meant, one after the other. */
function isRoute(pattern: string, path: string): boolean {
  const cut = (text: string): string[] => (text.length > 1 ? text.replace(/\/$/, "") : text).split("/").slice(1);
  const [wanted, asked] = [cut(pattern), cut(path)];
  return (
    wanted.length === asked.length &&
    wanted.every((word, at) => (word.startsWith(":") ? asked[at] !== "" : word === asked[at]))
  );
}

function isBelow(base: string, path: string): boolean {
  return base === "/" || path === base || path.startsWith(`${base}/`);
}

describe("of a thousand routes those of a path are found", () => {
  it("as if each were asked in turn", () => {
    const some = fc.array(paths("a", "b", "ab", ":x", ":y"), { maxLength: 12 });
    fc.assert(
      fc.property(some, paths("a", "b", "ab", "", ":x", "constructor"), (patterns, path) => {
        const values = patterns.map(given);
        expect(byRoute(values)(path)).toEqual(values.filter((value) => isRoute(value.path, path)));
      }),
      { numRuns: 2000 },
    );
  });

  it("and so the bases above it, the longest first", () => {
    fc.assert(
      fc.property(fc.array(paths("a", "b", "ab"), { maxLength: 12 }), paths("a", "b", "ab", "", "."), (bases, path) => {
        const values = bases.map(given);
        const expected = values
          .filter((value) => isBelow(value.path, path))
          .sort((one, other) => other.path.length - one.path.length);
        expect(byBase(values)(path)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  // Were each beginning of it looked up, it would not come to an end within this test's time.
  it("S9: a path of a million slashes is looked up at once", () => {
    const path = "/".repeat(1_000_000);
    expect(byBase([given("/fhir", 1)])(path)).toEqual([]);
    expect(byRoute([given("/:a/:b", 1)])(path)).toEqual([]);
  });
});
