import { validateResource } from "@wardline/fhir-schema";
import type { Json } from "@wardline/policy-types/express";
import { expect, it } from "vitest";
import { createRedactor, PRESETS, type PresetName } from "../src/index.ts";
import { describeWithDefinitions, ordinaryExamples, type Resource } from "./support/definitions.ts";
import { visitStrings } from "./support/values.ts";

const NAMES = Object.keys(PRESETS) as PresetName[];

/** Names of elements that hold nothing but what the presets remove, told without the package's tables. */
function isPersonal(place: string, preset: PresetName): boolean {
  if (/(^|\.)text\.div$/.test(place)) return true;
  if (
    preset !== "minimum-necessary/directory" &&
    /(^|\.)(subject|patient|performer|author|asserter|recorder|individual)\.display$/.test(place)
  )
    return true;
  return preset === "safe-harbor" && /\.(family|given)$|(^|\.)(telecom|identifier)\.value$|\.line$/.test(place);
}

/** Personal strings that stand nowhere else, and every string that stands somewhere in `after`. */
function leftovers(
  example: Resource,
  after: Json,
  preset: PresetName,
): { readonly removed: number; readonly left: readonly string[] } {
  const personal = new Set<string>();
  const elsewhere = new Set<string>();
  visitStrings(example, (place, value) => {
    // Some examples of knowledge artefacts are "identified" by the address of HL7.
    if (value.length >= 4 && !value.startsWith("http")) (isPersonal(place, preset) ? personal : elsewhere).add(value);
  });
  const mine = [...personal].filter((value) => !elsewhere.has(value));
  const there = new Set<string>();
  visitStrings(after, (_place, value) => there.add(value));
  const text = there.size < 2000 ? JSON.stringify(after) : "";
  return { removed: mine.length, left: mine.filter((value) => there.has(value) || isWithin(value, text)) };
}

/** "Roel" is within "Encounter_Roel_20130404", an encounter's own number; longer ones are told apart. */
function isWithin(value: string, text: string): boolean {
  return value.length >= 8 && text.includes(JSON.stringify(value).slice(1, -1));
}

describeWithDefinitions("the official examples", (folder) => {
  const examples = ordinaryExamples(folder);
  /** The Bundles of all definitions of R4, up to 35 MB, are judged under one preset. */
  const ordinary = examples.filter(({ entry }) => !Array.isArray(entry) || entry.length < 100);

  it("are all there", () => expect(examples).toHaveLength(746));

  it.each(NAMES)(
    "%s: changes no input, is idempotent, and leaves no string of a removed element anywhere",
    (preset) => {
      const { redact } = createRedactor({ profile: preset });
      let total = 0;
      for (const example of preset === "safe-harbor" ? examples : ordinary) {
        const before = ordinary.includes(example) ? JSON.stringify(example) : "";
        const after = redact(example);
        if (before !== "") expect(JSON.stringify(example)).toBe(before);
        if (after === undefined) continue;
        // The very same object: a second pass has nothing to do.
        expect(redact(after) === after).toBe(true);
        if (preset === "full") continue;
        const { removed, left } = leftovers(example, after, preset);
        expect(left).toEqual([]);
        total += removed;
      }
      if (preset !== "full") expect(total).toBeGreaterThan(100);
    },
    60_000,
  );

  it.each(["minimum-necessary", "safe-harbor"] as const)(
    "%s: what was R4 stays R4, or says that it is not whole",
    (preset) => {
      const { redact } = createRedactor({ profile: preset });
      const broken: Resource[] = [];
      for (const example of ordinary) {
        if (validateResource(example).length > 0) continue;
        const after = redact(example) as Resource | undefined;
        if (after !== undefined && validateResource(after).length > 0) broken.push(after);
      }
      // A Signature has to have a type, and Safe Harbor takes the signature.
      expect(broken.map(({ resourceType }) => resourceType)).toEqual(
        preset === "safe-harbor" ? ["Contract", "Contract"] : [],
      );
      for (const resource of broken) expect(JSON.stringify(resource["meta"])).toContain('"MASKED"');
    },
    60_000,
  );
});
