import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { validateResource } from "../../src/resources/validate.ts";

interface Row {
  readonly id: string;
  readonly input: { readonly text: string };
  readonly expect: "accept" | "reject";
}

const folder = new URL("../../../../../shared/vectors/fhir-validate/", import.meta.url);
const absent = !existsSync(folder);
const rows = (name: string): readonly Row[] =>
  absent ? [] : (JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Row[]);

/** The first finding; `json` when the text is none, which the parser before us refuses. */
function finding({ input }: Row): string | undefined {
  let resource: unknown;
  try {
    resource = JSON.parse(input.text.replace(/^\uFEFF/, ""));
  } catch {
    return "json";
  }
  const [issue] = validateResource(resource);
  return issue === undefined ? undefined : `${issue.issue} ${issue.expression}`;
}

/** Rows of structure.json whose verdict is not ours, with why. */
const DIFFERING: Readonly<Record<string, string>> = {
  "mr-covid-bnd1":
    "the published schema closes the list of Expression.language; the definition binds it extensibly, and its text/plain is allowed",
};

/** Rows of beyond-structure.json this package refuses; the others need terminology, invariants, profiles or signatures. */
const BEYOND: Readonly<Record<string, string>> = {
  "attachment-tx": "value Parameters.parameter[0].value.data",
  "bundle-sig-2": "structure Bundle.meta",
  "bundle-signed-nob64": "value Bundle.signature.data",
  "mr-covid-m": "required Measure.group[0].population[0].criteria.language",
  "pat-security-bad-xhtml": "value Patient.text.div",
  "versioned-extension": "required Patient.extension[2].url",
  "xml-bad-entities-json": "value Encounter.text.div",
};

const nameOf = ({ id }: Row): string => id.replace("fhir-validate/", "");

describe.skipIf(absent)("the reference validator's cases (skipped when the shared vectors are not here)", () => {
  it("get its verdict where structure decides, but for one that is explained", () => {
    const all = rows("structure.json");
    expect(all.length).toBeGreaterThan(30);
    const differing = all.filter((row) => (finding(row) === undefined ? "accept" : "reject") !== row.expect);
    expect(differing.map(nameOf)).toEqual(Object.keys(DIFFERING));
  });

  it("are refused beyond structure where this package means to", () => {
    const all = rows("beyond-structure.json");
    expect(all.length).toBeGreaterThan(30);
    const refused = all.flatMap((row) => {
      const found = finding(row);
      return found === undefined ? [] : [[nameOf(row), found]];
    });
    expect(Object.fromEntries(refused)).toEqual(BEYOND);
  });
});
