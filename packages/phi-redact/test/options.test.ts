import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type PhiRedactOptions, phiRedact, pseudonymiser } from "../src/index.ts";
import { KEY, PSEUDONYMS } from "./support/values.ts";

/** What is found wrong: `path code`. */
function faults(options: unknown): readonly string[] {
  try {
    phiRedact(options as PhiRedactOptions);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}
const rule = (path: string, action: unknown = "remove") => ({ profile: { name: "x", rules: [{ path, action }] } });

describe("options", () => {
  it.each<[string, unknown, readonly string[]]>([
    ["none", {}, ["profile required"]],
    ["a misspelt option", { profile: "full", profil: 1 }, ["profil unknown-option"]],
    ["a misspelt preset", { profile: "minimum" }, ["profile unknown-profile", "profile required"]],
    ["a name of every object", { profile: "constructor" }, ["profile unknown-profile", "profile required"]],
    [
      "a misspelt condition",
      { profiles: [{ when: { zone: ["device"] }, profile: "full" }] },
      ["profiles[0].when.zone unknown-option"],
    ],
    ["a misspelt element", rule("Patient.nme"), ["profile.rules[0] invalid-path", "profile required"]],
    ["a type R4 does not have", rule("Human.name"), ["profile.rules[0] invalid-path", "profile required"]],
    ["FHIRPath", rule("Patient.name.where(use='official')"), ["profile.rules[0] invalid-path", "profile required"]],
    ["an element of a primitive", rule("Patient.birthDate.x"), ["profile.rules[0] invalid-path", "profile required"]],
    [
      "a name that cannot be generalised",
      rule("Patient.name", "generalise"),
      ["profile.rules[0] invalid-action", "profile required"],
    ],
    [
      "a whole that cannot be pseudonymised",
      rule("Patient.identifier", "pseudonymise"),
      ["profile.rules[0] invalid-action", "profile required"],
    ],
    [
      "a mask that shows too much",
      rule("Identifier.value", { mask: { last: 20 } }),
      ["profile.rules[0] invalid-action", "profile required"],
    ],
    ["an action nobody knows", rule("Patient.name", "hide"), ["profile.rules[0] invalid-action", "profile required"]],
    [
      "one path twice",
      {
        profile: {
          name: "x",
          rules: [
            { path: "Patient.name", action: "remove" },
            { path: "Patient.name", action: "keep" },
          ],
        },
      },
      ["profile.rules[1] duplicate-path", "profile required"],
    ],
    ["encryption without a cipher", rule("Patient.name", "encrypt"), ["cipher required"]],
    ["pseudonyms without keys", rule("Identifier.value", "pseudonymise"), ["pseudonyms required"]],
    [
      "a category nobody knows",
      { profile: "full", sensitive: [{ category: "hivv", fate: "drop" }] },
      ["sensitive unknown-category"],
    ],
    [
      "a fate nobody knows",
      { profile: "full", sensitive: [{ category: "hiv", fate: "keep" }] },
      ["sensitive unknown-fate"],
    ],
    ["FHIR and plain JSON at once", { profile: "full", json: [{ path: "$.a", action: "remove" }] }, ["json conflict"]],
    ["no JSON rule", { json: [] }, ["json required"]],
    ["a JSON path with a filter", { json: [{ path: "$.a[?(@.b)]", action: "remove" }] }, ["json[0] invalid-path"]],
    ["a deadline of nothing", { profile: "full", prepareTimeoutMs: 0 }, ["prepareTimeoutMs out-of-range"]],
    ["a postal area of two digits", { profile: "full", smallZipAreas: ["05"] }, ["smallZipAreas invalid-area"]],
    [
      "several at once",
      { profile: "full", profil: 1, requestBytes: -1 },
      ["profil unknown-option", "requestBytes out-of-range"],
    ],
  ])("%s", (_name, options, expected) => expect(faults(options)).toEqual(expected));

  it("suggests what was meant", () => {
    expect(() => phiRedact(rule("Patient.brithDate") as PhiRedactOptions)).toThrow("did you mean `birthDate`?");
  });
});

describe("pseudonymiser (standards 8.6)", () => {
  const { pseudonymOf } = pseudonymiser(PSEUDONYMS);

  it("gives one value one token within a purpose, and fits an id", () => {
    expect(pseudonymOf("Patient", "1")).toBe(pseudonymOf("Patient", "1"));
    expect(pseudonymOf("Patient", "1")).toMatch(/^v1\.k1\.[0-9a-f]{48}$/);
  });

  it.each<[string, string, string]>([
    ["another value", pseudonymOf("Patient", "1"), pseudonymOf("Patient", "2")],
    ["another domain", pseudonymOf("Patient", "1"), pseudonymOf("Group", "1")],
    ["parts shifted", pseudonymOf("Patient1", "1"), pseudonymOf("Patient", "11")],
    [
      "another purpose",
      pseudonymOf("Patient", "1"),
      pseudonymiser({ ...PSEUDONYMS, purpose: "other" }).pseudonymOf("Patient", "1"),
    ],
    [
      "another tenant",
      pseudonymOf("Patient", "1"),
      pseudonymiser({ ...PSEUDONYMS, tenant: "t" }).pseudonymOf("Patient", "1"),
    ],
  ])("%s: another token", (_name, one, other) => expect(one).not.toBe(other));

  it("knows its tokens after the key has been rotated, and nobody can make one", () => {
    const old = pseudonymOf("Patient", "1");
    const rotated = pseudonymiser({ ...PSEUDONYMS, keyId: "k2", keys: { k1: KEY, k2: new Uint8Array(32).fill(9) } });
    expect(rotated.pseudonymOf("Patient", old)).toBe(old);
    expect(rotated.pseudonymOf("Patient", "1")).toMatch(/^v1\.k2\./);
    const forged = `${old.slice(0, -1)}${old.endsWith("0") ? "1" : "0"}`;
    expect(rotated.pseudonymOf("Patient", forged)).not.toBe(forged);
  });

  it.each<[string, object]>([
    ["a short key", { keys: { k1: new Uint8Array(16) } }],
    ["no key of the id", { keyId: "k9" }],
    ["an id that is too long", { keyId: "abcdefghi", keys: { abcdefghi: KEY } }],
    ["no purpose", { purpose: "" }],
  ])("refuses %s", (_name, more) =>
    expect(() => pseudonymiser({ ...PSEUDONYMS, ...more })).toThrow(ConfigurationError),
  );
});
