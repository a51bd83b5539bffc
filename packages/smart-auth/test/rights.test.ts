import type { GrantClause } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { createRights } from "../src/rights.ts";

const clause = (change: Partial<GrantClause>): GrantClause => ({
  from: "a clause",
  context: "user",
  types: ["Observation"],
  letters: ["r"],
  filter: [],
  supportTypes: ["Practitioner"],
  ...change,
});
const covers = (change: Partial<GrantClause>, resource: { [name: string]: string | object }): boolean =>
  createRights({ clauses: [clause(change)] }, {}).covers(
    { resourceType: "Observation", ...resource } as Parameters<ReturnType<typeof createRights>["covers"]>[0],
    ["r"],
  );

/** `Grant` is an open value: clauses may come from elsewhere than `parseScope`, which lets no such filter through. */
describe("a clause", () => {
  it.each<[string, readonly (readonly [string, string])[]]>([
    ["cannot be decided on the resource", [["code:in", "http://example.org/vs"]]],
    ["follows a reference", [["subject:Patient.name", "x"]]],
    ["is a result parameter", [["_count", "1"]]],
    ["is an include", [["_include", "Observation:subject"]]],
    ["is not known", [["colour", "red"]]],
    [
      "matches in part",
      [
        ["status", "final"],
        ["code", "x"],
      ],
    ],
  ])("covers nothing by a filter that %s", (_what, filter) => {
    expect(covers({ filter }, { status: "final" })).toBe(false);
  });

  it("covers by a filter that matches", () => {
    expect(covers({ filter: [["status", "final"]] }, { status: "final" })).toBe(true);
  });

  it("covers nothing by letters or types it does not have", () => {
    expect(covers({ letters: ["s", "u"] }, {})).toBe(false);
    expect(covers({ types: ["Condition"] }, {})).toBe(false);
    expect(covers({ types: [] }, {})).toBe(false);
  });
});

const compartment = { type: "Patient", id: "p1", rule: "subject" } as const;
const rightsOf = (...clauses: Partial<GrantClause>[]) => createRights({ clauses: clauses.map(clause) }, {});

describe("what a clause reaches by its type", () => {
  it.each<[string, Partial<GrantClause>, string, "r" | "s", boolean]>([
    ["its type", {}, "Observation", "r", true],
    ["no other", {}, "Condition", "r", false],
    ["by its letters only", {}, "Observation", "s", false],
    ["every type", { types: "*" }, "Condition", "r", true],
    ["some type", { types: "*", compartment }, "*", "r", true],
    ["under a compartment a type of it", { types: "*", compartment }, "Condition", "r", true],
    ["under a compartment no other type", { types: "*", compartment }, "Task", "r", false],
    ["under a compartment a support type, to read", { types: "*", compartment }, "Practitioner", "r", true],
    [
      "under a compartment no support type, to search",
      { types: "*", letters: ["r", "s"], compartment },
      "Practitioner",
      "s",
      false,
    ],
    ["under a compartment bytes, to read (A13)", { types: "*", compartment }, "Binary", "r", true],
    ["under a compartment no bytes, to search", { types: "*", letters: ["r", "s"], compartment }, "Binary", "s", false],
    [
      "under a compartment no bytes by a filter",
      { types: "*", compartment, filter: [["_id", "1"]] },
      "Binary",
      "r",
      false,
    ],
  ])("%s", (_what, change, type, letter, expected) => {
    const rights = rightsOf(change);
    expect(rights.reaches(type, [letter])).toBe(expected);
    // Asked again, it is remembered.
    expect(rights.clausesFor(type, letter).length > 0).toBe(expected);
  });

  it("is nothing of a type the route does not serve", () => {
    const grant = { clauses: [clause({ types: "*" })] };
    const rights = createRights(grant, { types: new Set(["Condition"]) });
    expect(["Condition", "Observation", "*"].map((type) => rights.reaches(type, ["r"]))).toEqual([true, false, true]);
    expect(rights.covers({ resourceType: "Observation" }, ["r"])).toBe(false);
  });

  it("is one of the letters, of several asked for", () => {
    expect(rightsOf({ letters: ["u"] }).reaches("Observation", ["r", "u"])).toBe(true);
    expect(rightsOf({ letters: ["u"] }).reaches("Observation", [])).toBe(false);
  });
});

