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

/**
 * What beyond-structure.json refuses and this package does not, by what it would take. Those that profiles can demand are
 * refused where a route has such a profile.
 */
const BEYOND_US: Readonly<Record<string, string>> = {
  "the codes of a terminology, or their display names":
    "allergy contract-binding-test mni-patientOverview-bundle-example1b cvx bundle-id-3 bundle-id-5 obs-temp-code2 uk-msg " +
    "vs-bad-code vs-bad-ecl vs-bad-ecl-us",
  "an invariant of R4, which a profile can demand":
    "questionnaire-enableWhen-dw q-enablewhen-me-wrong risk-assessment-probability-range encounter-period",
  "a profile, which the row does not claim": "obs-temp-bad",
  "other definitions: of a search parameter, a code system, an extension":
    "capstmt cs-bad-props vs-bad-props vs-params-2 vs-params-4 supplement-2 pat-example-extensions obs-mz",
  "resolving what a reference or a link points to": "parameters-reference-bad bundle-with-contained",
  "a rule of the text of R4 on Bundles and canonical URLs": "bundle-id-2 vs-canonical-bad vs-canonical-urn",
  "reading what an attachment or a signature holds": "attachment-with-wrong-size signatures-example-2",
  "taking text that looks like HTML for HTML": "pat-security-bad-string bad-markdown-no-html",
};

/** Rows of beyond-structure.json this package refuses. */
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

  it("are refused beyond structure where this package means to, and each other one is explained", () => {
    const all = rows("beyond-structure.json");
    expect(all.length).toBeGreaterThan(30);
    const refused = all.flatMap((row) => {
      const found = finding(row);
      return found === undefined ? [] : [[nameOf(row), found]];
    });
    expect(Object.fromEntries(refused)).toEqual(BEYOND);
    const explained = [...Object.keys(BEYOND), ...Object.values(BEYOND_US).flatMap((names) => names.split(" "))];
    expect(explained.sort()).toEqual(all.map(nameOf).sort());
  });
});
