import { parseInteraction } from "@wardline/fhir-r4";
import type { Decision, Principal } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Access } from "../src/access.ts";
import { decideBundle } from "../src/batch.ts";
import { decideAccess } from "../src/decide.ts";
import { createMemoryExportJobStore } from "../src/export/memory.ts";
import { grantFor } from "../src/grant.ts";
import { parseOptions } from "../src/options.ts";
import { createRights } from "../src/rights.ts";
import { parseScopes } from "../src/scopes.ts";
import type { Store } from "../src/stored.ts";
import { createProblems } from "../src/token-problems.ts";
import { createFhirStore } from "./support/fhir-store.ts";
import { LINK_KEY, observation } from "./support/store-edge.ts";

const BASE = "https://fhir.example.org/fhir";
const { route } = parseOptions({
  issuers: [{ issuer: "https://as.example", audience: [BASE] }],
  baseUrl: BASE,
  interactions: [
    "read",
    "vread",
    "search-type",
    "search-system",
    "history-instance",
    "create",
    "update",
    "patch",
    "delete",
    "batch",
    "transaction",
  ],
  operations: ["everything", "export", "submit", "inquire"],
  memberOperations: { submit: "c", inquire: "s" },
  readStored: () => Promise.resolve(undefined),
  bulkExport: { store: createMemoryExportJobStore() },
  pageLinks: { keys: [LINK_KEY] },
});
const problems = createProblems(BASE);

type Who = Partial<Pick<Principal, "launch" | "fhirUser" | "subject">>;
const principalWith = (scopes: readonly string[], who: Who = { launch: { patient: "p1" } }): Principal => ({
  method: "jwt",
  issuer: "https://as.example",
  subject: "u",
  clientId: "app",
  roles: [],
  purposeOfUse: [],
  launch: {},
  ...who,
  scopes,
});

const held = createFhirStore([
  { resourceType: "Patient", id: "p1" },
  { resourceType: "Patient", id: "p2" },
  observation("o1", "p1", "weight"),
  observation("o2", "p1", "glucose"),
  observation("h1", "p2", "weight"),
  { resourceType: "Binary", id: "b1", securityContext: { reference: "Patient/p1" } },
]);
const STORE: Store = { read: held.read, search: held.search, referrers: () => Promise.resolve([]) };

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Json;
}

async function decide(asked: Asked, principal: Principal, store: Store = STORE): Promise<Decision<unknown>> {
  const rights = createRights(grantFor(principal, route), route);
  const interaction = parseInteraction(asked);
  const facts = { interaction, body: asked.body, principal, rights, route, problems, store };
  return interaction.code === "batch" || interaction.code === "transaction" ? decideBundle(facts) : decideAccess(facts);
}

const own = (code: string): Json => {
  const { id: _, ...rest } = observation("x", "p1", code);
  return rest as unknown as Json;
};
const anyAsked = fc.constantFrom<Asked>(
  { method: "GET", path: "/Observation/o1" },
  { method: "GET", path: "/Binary/b1" },
  { method: "GET", path: "/Patient/p1/$everything" },
  { method: "GET", path: "/$export", query: "_type=Patient" },
  { method: "GET", path: "/Observation", query: "code=weight&_include=Observation:subject" },
  { method: "GET", path: "/", query: "_type=Observation,Condition" },
  { method: "POST", path: "/Observation", body: own("weight") },
  { method: "POST", path: "/Observation/$submit", body: own("weight") },
  {
    method: "POST",
    path: "/Observation/$inquire",
    body: { ...(own("weight") as object), hasMember: [{ reference: "Observation/o1" }] },
  },
  { method: "POST", path: "/Observation", body: own("weight"), headers: { "if-none-exist": "code=weight" } },
  { method: "PUT", path: "/Observation/o1", body: { ...(own("weight") as object), id: "o1" } },
  { method: "PUT", path: "/Observation", query: "code=weight", body: own("weight") },
  { method: "PATCH", path: "/Observation/o1", body: [{ op: "replace", path: "/status", value: "final" }] },
  { method: "PATCH", path: "/Observation", query: "code=glucose", body: [] },
  { method: "DELETE", path: "/Observation/o2" },
  { method: "DELETE", path: "/Observation", query: "code=weight" },
);
const anyScope = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("patient", "user", "system"),
      fc.constantFrom("*", "Observation", "Patient", "Binary", "Condition"),
      fc.constantFrom("rs", "cruds", "c", "u", "rus", "read", "*"),
      fc.constantFrom("", "", "?status=final", "?code=urn:c|weight", "?category=lab"),
    )
    .map(([context, type, letters, filter]) => `${context}/${type}.${letters}${type === "Observation" ? filter : ""}`),
  fc.constantFrom(
    "openid",
    "launch/patient",
    "patient/Observation.sr",
    "patient/Unicorn.rs",
    "patient/*.rs?_has=x",
    "",
  ),
);
const anyScopes = fc.array(anyScope, { maxLength: 4 });