describe("all of a type", () => {
  it.each<[string, Partial<GrantClause>[], boolean]>([
    ["by a clause without bound", [{}], true],
    ["not within a compartment", [{ compartment }], false],
    ["not by a filter", [{ filter: [["status", "final"]] }], false],
    ["by one of several", [{ compartment }, {}], true],
    ["by none", [], false],
  ])("%s", (_what, clauses, expected) => {
    const rights = rightsOf(...clauses);
    expect([rights.reachesAll("Observation", "r"), rights.grantsAll("Observation", "r")]).toEqual([expected, expected]);
  });
});

describe("A1: a type of which everything may be known", () => {
  const all = { types: "*", letters: ["r", "s"] } as const;
  it.each<[string, Partial<GrantClause>, string, boolean]>([
    ["is searched without bound", { letters: ["s"] }, "Observation", true],
    ["is not read alone", { letters: ["r"] }, "Observation", false],
    ["is a support type", { ...all, compartment }, "Practitioner", true],
    ["is no type of the compartment", { ...all, compartment }, "Observation", false],
    ["is no bytes", { ...all, compartment }, "Binary", false],
    ["is not all types", { ...all, compartment }, "*", false],
    ["is no support type by a filter", { ...all, compartment, filter: [["_id", "1"]] }, "Practitioner", false],
    ["is no support type that may only be searched", { ...all, letters: ["s"], compartment }, "Practitioner", false],
  ])("%s", (_what, change, type, expected) => {
    expect(rightsOf(change).isOpen(type)).toBe(expected);
  });
});

describe("A5: a resource", () => {
  const mine = { resourceType: "Observation", subject: { reference: "Patient/p1" } };
  const filter = [["status", "final"]] as const;
  it.each<[string, Partial<GrantClause>, object, boolean]>([
    ["within the compartment", { compartment }, mine, true],
    ["of another", { compartment }, { ...mine, subject: { reference: "Patient/p2" } }, false],
    ["of nobody", { compartment }, { resourceType: "Observation" }, false],
    ["of a support type", { types: "*", compartment }, { resourceType: "Practitioner" }, true],
    ["of bytes (A13)", { types: "*", compartment }, { resourceType: "Binary" }, false],
    ["of bytes, without bound", { types: "*" }, { resourceType: "Binary" }, true],
    ["within the compartment, by a filter", { compartment, filter }, { ...mine, status: "final" }, true],
    ["within the compartment, not by a filter", { compartment, filter }, { ...mine, status: "amended" }, false],
    ["by a filter, of another", { compartment, filter }, { resourceType: "Observation", status: "final" }, false],
    [
      "of a type R4 does not have, by what every type has",
      { types: "*", filter: [["_id", "1"]] },
      { resourceType: "Nonsense", id: "1" },
      false,
    ],
    [
      "of a type R4 does not have, by what it has not",
      { types: "*", filter },
      { resourceType: "Nonsense", status: "final" },
      false,
    ],
  ])("%s", (_what, change, resource, expected) => {
    const rights = rightsOf(change);
    // Twice: filters are read once.
    for (const _ of [1, 2]) expect(rights.covers(resource as { resourceType: string }, ["r"])).toBe(expected);
  });

  it("is named by addresses of this server too", () => {
    const absolute = {
      resourceType: "Observation",
      subject: { reference: "https://fhir.example.org/fhir/Patient/p1" },
    };
    const grant = { clauses: [clause({ compartment })] };
    expect(createRights(grant, { baseUrls: ["https://fhir.example.org/fhir"] }).covers(absolute, ["r"])).toBe(true);
    expect(createRights(grant, {}).covers(absolute, ["r"])).toBe(false);
  });

  it("needs one of the letters asked for", () => {
    expect(rightsOf({}).covers({ resourceType: "Observation" }, ["s", "r"])).toBe(true);
    expect(rightsOf({}).covers({ resourceType: "Observation" }, [])).toBe(false);
  });

  it("is covered by one clause as a whole, never by parts of two", () => {
    const rights = rightsOf({ compartment }, { letters: ["s"] });
    expect(rights.covers({ resourceType: "Observation" }, ["r"])).toBe(false);
    expect(rights.covers({ resourceType: "Observation" }, ["s"])).toBe(true);
  });

  it("is judged by each clause's own filter", () => {
    const rights = rightsOf({ from: "one", filter }, { from: "two", filter: [["status", "amended"]] });
    const told = ["final", "amended", "draft"].map((status) => rights.covers({ ...mine, status }, ["r"]));
    expect(told).toEqual([true, true, false]);
  });
});
