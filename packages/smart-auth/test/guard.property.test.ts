import { matches, parseInteraction, parseSearch } from "@wardline/fhir-r4";
import type { Interaction, Principal } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Access } from "../src/access.ts";
import { decideAccess } from "../src/decide.ts";
import { grantFor } from "../src/grant.ts";
import { createGuard } from "../src/guard/answer.ts";
import type { GuardFacts } from "../src/guard/facts.ts";
import { parseOptions } from "../src/options.ts";
import { createRights } from "../src/rights.ts";
import { createProblems } from "../src/token-problems.ts";

const BASE = "https://fhir.example.org/fhir";
const SECRET = "Chalmers";
const { route } = parseOptions({
  issuers: [{ issuer: "https://as.example", audience: [BASE] }],
  baseUrl: BASE,
  backendBaseUrls: ["http://upstream.internal/fhir"],
  interactions: ["read", "vread", "search-type", "search-system", "history-instance", "history-system"],
  operations: ["everything"],
});
const problems = createProblems(BASE);

const principalWith = (scopes: readonly string[]): Principal => ({
  method: "jwt",
  issuer: "https://as.example",
  subject: "u",
  clientId: "app",
  roles: [],
  purposeOfUse: [],
  launch: { patient: "p1" },
  scopes,
});

async function accessOf(scopes: readonly string[], path: string, query = ""): Promise<Access | undefined> {
  const principal = principalWith(scopes);
  const rights = createRights(grantFor(principal, route), route);
  const interaction = parseInteraction({ method: "GET", path, query });
  const decision = await decideAccess({ interaction, principal, rights, route, problems });
  return decision.kind === "permit" ? decision.grant : undefined;
}

function judge(scopes: readonly string[], access: Access, body: Json, status = 200): string {
  const rights = createRights(grantFor(principalWith(scopes), route), route);
  const facts: GuardFacts = {
    ...route,
    ...access,
    access,
    narrowing: access.narrowing,
    rights,
    onPatients: () => undefined,
  };
  const verdict = createGuard(facts, () => undefined).json(body, {
    status,
    mediaType: "application/fhir+json",
    unit: "body",
    headers: {},
  });
  if (verdict.kind === "replace") return JSON.stringify(verdict.body);
  return verdict.kind === "keep" ? JSON.stringify(body) : "";
}

/** Contained, they are parts of the record that contains them, as a Medication would be. */
const PARTS: readonly unknown[] = ["Task", "OperationOutcome"];

/** Records of p1 say nothing; every other resource, and every free word of the server, holds the secret. */
const mine = fc.constantFrom<Json>(
  { resourceType: "Patient", id: "p1" },
  { resourceType: "Observation", id: "a", subject: { reference: "Patient/p1" } },
  { resourceType: "Condition", id: "b", subject: { reference: `${BASE}/Patient/p1/_history/3` } },
  { resourceType: "Encounter", id: "c", subject: { reference: "Patient/p1" } },
  { resourceType: "Practitioner", id: "d" },
);
const others = fc
  .constantFrom<{ [name: string]: Json }>(
    { resourceType: "Patient", id: "p2" },
    { resourceType: "Patient" },
    { resourceType: "Observation", subject: { reference: "Patient/p2" } },
    { resourceType: "Observation", subject: { reference: "Patient/p2" }, performer: [{ reference: "Patient/p1" }] },
    { resourceType: "Observation", subject: { reference: "Patient/p1", type: "Group" } },
    { resourceType: "Observation", subject: { reference: "https://elsewhere.example/Patient/p1" } },
    { resourceType: "Observation", subject: { identifier: { value: "p1" } } },
    { resourceType: "Observation" },
    {
      resourceType: "Appointment",
      participant: [{ actor: { reference: "Patient/p1" } }, { actor: { reference: "Patient/p2" } }],
    },
    {
      resourceType: "Group",
      member: [{ entity: { reference: "Patient/p1" } }, { entity: { reference: "Patient/p2" } }],
    },
    { resourceType: "Task", for: { reference: "Patient/p1" } },
    { resourceType: "Binary", data: "" },
    { resourceType: "Nonsense", subject: { reference: "Patient/p1" } },
    { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "processing", diagnostics: SECRET }] },
  )
  .map((resource): Json => ({ ...resource, note: SECRET, id: resource["id"] ?? "x" }));

const mode = fc.constantFrom<Json>(
  {},
  { mode: "match" },
  { mode: "include" },
  { mode: "outcome" },
  { mode: "elsewhere" },
);

const { resource } = fc.letrec<{ resource: Json; container: Json }>((tie) => ({
  resource: fc.oneof({ depthSize: "small", withCrossShrink: true }, mine, others, tie("container")),
  container: fc.oneof(
    fc.array(fc.tuple(tie("resource"), mode), { maxLength: 4 }).map(
      (entries): Json => ({
        resourceType: "Bundle",
        type: "searchset",
        total: 4,
        identifier: { value: SECRET },
        entry: entries.map(([one, search]) => ({
          resource: one,
          search,
          fullUrl: `https://elsewhere.example/${SECRET}`,
          extension: [SECRET],
        })),
        link: [{ relation: "next", url: `${BASE}?_getpages=${SECRET}` }],
      }),
    ),
    fc.tuple(tie("resource"), tie("resource")).map(
      ([one, part]): Json => ({
        resourceType: "Parameters",
        parameter: [
          { name: "a", resource: one },
          { name: "b", valueString: SECRET, part: [{ name: "c", resource: part }] },
        ],
      }),
    ),
    fc
      .tuple(
        mine,
        tie("resource").filter((part) => !PARTS.includes((part as { resourceType?: string }).resourceType)),
      )
      .map(([one, part]): Json => ({ ...(one as { [name: string]: Json }), contained: [part], text: SECRET })),
  ),
}));

