import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLossless } from "../src/express/lossless.ts";

describe("a text whose numbers keep their digits", () => {
  it("is read as JSON.parse reads it, and refused where JSON.parse refuses it", () => {
    const piece = fc.constantFrom(...'[]{}:,"\\ -019.eu\n'.split(""), "1.0", '"a"', '\\"', "\\u0041", "true");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12, size: "max" }), (pieces) => {
        const text = `[1.0,${pieces.join("")}]`;
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(() => parseLossless(text)).toThrow(SyntaxError);
          return;
        }
        expect(JSON.stringify(parseLossless(text).body)).toBe(JSON.stringify(expected));
      }),
      { numRuns: 3000 },
    );
  });

  // Tried again from each of its quotes, it would not come to an end within this test's time.
  it.each(['\\"', '"\\', "\\"])(
    "S9: a string of 1 MB that never ends, of %j, is refused at once",
    { timeout: 15_000 },
    (unit) => {
      expect(() => parseLossless(`[1.0,"${unit.repeat(1_048_576 / unit.length)}`)).toThrow(SyntaxError);
    },
  );
});
