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
    ["a misspelt preset", { profile: "minimum" }, ["profile unknown-profile"]],
    ["a name of every object", { profile: "constructor" }, ["profile unknown-profile"]],
    [
      "a misspelt condition",
      { profiles: [{ when: { zone: ["device"] }, profile: "full" }] },
      ["profiles[0].when.zone unknown-option"],
    ],
    ["a misspelt element", rule("Patient.nme"), ["profile.rules[0] invalid-path"]],
    ["a type R4 does not have", rule("Human.name"), ["profile.rules[0] invalid-path"]],
    ["FHIRPath", rule("Patient.name.where(use='official')"), ["profile.rules[0] invalid-path"]],
    ["an element of a primitive", rule("Patient.birthDate.x"), ["profile.rules[0] invalid-path"]],
    ["a name that cannot be generalised", rule("Patient.name", "generalise"), ["profile.rules[0] invalid-action"]],
    [
      "a whole that cannot be pseudonymised",
      rule("Patient.identifier", "pseudonymise"),
      ["profile.rules[0] invalid-action"],
    ],
    [
      "a mask that shows too much",
      rule("Identifier.value", { mask: { last: 20 } }),
      ["profile.rules[0] invalid-action"],
    ],
    ["an action nobody knows", rule("Patient.name", "hide"), ["profile.rules[0] invalid-action"]],
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
      ["profile.rules[1] duplicate-path"],
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
    [
      "names as text: parts of them would have counted",
      { profiles: [{ when: { clients: "records-app", roles: "nurse" }, profile: "full" }] },
      ["profiles[0].when.clients invalid-shape", "profiles[0].when.roles invalid-shape"],
    ],
    [
      "a zone nobody is in",
      { profiles: [{ when: { zones: ["patients"] }, profile: "full" }] },
      ["profiles[0].when.zones invalid-shape"],
    ],
    [
      "names of profiles in place of choices",
      { profiles: ["full", null] },
      ["profiles[0] invalid-shape", "profiles[1] invalid-shape"],
    ],
    ["a choice of nothing", { profiles: [{ when: {} }] }, ["profiles[0].profile invalid-shape"]],
    ["one choice in place of a list", { profiles: "full" }, ["profiles invalid-shape"]],
    ["no profile, said twice", { profile: null }, ["profile invalid-shape"]],
    ["one rule in place of a list", { profile: { name: "x", rules: {} } }, ["profile.rules invalid-shape"]],
    ["a rule that is none", { profile: { name: "x", rules: [null] } }, ["profile.rules[0] invalid-shape"]],
    [
      "a misspelt key of a rule",
      { profile: { name: "x", rules: [{ path: "Patient.name", action: "remove", actions: 1 }] } },
      ["profile.rules[0].actions unknown-option"],
    ],
    [
      "categories by name alone",
      { profile: "full", sensitive: ["hiv"], categories: "hiv" },
      ["sensitive[0] invalid-shape", "categories invalid-shape"],
    ],
    [
      "a misspelt exception of a category",
      { profile: "full", sensitive: [{ category: "hiv", fate: "drop", unles: [] }] },
      ["sensitive[0].unles unknown-option"],
    ],
    ["S9: a deadline as text", { profile: "full", prepareTimeoutMs: "2000" }, ["prepareTimeoutMs out-of-range"]],
    [
      "S9: a length without end",
      { profile: "full", requestBytes: Number.POSITIVE_INFINITY },
      ["requestBytes out-of-range"],
    ],
    [
      "a rule whose path is misspelled",
      { profile: { name: "r", rules: [{ paths: "Patient.name", action: "remove" }] } },
      ["profile.rules[0].paths unknown-option", "profile.rules[0].path invalid-shape"],
    ],
    [
      "a profile whose name is no text",
      { profile: { name: 5, only: ["Patient.name"] } },
      ["profile.name invalid-shape"],
    ],
    ["S9: a length as text", { profile: "full", requestBytes: "2000" }, ["requestBytes out-of-range"]],
    [
      "the name of what should be a function, and a base that should be a list",
      { profile: "full", consent: "ask", now: 5, baseUrls: "https://fhir.example.org" },
      ["consent invalid-shape", "baseUrls invalid-shape", "now invalid-shape"],
    ],
    ["one JSON rule in place of a list", { json: { path: "$.a", action: "remove" } }, ["json invalid-shape"]],
    ["a JSON action nobody knows", { json: [{ path: "$.a", action: "hide" }] }, ["json[0] invalid-action"]],
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
