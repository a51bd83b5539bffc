import type { Grant, Interaction, SearchCriterion, SearchQuery } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { DEFAULT_BOUNDS } from "../../src/classes/classify.ts";
import { type ClassBounds, classesOf, classify, type OperationClass } from "../../src/index.ts";

const criterion = (more: Partial<SearchCriterion>): SearchCriterion => ({
  raw: more.parameter ?? "",
  steps: [],
  parameter: "code",
  on: ["Observation"],
  parameterType: "token",
  values: ["x"],
  known: true,
  ...more,
});
const query = (more: Partial<SearchQuery>): SearchQuery => ({
  criteria: [],
  includes: [],
  sort: [],
  control: [],
  pairs: [],
  ...more,
});
const interaction = (more: Partial<Interaction>): Interaction => ({
  code: "read",
  path: "/Patient/1",
  touches: [],
  entries: [],
  ...more,
});
const search = (more: Partial<SearchQuery>, rest: Partial<Interaction> = {}): Interaction =>
  interaction({ code: "search-type", path: "/Observation", type: "Observation", search: query(more), ...rest });
const PATIENT = criterion({ parameter: "patient", parameterType: "reference", values: ["Patient/1"] });
const DATE = criterion({ parameter: "date", parameterType: "date", values: ["ge2026-01-01"] });
const STEP = { kind: "chain", parameter: "subject", types: ["Patient"] } as const;
const include = (more: object): SearchQuery["includes"][number] => ({
  kind: "include",
  iterate: false,
  source: "Observation",
  parameter: "subject",
  targets: ["Patient"],
  ...more,
});
const operation = (name: string): Interaction => interaction({ code: "operation", operation: { name, level: "type" } });
const bundleOf = (...parts: Interaction[]): Interaction =>
  interaction({
    code: "batch",
    path: "/",
    entries: parts.map((part, index) => ({ index, method: "GET", interaction: part })),
  });

const bound = (context: "patient" | "user"): Grant["clauses"][number] => ({
  from: "s",
  context,
  types: "*",
  letters: ["s"],
  filter: [],
  supportTypes: [],
  ...(context === "patient" ? { compartment: { type: "Patient", id: "1", rule: "subject" } as const } : {}),
});

const classOf = (one: Interaction, grant?: Grant, bounds: ClassBounds = {}): OperationClass =>
  classify(one, grant, { ...DEFAULT_BOUNDS, ...bounds });

describe("the class of an interaction", () => {
  it.each<[OperationClass, string, Interaction]>([
    ["ordinary", "a read", interaction({})],
    ["ordinary", "a create", interaction({ code: "create" })],
    ["ordinary", "one resource's history", interaction({ code: "history-instance" })],
    ["expensive", "a type's history", interaction({ code: "history-type" })],
    ["expensive", "everybody's history", interaction({ code: "history-system" })],
    ["expensive", "what could not be named", interaction({ code: "unknown", unknownBecause: "no" })],
    ["bulk", "$export", operation("export")],
    ["expensive", "$everything", operation("everything")],
    ["ordinary", "$validate", operation("validate")],
    ["ordinary", "a search for one patient", search({ criteria: [PATIENT] })],
    ["ordinary", "a search from a date on", search({ criteria: [criterion({}), DATE] })],
    ["ordinary", "a search by name", search({ criteria: [criterion({ parameter: "name", parameterType: "string" })] })],
    ["ordinary", "a search by id", search({ criteria: [criterion({ parameter: "_id" })] })],
    ["ordinary", "a search by identifier", search({ criteria: [criterion({ parameter: "identifier" })] })],
    ["ordinary", "a search in a compartment", search({}, { compartment: { type: "Patient", id: "1" } })],
    ["expensive", "a search for everything", search({})],
    ["expensive", "a search by code without a date", search({ criteria: [criterion({})] })],
    ["expensive", "a search for what is not one patient's", search({ criteria: [{ ...PATIENT, modifier: "not" }] })],
    ["expensive", "a search for what has no date", search({ criteria: [{ ...DATE, modifier: "missing" }] })],
    ["expensive", "a date that says nothing", search({ criteria: [{ ...DATE, values: [""] }] })],
    ["expensive", "a parameter nobody defined", search({ criteria: [{ ...PATIENT, known: false }] })],
    ["expensive", "_include=*", search({ criteria: [PATIENT], includes: [include({ source: "*", parameter: "*" })] })],
    ["expensive", "_include:*", search({ criteria: [PATIENT], includes: [include({ parameter: "*" })] })],
    ["expensive", "_include:iterate", search({ criteria: [PATIENT], includes: [include({ iterate: true })] })],
    ["ordinary", "five includes", search({ criteria: [PATIENT], includes: Array(5).fill(include({})) })],
    ["expensive", "six includes", search({ criteria: [PATIENT], includes: Array(6).fill(include({})) })],
    ["ordinary", "one step of a chain", search({ criteria: [PATIENT, criterion({ steps: [STEP] })] })],
    ["expensive", "two steps of a chain", search({ criteria: [PATIENT, criterion({ steps: [STEP, STEP] })] })],
    ["ordinary", "_count=200", search({ criteria: [PATIENT], control: [{ name: "_count", value: "200" }] })],
    ["expensive", "_count=201", search({ criteria: [PATIENT], control: [{ name: "_count", value: "201" }] })],
    [
      "expensive",
      "_count that is no number",
      search({ criteria: [PATIENT], control: [{ name: "_count", value: "1e9" }] }),
    ],
    [
      "expensive",
      "the larger of two _count",
      search({ criteria: [PATIENT], control: ["10", "900"].map((value) => ({ name: "_count", value })) }),
    ],
    [
      "expensive",
      "_text",
      search({ criteria: [PATIENT, criterion({ parameter: "_text", parameterType: "special" })] }),
    ],
    [
      "expensive",
      "a condition as deep",
      interaction({ code: "update", condition: query({ criteria: [criterion({ steps: [STEP, STEP] })] }) }),
    ],
    ["ordinary", "a batch of reads", bundleOf(interaction({}), interaction({}))],
    ["expensive", "a batch with one wide search", bundleOf(interaction({}), search({}))],
    ["bulk", "a batch with an export", bundleOf(operation("export"), search({}))],
  ])("%s: %s", (expected, _what, one) => {
    expect(classOf(one)).toBe(expected);
  });

  it("a search is as wide as the grant lets it be", () => {
    expect(classOf(search({}), { clauses: [bound("patient")] })).toBe("ordinary");
    expect(classOf(search({}), { clauses: [bound("patient"), bound("user")] })).toBe("expensive");
    expect(classOf(search({}), { clauses: [] })).toBe("expensive");
  });

  it("the bounds can be moved", () => {
    expect(
      classOf(search({ criteria: [PATIENT], control: [{ name: "_count", value: "50" }] }), undefined, { count: 20 }),
    ).toBe("expensive");
    expect(classOf(operation("everything"), undefined, { bulkOperations: ["everything"] })).toBe("bulk");
    expect(classOf(operation("validate"), undefined, { expensiveOperations: ["validate"] })).toBe("expensive");
  });

  it("every entry of a bundle has its own", () => {
    expect(classesOf(bundleOf(interaction({}), search({}), operation("export")), undefined, DEFAULT_BOUNDS)).toEqual([
      "ordinary",
      "expensive",
      "bulk",
    ]);
    expect(classesOf(interaction({}), undefined, DEFAULT_BOUNDS)).toEqual(["ordinary"]);
  });
});
