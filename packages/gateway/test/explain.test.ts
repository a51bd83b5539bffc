import { ConfigurationError, type PolicySource } from "@wardline/policy-types";
import { afterEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Explainer, openExplainer, type PolicyTestFile, testPolicy } from "../src/index.ts";

const SOURCE: PolicySource = {
  upstream: "https://ehr.example/r4",
  issuer: "https://id.example",
  publicOrigin: "https://fhir.example.org",
};
const RESOURCES = [
  { resourceType: "Patient", id: "a", name: [{ family: "Ash" }] },
  { resourceType: "Patient", id: "b", name: [{ family: "Birch" }] },
];
const CLAIMS = { scope: "patient/Patient.rs", patient: "a" };

let explainer: Explainer | undefined;
afterEach(async () => {
  await explainer?.close();
  explainer = undefined;
});

describe("openExplainer", () => {
  it("tells route, zone, controls and reasons of a permitted request", async () => {
    explainer = await openExplainer(SOURCE, RESOURCES);
    const seen = await explainer.explain({ path: "/fhir/Patient?name=Ash", claims: CLAIMS });
    expect(seen).toMatchObject({ status: 200, route: "patient-access", zone: "patient", interaction: "search-type" });
    expect(seen.decisions.map(({ control, kind }) => `${control} ${kind}`)).toEqual(
      expect.arrayContaining(["perimeter permit", "smart-auth permit", "tiered-throttle permit", "fhir-schema permit"]),
    );
    expect(seen.upstream[0]?.target).toContain("_id=a");
    expect(seen.body).toContain("Ash");
  });

  it("tells which control refused, and that nobody was asked", async () => {
    explainer = await openExplainer(SOURCE, RESOURCES);
    const seen = await explainer.explain({ method: "DELETE", path: "/fhir/Patient/a", claims: CLAIMS });
    expect(seen).toMatchObject({ status: 405, upstream: [] });
    expect(seen.decisions.at(-1)).toMatchObject({ control: "smart-auth", kind: "deny" });
  });

  it("counts a request without claims as one without a token", async () => {
    explainer = await openExplainer(SOURCE);
    expect(await explainer.explain({ path: "/fhir/Patient/a" })).toMatchObject({ status: 401 });
  });

  it("tells what becomes of a request to the authorisation server", async () => {
    const signIn = { upstream: "identity", path: "/oauth", endpoints: { token: "/token" } };
    const { upstream: _short, ...rest } = SOURCE;
    const upstreams = { ehr: { url: "https://ehr.example/r4" }, identity: { url: "https://id.example/oauth" } };
    const routes = [
      {
        id: "fhir",
        path: "/fhir",
        zone: "patient",
        apiType: "patient-access",
        interactions: ["read"],
        upstream: "ehr",
      },
    ] as const;
    explainer = await openExplainer({ ...rest, upstreams, routes, signIn });
    const posting = (body: string) => ({
      method: "POST",
      path: "/oauth/token",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body,
    });
    const refused = await explainer.explain(posting("grant_type=password"));
    expect(refused).toMatchObject({ status: 400, code: "smart-auth/grant-refused", signIn: "token", upstream: [] });
    const passed = await explainer.explain(posting("grant_type=refresh_token&client_id=app"));
    expect(passed).toMatchObject({ status: 200, signIn: "token" });
    expect(passed.upstream.map(({ target }) => target)).toEqual(["/oauth/token"]);
  });
});

describe("testPolicy", () => {
  const FILE = `
    given:
      resources: [{ resourceType: Patient, id: a }, { resourceType: Patient, id: b, name: [{ family: Birch }] }]
    tests:
      - name: her own record
        when: { path: /fhir/Patient/a, claims: { scope: patient/Patient.rs, patient: a } }
        then: { status: 200, code: none }
      - name: nobody else's
        when: { path: /fhir/Patient/b, claims: { scope: patient/Patient.rs, patient: a } }
        then: { status: 404, lacks: [Birch] }
      - name: wrong on purpose
        when: { path: /fhir/Patient/a }
        then: { status: 200, upstream: [Patient] }`;

  it("says which rows hold, and of the others why not", async () => {
    const results = await testPolicy(SOURCE, parse(FILE) as PolicyTestFile);
    expect(results.map(({ name, failures }) => [name, failures])).toEqual([
      ["her own record", []],
      ["nobody else's", []],
      ["wrong on purpose", ["status is 401, not 200", "the upstream was asked "]],
    ]);
  });

  it.each([
    ["no rows", "tests: []"],
    ["a row that expects nothing", "tests: [{ name: x, when: { path: / }, then: {} }]"],
    ["a misspelled expectation", "tests: [{ name: x, when: { path: / }, then: { statsu: 200 } }]"],
    ["a row without a path", "tests: [{ name: x, when: {}, then: { status: 200 } }]"],
  ])("refuses %s", async (_what, text) => {
    await expect(testPolicy(SOURCE, parse(text) as PolicyTestFile)).rejects.toThrow(ConfigurationError);
  });
});
