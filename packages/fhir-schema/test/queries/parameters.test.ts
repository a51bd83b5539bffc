import { RESOURCE_TYPES, renderQuery, searchParametersOf } from "@wardline/fhir-r4";
import type { SearchParameterType } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { componentsOf } from "../../src/queries/composites.ts";
import { check } from "./support.ts";

const padded = (least: number, most: number, length: number) =>
  fc.integer({ min: least, max: most }).map((n) => String(n).padStart(length, "0"));
const prefix = fc.constantFrom("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap");
const word = fc.string({ unit: fc.constantFrom("a", "Z", "0", "9", "-", "."), minLength: 1, maxLength: 20 });
const number = fc.tuple(prefix, fc.integer(), fc.constantFrom("", ".5", "e2", ".25E-3")).map((parts) => parts.join(""));
const date = fc
  .tuple(
    prefix,
    padded(1, 9999, 4),
    padded(1, 12, 2),
    padded(1, 28, 2),
    padded(0, 23, 2),
    fc.constantFrom("", "Z", "-05:00"),
  )
  .map(([sign, year, month, day, hour, zone]) => `${sign}${year}-${month}-${day}T${hour}:30:00${zone}`);

/** Values that are right, made from the grammar rather than from a list. */
const GOOD: Readonly<Record<Exclude<SearchParameterType, "composite" | "special">, fc.Arbitrary<string>>> = {
  number,
  date,
  quantity: fc.oneof(
    number,
    number.map((n) => `${n}|http://unitsofmeasure.org|mg`),
    number.map((n) => `${n}||mg`),
  ),
  token: fc.oneof(
    word,
    word.map((code) => `urn:oid:1.2|${code}`),
    word.map((code) => `|${code}`),
    fc.constant("http://loinc.org|"),
  ),
  reference: fc.oneof(
    word,
    word.map((id) => `Patient/${id}`),
    word.map((id) => `https://example.org/fhir/Patient/${id}`),
  ),
  uri: word.map((path) => `http://example.org/${path}`),
  string: fc.string({ minLength: 1 }).filter((text) => text !== "," && !/[\\,]|\p{Cc}/u.test(text)),
};
/** One that no value of the type is. */
const BAD: Readonly<Record<SearchParameterType, string>> = {
  number: "many",
  date: "yesterday",
  quantity: "much",
  token: "a|b|c",
  reference: "Nobody/1",
  uri: "a b",
  string: "a\\b",
  composite: "a",
  special: "",
};

function goodFor(type: SearchParameterType, on: string, code: string): fc.Arbitrary<string> | undefined {
  if (code === "_id") return word;
  if (type === "special") return undefined;
  if (type !== "composite") return GOOD[type];
  const parts = componentsOf([on], code)?.map((part) => goodFor(part, on, "") ?? fc.constant(""));
  return parts === undefined ? undefined : fc.tuple(...parts).map((values) => values.map(escapeDollar).join("$"));
}

const escapeDollar = (value: string): string => value.replaceAll("$", "\\$");

const ALL = RESOURCE_TYPES.flatMap((type) =>
  searchParametersOf(type).map((parameter) => ({
    on: type,
    code: parameter.code,
    type: parameter.type,
    expression: parameter.expression,
  })),
);

describe("every parameter of every type", { timeout: 60_000 }, () => {
  it("there are some thousands", () => expect(ALL.length).toBeGreaterThan(2500));

  it("refuses what is of another type", () => {
    for (const { on, code, type } of ALL) {
      expect(check(`${on}?${renderQuery([[code, BAD[type]]])}`).issues.length, `${on}.${code}`).toBeGreaterThan(0);
    }
  });

  it("takes values of its grammar, alone, repeated and in lists", () => {
    const asked = ALL.filter(({ expression, code }) => !expression.endsWith("@boolean") && code !== "_query");
    fc.assert(
      fc.property(fc.constantFrom(...asked), fc.gen(), ({ on, code, type }, generate) => {
        const good = goodFor(type, on, code);
        fc.pre(good !== undefined);
        const values = [generate(() => good), generate(() => good), generate(() => good)];
        const query = renderQuery([
          [code, values.slice(0, 2).join(",")],
          [code, values[2] ?? ""],
        ]);
        expect(check(`${on}?${query}`).issues, `${on}?${query}`).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("a composite knows its parts", () => {
    for (const { on, code, type } of ALL) {
      if (type === "composite") expect(componentsOf([on], code)?.length, `${on}.${code}`).toBeGreaterThan(1);
    }
  });
});
