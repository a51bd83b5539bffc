import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inspectBody } from "../../src/hostile/body.ts";
import { decideHostile } from "../../src/hostile/decide.ts";
import { inspectParameters, inspectText } from "../../src/hostile/inspect.ts";
import { hostilePolicy } from "../../src/hostile/options.ts";

const policy = hostilePolicy({});
const ATTACKS = [
  "1' or 1=1--",
  "<script>x</script>",
  "../../etc/passwd",
  "; cat /etc/passwd",
  "1 union select 2",
  "*)(uid=*",
];

describe("hostile input", () => {
  it("whatever a patient is called, a FHIR body with that name passes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom("", ...ATTACKS), (text, attack) => {
        const json = { resourceType: "Patient", name: [{ family: text + attack, given: [attack] }] };
        expect(inspectBody({ mediaType: "application/fhir+json", json }, policy)).toEqual([]);
      }),
    );
  });

  it("is found however often it is percent-encoded, up to three times, in any case", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ATTACKS),
        fc.integer({ min: 0, max: 3 }),
        fc.boolean(),
        (attack, rounds, upper) => {
          let text = upper ? attack.toUpperCase() : attack;
          for (let round = 0; round < rounds; round++) text = text.replace(/[^A-Za-z0-9]/g, percent);
          expect(inspectText(text, policy.rules.parameter)).toBeDefined();
        },
      ),
    );
  });

  it("a query is read as URLSearchParams reads it, encoded or not", () => {
    const piece = fc.constantFrom(
      "a",
      "=",
      "&",
      "'",
      " or 1=1",
      "%27",
      "+",
      "?",
      "union select",
      "--",
      "/../",
      "$ne",
      "é",
      "%",
      "%7",
      "%C3%A9",
      "%c3",
      "%EF%BB%BF",
      "%26",
      "%3D",
      "access",
    );
    fc.assert(
      fc.property(fc.constantFrom("", "?"), fc.array(piece, { maxLength: 12, size: "max" }), (mark, pieces) => {
        const query = mark + pieces.join("");
        const slow = [...new URLSearchParams(query)].map(([name, value]) => `${percentAll(name)}=${percentAll(value)}`);
        const found = inspectParameters(query, "parameter", policy);
        expect(found).toEqual(inspectParameters(slow.join("&"), "parameter", policy));
      }),
    );
  });

  it("no text makes a rule throw, and no refusal holds a piece of the request", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 6 }), fc.constantFrom(...ATTACKS), (name, attack) => {
        const query = new URLSearchParams([[name, attack]]).toString();
        const found = inspectParameters(query, "parameter", policy);
        const { decision } = decideHostile(found, "/fhir/Patient", policy);
        expect(decision.kind).toBe("deny");
        expect(JSON.stringify(decision)).not.toContain(attack);
      }),
    );
  });
});

function percentAll(text: string): string {
  return encodeURIComponent(text).replaceAll("'", "%27");
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
