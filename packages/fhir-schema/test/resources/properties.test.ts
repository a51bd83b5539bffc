import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainSchema } from "../../bench/plain-schema.mjs";
import { codeList } from "../../src/resources/codes.ts";
import { namesOf, nodeRule, nodesWithin } from "../../src/resources/nodes.ts";
import { PRIMITIVES } from "../../src/resources/primitives.ts";
import { validateResource } from "../../src/resources/validate.ts";
import { type Json, MUTATIONS, type Mutation, mutate, objectsIn } from "./mutations.ts";
import { SAMPLES } from "./samples.ts";

const samples = SAMPLES as readonly unknown[] as readonly Json[];
const sample = fc.constantFrom(...samples);
const NAMES = (
  "resourceType id _id text div contained extension url valueString _valueString name given _given entry resource parameter " +
  "part code coding status reference constructor"
).split(" ");
const roundTrip = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** An object somewhere in a valid resource, by its number in document order, and one thing done to it. */
const damage = fc.record({
  resource: sample,
  place: fc.nat(60),
  property: fc.nat(30),
  mutation: fc.constantFrom<Mutation>(...MUTATIONS),
});

describe("one fault anywhere in a valid resource", () => {
  it("is refused, and the finding names the resource's type", () => {
    fc.assert(
      fc.property(damage, ({ resource, place, property, mutation }) => {
        const broken = structuredClone(resource);
        fc.pre(mutate(broken, place, property, mutation));
        const issues = validateResource(broken);
        expect(issues, `${mutation}: ${JSON.stringify(broken)}`).not.toEqual([]);
        for (const { expression } of issues)
          expect(expression).toMatch(/^[A-Z][A-Za-z]+(\.[a-z][A-Za-z0-9]*|\[\d+\])*$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it("can be made in every place and of every kind", () => {
    const made = new Map<Mutation, number>();
    for (const resource of samples) {
      const places = objectsIn(resource).length;
      for (const mutation of MUTATIONS) {
        for (let place = 0; place < places; place++) {
          const broken = structuredClone(resource);
          if (!mutate(broken, place, 0, mutation)) continue;
          made.set(mutation, (made.get(mutation) ?? 0) + 1);
          expect(validateResource(broken), `${mutation} ${place} ${JSON.stringify(broken)}`).not.toEqual([]);
        }
      }
    }
    for (const mutation of MUTATIONS) expect(made.get(mutation), mutation).toBeGreaterThan(10);
  });

  it("a required element left out is refused, for every one of the samples' types", () => {
    for (const resource of samples) {
      const { resourceType } = resource as { resourceType: string };
      for (const { name, required } of nodeRule(resourceType).elements) {
        if (!required) continue;
        const { [name]: _, ...others } = resource as Record<string, Json>;
        expect(validateResource(others)).toMatchObject([{ issue: "required", expression: `${resourceType}.${name}` }]);
      }
    }
  });
});

describe("whatever is given", () => {
  /** Values that look like FHIR where it hurts: known names, wrong shapes. */
  const hostile = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(
        null,
        true,
        0,
        -1,
        1e308,
        "",
        "x",
        "2024-02-30",
        "#",
        "Patient/1",
        "<div>",
        "final",
        "\u0000",
        "__proto__",
      ),
      fc.string(),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 6 }),
    ),
  })).value;
  const typed = fc
    .tuple(fc.constantFrom("Patient", "Observation", "Bundle", "Parameters", "Questionnaire", "Foo"), hostile)
    .map(([resourceType, value]) => ({ ...Object(value), resourceType }) as unknown);

  it("never throws, and tells at most as much as it was asked for", () => {
    fc.assert(
      fc.property(fc.oneof(hostile, typed, fc.anything()), fc.integer({ min: 1, max: 5 }), (value, maxIssues) => {
        const issues = validateResource(value, { maxIssues });
        expect(issues.length).toBeLessThanOrEqual(maxIssues);
        for (const issue of issues) expect(issue.severity).toBe("error");
      }),
      { numRuns: 3_000 },
    );
  });

  it("what is right stays right after a JSON round trip, and the verdict is the same twice", () => {
    fc.assert(
      fc.property(fc.oneof(sample, typed), (value) => {
        const before = validateResource(value);
        expect(validateResource(value)).toEqual(before);
        if (before.length === 0) expect(validateResource(roundTrip(value))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("looks at each resource of a Bundle as often, however many there are", () => {
    let looks = 0;
    const looksAt = (entries: number): number => {
      const resource = {
        status: "wrong",
        get resourceType() {
          looks++;
          return "Observation";
        },
      };
      looks = 0;
      const entry = Array.from({ length: entries }, () => ({ resource }));
      expect(
        validateResource({ resourceType: "Bundle", type: "collection", entry }, { maxIssues: 1_000_000 }),
      ).toHaveLength(entries);
      return looks;
    };
    expect(looksAt(2_000)).toBe(20 * looksAt(100));
  });

  it("is looked at no further once enough is told", () => {
    let looks = 0;
    const resource = {
      get resourceType() {
        looks++;
        return "Foo";
      },
    };
    const entry = Array.from({ length: 1_000 }, () => ({ resource }));
    expect(validateResource({ resourceType: "Bundle", type: "collection", entry }, { maxIssues: 5 })).toHaveLength(5);
    expect(looks).toBe(5);

    looks = 0;
    const name = {
      get use() {
        looks++;
        return "wrong";
      },
    };
    const patient = { resourceType: "Patient", name: Array.from({ length: 1_000 }, () => name) };
    expect(validateResource(patient, { maxIssues: 5 })).toHaveLength(5);
    // The value's type, then its code: each name is read more than once, and the sixth not at all.
    expect(looks).toBeLessThan(20);
  });
});

describe("beside an ordinary JSON Schema of the same tables, without any keyword of ours", () => {
  const ajv = new Ajv({ strict: false, logger: false });
  const tables = { nodeRule, nodesWithin, namesOf, codeList, primitives: PRIMITIVES };
  const plain = (type: string) => ajv.compile(plainSchema(tables, [type], type));
  const checks = new Map(["Patient", "Observation", "AllergyIntolerance"].map((type) => [type, plain(type)]));
  const checkable = samples.filter((resource) => checks.has(typeOf(resource)));

  it("nothing is accepted that it refuses", () => {
    let refused = 0;
    const kinds = fc.record({
      resource: fc.constantFrom(...checkable),
      place: fc.nat(60),
      property: fc.nat(30),
      mutation: fc.constantFrom<Mutation>(...MUTATIONS),
    });
    fc.assert(
      fc.property(kinds, ({ resource, place, property, mutation }) => {
        // Left out: resources of other types, and the null in an array of names, which such a schema cannot allow.
        const { contained: _, name: __, ...broken } = structuredClone(resource) as Record<string, Json>;
        expect(checks.get(typeOf(resource))?.(broken)).toBe(true);
        mutate(broken, place, property, mutation);
        if (checks.get(typeOf(resource))?.(broken) !== false) return;
        refused++;
        expect(validateResource(broken), `${mutation}: ${JSON.stringify(broken)}`).not.toEqual([]);
      }),
      { numRuns: 1_000 },
    );
    expect(refused).toBeGreaterThan(300);
  });
});

function typeOf(resource: Json): string {
  return String((resource as { readonly resourceType: unknown }).resourceType);
}
