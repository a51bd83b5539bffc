import type { GrantClause } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { forwardedPairs, narrow, type Pairs, withoutAdded } from "../src/narrow.ts";

const clause = (filter: Pairs = [], patient?: string, rule: "subject" | "full" = "subject"): GrantClause => ({
  from: "a clause",
  context: "user",
  types: "*",
  letters: ["s"],
  filter,
  supportTypes: [],
  ...(patient === undefined ? {} : { compartment: { type: "Patient", id: patient, rule } }),
});
const FINAL = ["status", "final"] as const;
const DRAFT = ["status", "preliminary"] as const;
const CODE = ["code", "weight"] as const;

describe("what is added to a search", () => {
  it.each<[string, string, GrantClause[], Pairs]>([
    ["nothing, for who may see all", "Observation", [clause()], []],
    ["the patient", "Observation", [clause([], "1")], [["subject", "Patient/1"]]],
    ["the patient's own id, of Patient", "Patient", [clause([], "1")], [["_id", "1"]]],
    [
      "the patient once, for several clauses",
      "Observation",
      [clause([], "1"), clause([], "1")],
      [["subject", "Patient/1"]],
    ],
    ["nothing for two patients: no search means either", "Observation", [clause([], "1"), clause([], "2")], []],
    ["nothing where one clause is not bound", "Observation", [clause([], "1"), clause()], []],
    ["nothing where the first clause is not bound", "Observation", [clause(), clause([], "1")], []],
    ["nothing of a type outside the compartment", "Practitioner", [clause([], "1")], []],
    ["nothing where several parameters make a member", "Observation", [clause([], "1", "full")], []],
    ["the one parameter that makes a member", "Encounter", [clause([], "1", "full")], [["patient", "Patient/1"]]],
    [
      "the first, where each says whom it is about",
      "MedicationDispense",
      [clause([], "1")],
      [["subject", "Patient/1"]],
    ],
    ["a filter", "Observation", [clause([FINAL])], [FINAL]],
    ["all of one clause's filters", "Observation", [clause([FINAL, CODE])], [FINAL, CODE]],
    [
      "values of one parameter, ORed",
      "Observation",
      [clause([FINAL]), clause([DRAFT])],
      [["status", "final,preliminary"]],
    ],
    ["a value once", "Observation", [clause([FINAL]), clause([FINAL])], [FINAL]],
    ["no filters on two parameters", "Observation", [clause([FINAL]), clause([CODE])], []],
    ["no filters where a clause has two", "Observation", [clause([FINAL]), clause([FINAL, CODE])], []],
    ["no filter where another clause has none", "Observation", [clause([FINAL]), clause()], []],
    ["no filter where the first clause has none", "Observation", [clause(), clause([FINAL])], []],
    ["patient and filter", "Observation", [clause([FINAL], "1")], [["subject", "Patient/1"], FINAL]],
    ["nothing without clauses", "Observation", [], []],
  ])("%s", (_what, type, clauses, added) => {
    expect(narrow(type, clauses, []).added).toEqual(added);
  });

  it("names the patient it is narrowed to, and by what; nobody otherwise", () => {
    expect(narrow("Observation", [clause([], "1")], []).patient).toEqual({ parameter: "subject", id: "1" });
    expect(narrow("Patient", [clause([], "1")], []).patient).toEqual({ parameter: "_id", id: "1" });
    expect(narrow("Observation", [clause()], [])).not.toHaveProperty("patient");
  });

  it.each<[string, Pairs, Pairs]>([
    ["asked already: not again", [["subject", "Patient/1"]], []],
    ["another value of the parameter asked: still added", [["subject", "Patient/2"]], [["subject", "Patient/1"]]],
    ["the value asked of another parameter: still added", [["performer", "Patient/1"]], [["subject", "Patient/1"]]],
    ["asked among others: not again", [CODE, ["subject", "Patient/1"]], []],
  ])("A12: %s", (_what, asked, added) => {
    expect(narrow("Observation", [clause([], "1")], asked).added).toEqual(added);
  });
});

describe("A9: what is forwarded", () => {
  it("is what was asked, without what would tell of hidden records, and what was added", () => {
    const asked: Pairs = [CODE, ["_total", "accurate"], ["_elements", "id"], ["_summary", "count"], ["_sort", "code"]];
    expect(forwardedPairs(asked, { added: [["subject", "Patient/1"]] })).toEqual([
      CODE,
      ["_sort", "code"],
      ["subject", "Patient/1"],
    ]);
    expect(forwardedPairs(asked, undefined)).toEqual([CODE, ["_sort", "code"]]);
  });

  it.each<[string, boolean]>([
    ["_elements:exclude", false],
    ["_summary:x", false],
    ["_total:", false],
    ["code:not", true],
    ["_elements2", true],
  ])("has %s: %s, whatever the modifier", (name, kept) => {
    expect(forwardedPairs([CODE, [name, "x"]], undefined)).toEqual(kept ? [CODE, [name, "x"]] : [CODE]);
  });

  it("of a search of several types asks each by its own path, without `_type`", () => {
    const asked: Pairs = [["_type", "Observation,Condition"], CODE];
    const at = { code: "search-type", type: "Observation", path: "/Observation" } as const;
    expect(forwardedPairs(asked, { added: [FINAL], at })).toEqual([CODE, FINAL]);
    expect(forwardedPairs(asked, { added: [FINAL] })).toEqual([...asked, FINAL]);
  });

  it("is taken out of links again, each added pair once", () => {
    const added: Pairs = [["subject", "Patient/1"]];
    const link: Pairs = [CODE, ["subject", "Patient/1"], ["subject", "Patient/2"], ["performer", "Patient/1"]];
    expect(withoutAdded(link, { added })).toEqual([CODE, ["subject", "Patient/2"], ["performer", "Patient/1"]]);
    const turned: Pairs = [
      ["subject", "Patient/2"],
      ["performer", "Patient/1"],
      ["subject", "Patient/1"],
    ];
    expect(withoutAdded(turned, { added })).toEqual(turned.slice(0, 2));
    expect(withoutAdded([...added, ...added], { added })).toEqual(added);
    expect(withoutAdded([...added, ...added], { added: [...added, ...added] })).toEqual([]);
    expect(withoutAdded(link, { added: [] })).toEqual(link);
  });
});