/** More rights may show that a condition selects more; the answer is then another one, and no refusal of access. */
const isOpen = (decision: Decision<unknown>): boolean =>
  decision.kind === "permit" || decision.problem.code === "smart-auth/condition-ambiguous";

it("another scope never takes away, of writes, exports and Binaries neither", async () => {
  await fc.assert(
    fc.asyncProperty(anyScopes, anyScope, anyAsked, async (scopes, extra, asked) => {
      const before = await decide(asked, principalWith(scopes));
      fc.pre(before.kind === "permit");
      expect(isOpen(await decide(asked, principalWith([...scopes, extra])))).toBe(true);
    }),
    { numRuns: 600 },
  );
});

it("A5: removing context never adds", async () => {
  const anyWho = fc.constantFrom<Who>(
    { launch: { patient: "p1" } },
    { launch: { patient: "p1" }, fhirUser: "Practitioner/d1" },
    { launch: { patient: "p1" }, fhirUser: "Patient/p1" },
    { fhirUser: "Practitioner/d1" },
    { fhirUser: "Patient/p1" },
  );
  await fc.assert(
    fc.asyncProperty(
      anyScopes,
      anyWho,
      fc.constantFrom("launch", "fhirUser"),
      anyAsked,
      async (scopes, who, without, asked) => {
        const { [without]: _, ...less } = who;
        const bare = await decide(asked, principalWith(scopes, less));
        fc.pre(bare.kind === "permit");
        expect(isOpen(await decide(asked, principalWith(scopes, who)))).toBe(true);
      },
    ),
    { numRuns: 600 },
  );
});

it("no write of a bound caller is permitted that leaves or enters another's record", async () => {
  const anyPatient = fc.constantFrom("p1", "p2");
  const anyId = fc.constantFrom("o1", "o2", "h1", "none");
  await fc.assert(
    fc.asyncProperty(
      anyScopes,
      anyId,
      anyPatient,
      fc.constantFrom("PUT", "PATCH", "DELETE"),
      async (scopes, id, patient, method) => {
        const patientScopes = scopes.filter((scope) => scope.startsWith("patient/"));
        const body: Json =
          method === "PATCH"
            ? [{ op: "replace", path: "/subject/reference", value: `Patient/${patient}` }]
            : ({ ...observation(id, patient, "weight") } as unknown as Json);
        const asked = { method, path: `/Observation/${id}`, ...(method === "DELETE" ? {} : { body }) };
        const decision = await decide(asked, principalWith(patientScopes));
        fc.pre(decision.kind === "permit");
        expect(["o1", "o2"]).toContain(id);
        expect((decision.grant as Access).write?.ifMatch).toBe('W/"1"');
        if (method !== "DELETE") expect(patient).toBe("p1");
      },
    ),
    { numRuns: 600 },
  );
});

it("parsing and deciding never throw, whatever is asked and whatever the store says", async () => {
  const anyText = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom("/Observation/o1", "/Binary/b1", "/", "/$export", "/Observation"),
  );
  const anyJson = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    anyAsked.map(({ body = null }) => body),
    fc.constantFrom<Json>({ resourceType: "Bundle", type: "searchset", entry: [{}], link: [{}] }),
  );
  const anyStore = fc
    .record({ stored: anyJson, found: anyJson, fails: fc.boolean() })
    .map(({ stored, found, fails }): Store => {
      const answer = <Value>(value: Value): Promise<Value> =>
        fails ? Promise.reject(new Error("down")) : Promise.resolve(value);
      return {
        read: () => answer(stored as Json),
        search: () => answer(found as Json),
        referrers: () => answer(found as unknown as Json[]),
      };
    });
  const anyRequest = fc.record(
    {
      method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
      path: anyText,
      query: fc.oneof(
        fc.constantFrom("code=weight", "_sealed=x", "_type=Patient", "code=weight&_sort=code"),
        fc.string({ maxLength: 20 }),
      ),
      body: anyJson,
    },
    { requiredKeys: ["method", "path"] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(anyScope, fc.string()), { maxLength: 3 }),
      anyRequest,
      anyStore,
      async (scopes, asked, store) => {
        parseScopes(scopes);
        expect(["permit", "deny"]).toContain((await decide(asked as Asked, principalWith(scopes), store)).kind);
      },
    ),
    { numRuns: 1000 },
  );
});
