import type { PolicyDocument } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { checkReload } from "../src/policy/reload.ts";

const route = { id: "ehr", path: "/fhir", operations: ["export"] };
const policy = (...routes: readonly object[]): PolicyDocument =>
  ({ name: "edge", routes }) as unknown as PolicyDocument;
const findings = (running: PolicyDocument, next: PolicyDocument): readonly string[] => {
  try {
    checkReload(running, next);
    return [];
  } catch (error) {
    return (error as { issues: readonly { path: string }[] }).issues.map(({ path }) => path);
  }
};

describe("F11: what needs a restart is found before anything of the new policy is made", () => {
  it.each<[string, object, readonly string[]]>([
    ["nothing", route, []],
    ["the path of a route that has exports", { ...route, path: "/r4" }, ["routes"]],
    ["the same, of one that has none any more", { ...route, path: "/r4", operations: [] }, []],
    ["another route of that path", { ...route, id: "other" }, []],
  ])("%s", (_what, next, expected) => {
    expect(findings(policy(route), policy(next))).toEqual(expected);
  });

  it("all at once", () => {
    const next = { ...policy({ ...route, path: "/r4" }), name: "another" };
    expect(findings(policy(route), next)).toEqual(["name", "routes"]);
  });
});
