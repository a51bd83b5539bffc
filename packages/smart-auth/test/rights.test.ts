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
