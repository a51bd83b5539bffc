import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REQUIREMENTS } from "../src/evidence/laws/index.ts";

const PACKAGES = join(import.meta.dirname, "../..");
const controls = REQUIREMENTS.flatMap(({ citation, controls: some }) =>
  some.map((control) => ({ ...control, citation })),
);
const citations = REQUIREMENTS.map(({ citation }) => citation).join("\n");

describe("the mapping of laws to controls", () => {
  it.each([
    "164.308(a)(1)(ii)(A)-(B)",
    "164.308(a)(1)(ii)(D)",
    "164.308(a)(3)-(4)",
    "164.308(a)(5)(i)",
    "164.308(a)(5)(ii)(C)",
    "164.308(a)(6)(ii)",
    "164.308(a)(7)",
    "164.308(a)(8)",
    "164.310",
    "164.312(a)(1)",
    "164.312(a)(2)(i)",
    "164.312(a)(2)(ii)",
    "164.312(a)(2)(iii)",
    "164.312(a)(2)(iv)",
    "164.312(b)",
    "164.312(c)(1)-(2)",
    "164.312(d)",
    "164.312(e)(1), (e)(2)(i)-(ii)",
    "164.314(a)",
    "164.316(b)(1), (b)(2)(i)",
    "164.502(b), 164.514(d)",
    "164.508(a)(2)",
    "42 CFR Part 2",
    "164.514(b)-(c)",
    "164.514(e)",
    "164.522(a)(1)",
    "164.524",
    "164.528",
    "164.400-414",
    "164.402",
    "422.119, 431.60, 457.730; 45 CFR 156.221",
    "422.119(d)-(e)",
    "422.119(f), 431.60(f), 457.730(f); 45 CFR 156.221(f)",
    "422.120",
    "422.121(a)-(b), 431.61(a)-(b), 457.731(a)-(b); 45 CFR 156.222(a)-(b)",
    "422.122(b), 431.80(b), 457.732(b); 45 CFR 156.223(b)",
    "422.122(c), 438.210(f), 440.230(e)(3), 457.732(c); 45 CFR 156.223(c)",
    "422.568(b)(1), 422.572(a)",
  ])("has a row for %s", (citation) => {
    expect(citations).toContain(citation);
  });

  it("leaves nobody with neither a control nor a duty", () => {
    expect(REQUIREMENTS.filter(({ controls: some, duty }) => some.length === 0 && duty === undefined)).toEqual([]);
    expect(new Set(REQUIREMENTS.map(({ citation }) => citation)).size).toBe(REQUIREMENTS.length);
  });

  it.each(controls)("$citation, $package: names tests that exist", ({ package: name, rules, suites = [] }) => {
    const folder = join(PACKAGES, name, "test");
    expect(rules.length + suites.length).toBeGreaterThan(0);
    for (const suite of suites) {
      const there = suite.endsWith(".ts")
        ? existsSync(join(folder, suite))
        : readdirSync(folder).some((file) => file === suite || file.startsWith(`${suite}.`));
      expect(there, suite).toBe(true);
    }
  });

  it.each(controls)("$citation, $package: names rules that a test's title begins with", ({ package: name, rules }) => {
    expect(
      rules.filter((rule) => ![join(PACKAGES, name, "test"), EDGE].some((folder) => titles(folder).has(rule))),
    ).toEqual([]);
  });

  it("tells a key from none", () => {
    expect([["listeners", "*", "tls", "no"], ["no"]].map((path) => isKey(SCHEMA, path))).toEqual([false, false]);
  });

  it.each(controls.flatMap(({ settings }) => settings.map(({ path }) => path)))("%s is a key of the policy", (path) => {
    expect(isKey(SCHEMA, path.replaceAll("[]", ".[]").split("."))).toBe(true);
  });
});

const EDGE = join(PACKAGES, "../test");
const known = new Map<string, ReadonlySet<string>>();

/** The rules that titles of a folder's tests begin with, as `wardline evidence` reads them. */
function titles(folder: string): ReadonlySet<string> {
  const before = known.get(folder);
  if (before !== undefined) return before;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".test.ts"));
  const literals = files.flatMap(
    (file) => readFileSync(join(folder, file), "utf8").match(/["'`][FSA]\d[^\n]*?:/g) ?? [],
  );
  const found = literals.filter((text) => /^.(?:[FSA]\d{1,2}(?:, ?| and )?)+:$/.test(text));
  const rules = new Set(found.flatMap((text) => text.match(/[FSA]\d{1,2}/g) ?? []));
  known.set(folder, rules);
  return rules;
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}
const SCHEMA = JSON.parse(readFileSync(join(PACKAGES, "policy-types/policy.schema.json"), "utf8")) as Schema;

function isKey(schema: Schema | boolean | undefined, [step, ...rest]: readonly string[]): boolean {
  if (schema === undefined || typeof schema === "boolean") return false;
  if (schema.anyOf?.some((one) => isKey(one, step === undefined ? [] : [step, ...rest])) === true) return true;
  if (step === undefined) return true;
  if (step === "[]") return isKey(schema.items, rest);
  if (step === "*") return isKey(schema.additionalProperties, rest);
  return isKey(schema.properties?.[step], rest);
}