const PATHS = [
  "/Observation",
  "/Observation/a",
  "/Patient/p1/$everything",
  "/Patient/p1",
  "/",
  "/_history",
  "/Observation/a/_history",
  "/Patient/p1/Condition",
];
const SCOPES = [
  "patient/*.rs",
  "patient/*.cruds",
  "patient/Observation.rs",
  "patient/Patient.rs",
  "patient/Condition.s",
  "patient/Encounter.r",
];

describe("the guard", () => {
  it("lets nothing of another patient through, at any depth, whatever the backend answers", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(SCOPES, { minLength: 1 }),
        fc.constantFrom(...PATHS),
        resource,
        fc.constantFrom(200, 201, 400, 404, 500),
        async (scopes, path, body, status) => {
          const access = await accessOf(scopes, path);
          if (access === undefined) return;
          const text = judge(scopes, access, body, status);
          // A contained secret leaves only with the narrative of the own record around it, which is the own record's.
          expect(text.replaceAll(`"text":"${SECRET}"`, "")).not.toContain(SECRET);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("judges what it let through as it was: twice is once", async () => {
    const access = await accessOf(["patient/*.rs"], "/Observation");
    fc.assert(
      fc.property(resource, (body) => {
        if (access === undefined) throw new Error("the search is permitted");
        const once = judge(["patient/*.rs"], access, body);
        if (once !== "") expect(judge(["patient/*.rs"], access, JSON.parse(once) as Json)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});

const observation = fc
  .record({
    id: fc.uuid(),
    patient: fc.constantFrom("p1", "p2"),
    category: fc.subarray(["laboratory", "vital-signs", "survey"]),
    status: fc.constantFrom("final", "preliminary"),
  })
  .map(
    ({ id, patient, category, status }): Json => ({
      resourceType: "Observation",
      id,
      status,
      subject: { reference: `Patient/${patient}` },
      category: category.map((code) => ({ coding: [{ system: "urn:c", code }] })),
    }),
  );

const filtered = fc.constantFrom(
  "patient/Observation.rs?category=laboratory",
  "patient/Observation.rs?category=urn:c|vital-signs",
  "patient/Observation.rs?category=survey&status=final",
  "patient/Observation.s?status=preliminary",
  "patient/Observation.rs",
  "patient/*.s",
);

describe("narrowing", () => {
  it("never hides what the guard would let through", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(filtered, { minLength: 1 }),
        fc.array(observation, { maxLength: 8 }),
        async (scopes, store) => {
          const access = await accessOf(scopes, "/Observation");
          if (access === undefined) throw new Error("the search is permitted");
          const { criteria } = parseSearch(["Observation"], access.narrowing?.added ?? []);
          const found = store.filter((one) => matches(one, criteria) === true);
          expect(judge(scopes, access, searchset(found)).replace(LINKS, "")).toBe(
            judge(scopes, access, searchset(store)).replace(LINKS, ""),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  const searchset = (resources: readonly Json[]): Json => ({
    resourceType: "Bundle",
    type: "searchset",
    entry: resources.map((one) => ({ resource: one })),
  });
  const LINKS = /"link":\[.*?\],?/;
});

describe("a further scope", () => {
  const scope = fc.oneof(filtered, fc.constantFrom(...SCOPES, "patient/Observation.dus", "launch/patient", "openid"));
  const asked = fc.constantFrom<readonly [string, string]>(
    ["/Observation/a", ""],
    ["/Observation", "status=final"],
    ["/Observation", "_include=Observation:subject"],
    ["/Observation", "performer:Practitioner.name=x"],
    ["/Observation", "patient.name=x"],
    ["/Patient/p1/Observation", ""],
    ["/Patient/p1/$everything", ""],
    ["/Encounter/c/_history", ""],
    ["/", "_type=Observation,Condition"],
    ["/_history", ""],
  );

  it("never takes access away", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(scope, { maxLength: 4 }),
        scope,
        asked,
        resource,
        async (scopes, extra, [path, query], body) => {
          const before = await accessOf(scopes, path, query);
          if (before === undefined) return;
          const after = await accessOf([...scopes, extra], path, query);
          expect(after).not.toBe(undefined);
          // Nor does it take a resource out of an answer.
          const ids = (text: string) => (text.match(/"id":"[^"]*"/g) ?? []).length;
          if (after !== undefined)
            expect(ids(judge([...scopes, extra], after, body))).toBeGreaterThanOrEqual(
              ids(judge(scopes, before, body)),
            );
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("a refusal", () => {
  it("holds nothing of the request", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[A-Za-z]{8,20}$/),
        fc.constantFrom("Task", "Observation", "Device", "Patient"),
        async (word, type) => {
          const principal = principalWith(["patient/Observation.rs"]);
          const rights = createRights(grantFor(principal, route), route);
          for (const [path, query] of [
            [`/${type}/${word}`, ""],
            [`/${type}`, `${word}=${word}`],
            [`/${type}`, `_has:${word}:x=${word}`],
            [`/${type}/${word}/$everything`, ""],
            [`/Patient/${word}/${type}`, ""],
          ] as const) {
            const interaction: Interaction = parseInteraction({ method: "GET", path, query });
            const decision = await decideAccess({ interaction, principal, rights, route, problems });
            if (decision.kind === "deny")
              expect(JSON.stringify([decision.problem, decision.because])).not.toContain(word);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
