import { beforeEach, describe, expect, it } from "vitest";
import { codeOf, DOCTOR, FHIR, idsOf } from "./support/edge.ts";
import type { Stored } from "./support/fhir-store.ts";
import { EXPRESS, type RawAnswer } from "./support/servers.ts";
import { about, createStoreEdge, type StoreEdge } from "./support/store-edge.ts";

/** What must never reach the app of patient p1. */
const SECRET = "Chalmers";
const row = (resourceType: string, id: string, more: object = {}): Stored => ({ resourceType, id, ...more }) as Stored;
const member = (value: string) => [{ system: "urn:member", value }];
const ROWS: readonly Stored[] = [
  row("Patient", "p1", { identifier: member("m1"), name: [{ family: "Own" }], birthDate: "1970-01-01" }),
  row("Patient", "p2", { identifier: member("m2"), name: [{ family: SECRET }] }),
  row("Coverage", "v1", { beneficiary: about("p1"), subscriberId: "s1", dependent: "01", identifier: member("n1") }),
  row("Coverage", "v2", { beneficiary: about("p2"), subscriberId: "s2", dependent: "01", identifier: member("n2") }),
  row("Coverage", "v3", { beneficiary: about("p1"), subscriberId: "s3", identifier: member("n3") }),
  row("Condition", "x1", { subject: about("p1") }),
  row("Binary", "b2", { data: "eA==", securityContext: about("p2") }),
];

const claim = (more: object = {}): Stored => row("Claim", "c1", { patient: about("p1"), ...more });
const patient = (more: object = {}): Stored => row("Patient", "p1", { identifier: member("m1"), ...more });
const organization = row("Organization", "i1", { name: "Insurer" });
const bundle = (...resources: readonly object[]): Record<string, unknown> => ({
  resourceType: "Bundle",
  type: "collection",
  entry: resources.map((resource) => ({ resource })),
});
const parameters = (...parameter: readonly object[]): object => ({ resourceType: "Parameters", parameter });
const URN = "urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0";
const APP = "patient/Claim.crs patient/ClaimResponse.r patient/Patient.r patient/Organization.r patient/Coverage.r";

describe.each(EXPRESS)("operations of members on %s", (_name, express) => {
  let edge: StoreEdge;
  let forwarded: unknown[];
  let answer: object;
  beforeEach(async () => {
    edge = await createStoreEdge(express, ROWS, {
      operations: ["submit", "inquire", "purge"],
      memberOperations: { submit: "c", inquire: "s" },
    });
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((req, res) => {
      forwarded.push(req.body);
      res.json(answer);
    });
  });
  const submit = (body: unknown, scope = APP, path = "/Claim/$submit", claims = {}): Promise<RawAnswer> => {
    forwarded = [];
    answer = bundle(row("ClaimResponse", "r1", { patient: about("p1") }), patient(), organization);
    return edge.as(scope, path, { method: "POST", headers: FHIR, body: JSON.stringify(body) }, claims);
  };

  it.each<[string, object]>([
    ["a Claim by itself", claim()],
    ["a Bundle", bundle(claim(), patient(), organization)],
    ["Parameters", parameters({ name: "resource", resource: bundle(claim(), patient()) })],
    ["Parameters of parts", parameters({ name: "claims", part: [{ name: "claim", resource: claim() }] })],
    [
      "a Bundle whose patient is named by a urn",
      {
        ...bundle(),
        entry: [{ resource: claim({ patient: { reference: URN } }) }, { fullUrl: URN, resource: patient() }],
      },
    ],
    [
      "a Bundle whose patient is named by the sender's address",
      {
        ...bundle(),
        entry: [
          { resource: claim({ patient: { reference: "https://clinic.example/r4/Patient/p1" } }) },
          { fullUrl: "https://clinic.example/r4/Patient/p1", resource: patient() },
        ],
      },
    ],
    [
      "what it refers to within",
      bundle(
        claim({ insurance: [{ coverage: { reference: "Coverage/new" } }] }),
        row("Coverage", "new", { beneficiary: about("p1") }),
      ),
    ],
    ["what it refers to in the store", claim({ insurance: [{ coverage: { reference: "Coverage/v1" } }] })],
    [
      "a Patient told by name and birth date",
      bundle(claim(), row("Patient", "p1", { name: [{ family: "OWN" }], birthDate: "1970-01-01" })),
    ],
  ])("A7, A11: %s about the own patient is forwarded as it came, and its answer judged", async (_what, body) => {
    const given = await submit(body);
    expect([given.status, idsOf(given)]).toEqual([200, ["r1", "p1", "i1"]]);
    expect(forwarded).toEqual([body]);
    expect(edge.records.at(-1)?.patients).toEqual(["p1"]);
  });

  it.each<[string, object, string]>([
    ["another patient's Claim", claim({ patient: about("p2") }), "smart-auth/resource-not-covered"],
    ["a Claim of nobody", row("Claim", "c1"), "smart-auth/resource-not-covered"],
    [
      "a Claim of an identifier alone",
      row("Claim", "c1", { patient: { identifier: member("m1")[0] } }),
      "smart-auth/resource-not-covered",
    ],
    ["a Bundle without a Claim", bundle(patient()), "smart-auth/resource-not-covered"],
    ["an empty Bundle", { resourceType: "Bundle", type: "collection" }, "smart-auth/resource-not-covered"],
    [
      "a Bundle with a second patient",
      bundle(claim(), patient(), row("Patient", "p2")),
      "smart-auth/resource-not-covered",
    ],
    [
      "a Bundle with a second patient's Claim",
      bundle(claim(), claim({ id: "c2", patient: about("p2") })),
      "smart-auth/resource-not-covered",
    ],
    [
      "a Bundle with another's Coverage",
      bundle(claim(), row("Coverage", "x", { beneficiary: about("p2") })),
      "smart-auth/resource-not-covered",
    ],
    [
      "a Bundle with another's Task",
      bundle(claim(), row("Task", "x", { for: about("p2") })),
      "smart-auth/resource-not-covered",
    ],
    [
      "a Bundle with a subscriber who is another patient",
      bundle(claim(), row("Coverage", "x", { beneficiary: about("p1"), subscriber: about("p2") })),
      "smart-auth/resource-not-covered",
    ],
    [
      "a Patient who has no id",
      bundle(claim(), { resourceType: "Patient", identifier: member("m1") }),
      "smart-auth/resource-not-covered",
    ],
    [
      "the own id with another's member number",
      bundle(claim(), patient({ identifier: member("m2") })),
      "smart-auth/resource-not-covered",
    ],
    [
      "the own id with another's name",
      bundle(claim(), patient({ name: [{ family: SECRET }] })),
      "smart-auth/resource-not-covered",
    ],
    [
      "the own id with another's birth date",
      bundle(claim(), patient({ birthDate: "1999-09-09" })),
      "smart-auth/resource-not-covered",
    ],
    [
      "the own reference with another's member number",
      claim({ patient: { ...about("p1"), identifier: member("m2")[0] } }),
      "smart-auth/resource-not-covered",
    ],
    ["a contained Patient", claim({ contained: [row("Patient", "x")] }), "smart-auth/resource-not-covered"],
    [
      "a contained record of another",
      claim({ contained: [row("Coverage", "x", { beneficiary: about("p2") })] }),
      "smart-auth/resource-not-covered",
    ],
    [
      "another patient in an extension",
      claim({ extension: [{ url: "urn:x", valueReference: about("p2") }] }),
      "smart-auth/resource-not-covered",
    ],
    [
      "another patient as a URL",
      claim({ extension: [{ url: "urn:x", valueUri: "Patient/p2" }] }),
      "smart-auth/resource-not-covered",
    ],
    [
      "another server's patient",
      claim({ payee: { party: { reference: "https://clinic.example/r4/Patient/p2" } } }),
      "smart-auth/resource-not-covered",
    ],
    [
      "a patient told by an identifier beside",
      claim({ payee: { party: { type: "Patient", identifier: member("m2")[0] } } }),
      "smart-auth/resource-not-covered",
    ],
    ["a match URL", claim({ provider: { reference: "Patient?identifier=m2" } }), "smart-auth/search-refused"],
    ["a urn that names nothing", claim({ patient: { reference: URN } }), "smart-auth/resource-not-covered"],
    [
      "a urn that names a second patient",
      { ...bundle(), entry: [{ resource: claim() }, { fullUrl: URN, resource: row("Patient", "p2") }] },
      "smart-auth/resource-not-covered",
    ],
    [
      "an address that is not its Patient's",
      {
        ...bundle(),
        entry: [{ resource: claim() }, { fullUrl: "https://clinic.example/r4/Patient/p2", resource: patient() }],
      },
      "smart-auth/resource-not-covered",
    ],
    [
      "one address for two entries",
      {
        ...bundle(),
        entry: [
          { fullUrl: URN, resource: claim() },
          { fullUrl: URN, resource: patient() },
        ],
      },
      "smart-auth/resource-not-covered",
    ],
    [
      "another's Coverage in the store",
      claim({ insurance: [{ coverage: { reference: "Coverage/v2" } }] }),
      "smart-auth/resource-not-covered",
    ],
    [
      "the own record that no scope covers",
      claim({ diagnosis: [{ diagnosisReference: { reference: "Condition/x1" } }] }),
      "smart-auth/resource-not-covered",
    ],
    [
      "a Coverage that is nowhere",
      claim({ insurance: [{ coverage: { reference: "Coverage/v9" } }] }),
      "smart-auth/resource-not-covered",
    ],
    [
      "another's Binary",
      claim({ supportingInfo: [{ valueAttachment: { url: "Binary/b2" } }] }),
      "smart-auth/resource-not-covered",
    ],
    [
      "a plain value",
      parameters({ name: "resource", resource: claim() }, { name: "patient", valueId: "p2" }),
      "smart-auth/resource-not-covered",
    ],
    ["a transaction", { ...bundle(claim()), type: "transaction" }, "smart-auth/resource-not-covered"],
    [
      "an entry that asks something",
      { ...bundle(), entry: [{ resource: claim(), request: { method: "DELETE", url: "Claim/c2" } }] },
      "smart-auth/resource-not-covered",
    ],
    [
      "an entry without a resource",
      { ...bundle(claim()), entry: [{ resource: claim() }, { link: [{ relation: "x", url: "Patient/p2" }] }] },
      "smart-auth/resource-not-covered",
    ],
    [
      "a Bundle in a Bundle",
      bundle(claim(), bundle(claim({ patient: about("p2") }))),
      "smart-auth/resource-not-covered",
    ],
    [
      "more entries than are judged",
      bundle(...Array.from({ length: 101 }, () => claim())),
      "smart-auth/bundle-too-long",
    ],
    [
      "more references than are looked up",
      claim({ related: Array.from({ length: 21 }, (_, at) => ({ claim: { reference: `Claim/x${at}` } })) }),
      "smart-auth/resource-not-covered",
    ],
  ])("A7, A11: %s is refused before it is forwarded", async (_what, body, code) => {
    const given = await submit(body);
    expect([given.status >= 400, codeOf(given), forwarded]).toEqual([true, code, []]);
    expect(given.text).not.toContain(SECRET);
  });

  it.each<[string, string, string, string]>([
    ["with parameters in the URL", "/Claim/$submit?patient=Patient/p2", APP, "smart-auth/search-refused"],
    ["without the right that the policy names", "/Claim/$submit", "patient/Claim.rs", "smart-auth/scope-insufficient"],
    ["that the policy does not name for members", "/Claim/$purge", APP, "smart-auth/search-refused"],
    ["on one resource", "/Claim/c1/$submit", APP, "smart-auth/search-refused"],
    ["on the system", "/$submit", "patient/*.cruds", "smart-auth/search-refused"],
    ["on a type without patient", "/Organization/$submit", "patient/*.cruds", "smart-auth/scope-insufficient"],
  ])("A7: an operation %s is refused", async (_what, path, scope, code) => {
    const given = await submit(path.startsWith("/Organization") ? organization : claim(), scope, path);
    expect([codeOf(given), forwarded]).toEqual([code, []]);
  });

  it("A7: without a body there is nothing to judge", async () => {
    forwarded = [];
    const given = await edge.as(APP, "/Claim/$submit");
    expect([codeOf(given), forwarded]).toEqual(["smart-auth/search-refused", []]);
  });

  it("A7: an inquiry takes the right to search", async () => {
    expect((await submit(claim(), "patient/Claim.rs patient/ClaimResponse.r", "/Claim/$inquire")).status).toBe(200);
  });

  it.each([
    ["user/Claim.rs", 403, "smart-auth/scope-insufficient"],
    ["user/Claim.rs patient/Claim.c", 403, "smart-auth/resource-not-covered"],
    ["user/Claim.crs", 200, undefined],
  ])(
    "A4: whom nothing binds submits anybody's Claim by the right that the policy names, too: %s",
    async (scope, status, code) => {
      const staff = { fhirUser: "Practitioner/d1" };
      const given = await submit(claim({ patient: about("p2") }), scope, "/Claim/$submit", staff);
      expect([given.status, status === 200 ? undefined : codeOf(given)]).toEqual([status, code]);
    },
  );

  it("A5: a filtered scope takes such Claims only", async () => {
    const scope = "patient/Claim.rs patient/Claim.c?use=preauthorization patient/ClaimResponse.r";
    expect((await submit(claim({ use: "preauthorization" }), scope)).status).toBe(200);
    expect(codeOf(await submit(claim({ use: "claim" }), scope))).toBe("smart-auth/resource-not-covered");
  });

  it("A4: of the patients a user reaches, a submission is about one", async () => {
    const both = await createStoreEdge(express, ROWS, {
      operations: ["submit"],
      memberOperations: { submit: "c" },
      userAccess: { resolve: async () => ["p1", "p2"] },
    });
    const ask = (body: object) =>
      both.as(
        "user/Claim.crs",
        "/Claim/$submit",
        { method: "POST", headers: FHIR, body: JSON.stringify(body) },
        DOCTOR,
      );
    expect(codeOf(await ask(bundle(claim(), claim({ id: "c2", patient: about("p2") }))))).toBe(
      "smart-auth/resource-not-covered",
    );
    // What the store knows no operation for shows that it was asked.
    await ask(claim({ patient: about("p2") }));
    expect(both.store.seen).toEqual(["POST /Claim/$submit"]);
  });

  it.each<[string, object, number, string[]]>([
    ["another patient's answer", row("ClaimResponse", "r2", { patient: about("p2"), note: SECRET }), 404, []],
    [
      "a Bundle with another patient's answer",
      bundle(
        row("ClaimResponse", "r1", { patient: about("p1") }),
        row("ClaimResponse", "r2", { patient: about("p2"), note: SECRET }),
        row("Patient", "p2", { name: SECRET }),
      ),
      200,
      ["r1"],
    ],
    ["a type no scope covers", bundle(row("Condition", "x", { subject: about("p1"), note: SECRET })), 200, []],
  ])("A7: %s does not leave", async (_what, said, status, ids) => {
    forwarded = [];
    answer = said;
    const given = await edge.as(APP, "/Claim/$submit", {
      method: "POST",
      headers: FHIR,
      body: JSON.stringify(claim()),
    });
    expect([given.status, forwarded.length]).toEqual([status, 1]);
    if (status === 200) expect(idsOf(given)).toEqual(ids);
    expect(given.text).not.toContain(SECRET);
    expect(edge.records.at(-1)?.patients).toEqual(["p1"]);
  });

  it("keeps the identifier of an answer that nothing was taken out of", async () => {
    const identifier = { system: "urn:payer", value: "claim-4711" };
    forwarded = [];
    const question = { method: "POST", headers: FHIR, body: JSON.stringify(claim()) };
    answer = { ...bundle(row("ClaimResponse", "r1", { patient: about("p1") })), identifier };
    expect(JSON.parse((await edge.as(APP, "/Claim/$submit", question)).text)).toMatchObject({ identifier });
    answer = { ...bundle(row("ClaimResponse", "r2", { patient: about("p2") })), identifier };
    expect((await edge.as(APP, "/Claim/$submit", question)).text).not.toContain("claim-4711");
  });

  it("refuses when the store does not say whose the references are", async () => {
    const lame = await createStoreEdge(express, ROWS, {
      operations: ["submit"],
      memberOperations: { submit: "c" },
      readStored: () => Promise.reject(new Error("down")),
    });
    const body = JSON.stringify(bundle(claim(), patient()));
    const given = await lame.as(APP, "/Claim/$submit", { method: "POST", headers: FHIR, body });
    expect([given.status, codeOf(given), lame.store.seen]).toEqual([503, "smart-auth/stored-unavailable", []]);
  });
});

describe.each(EXPRESS)("A11: the Coverage a member submits, on %s", (_name, express) => {
  async function submitting(coverage: object, options: object = {}, insurance: object = {}) {
    const edge = await createStoreEdge(express, ROWS, {
      operations: ["submit"],
      memberOperations: { submit: "c" },
      ...options,
    });
    edge.backend.router.stack.length = 0;
    const forwarded: unknown[] = [];
    edge.backend.router.use((req, res) => {
      forwarded.push(req.body);
      res.json(bundle(row("ClaimResponse", "r1", { patient: about("p1") })));
    });
    const body = JSON.stringify(
      bundle(claim({ insurance: [insurance] }), row("Coverage", "new", { beneficiary: about("p1"), ...coverage })),
    );
    const given = await edge.as(APP, "/Claim/$submit", { method: "POST", headers: FHIR, body });
    return [given.status, given.status === 200 ? "" : codeOf(given), forwarded.length];
  }
  const PASSED = [200, "", 1];
  const REFUSED = [403, "smart-auth/resource-not-covered", 0];

  it.each<[string, object]>([
    ["without a number", {}],
    ["with the subscriber's number", { subscriberId: "s1" }],
    ["with all numbers of one of several", { subscriberId: "s1", dependent: "01", identifier: member("n1") }],
    ["with those of the other", { subscriberId: "s3", identifier: member("n3") }],
  ])("%s is the patient's own", async (_what, coverage) => {
    expect(await submitting(coverage)).toEqual(PASSED);
  });

  it.each<[string, object, object?]>([
    ["another's subscriber number", { subscriberId: "s2" }],
    ["an unknown subscriber number", { subscriberId: "s9" }],
    ["another dependent", { subscriberId: "s1", dependent: "02" }],
    ["another's identifier", { identifier: member("n2") }],
    ["another's identifier beside the own", { identifier: [...member("n1"), ...member("n2")] }],
    ["numbers of two of the own", { subscriberId: "s1", identifier: member("n3") }],
    ["a number that is no text", { subscriberId: 1 }],
    [
      "another's number, contained",
      { contained: [row("Coverage", "x", { beneficiary: about("p1"), subscriberId: "s2" })] },
    ],
    ["a reference by another's number alone", {}, { coverage: { identifier: member("n2")[0] } }],
    [
      "a reference by another's number beside the own",
      {},
      { coverage: { reference: "Coverage/v1", identifier: member("n2")[0] } },
    ],
  ])("with %s is refused, and nobody is asked", async (_what, coverage, insurance) => {
    expect(await submitting(coverage, {}, insurance)).toEqual(REFUSED);
  });

  it("F8: is refused while the store does not say, and where it cannot be asked", async () => {
    const down = { searchStored: () => Promise.reject(new Error("down")) };
    expect(await submitting({ subscriberId: "s1" }, down)).toEqual([503, "smart-auth/stored-unavailable", 0]);
    expect(await submitting({ subscriberId: "s1" }, { searchStored: undefined })).toEqual([
      403,
      "smart-auth/stored-unknown",
      0,
    ]);
  });

  it("counts only Coverages that are the patient's, whatever the store answers", async () => {
    const all = { searchStored: async () => bundle(...ROWS) as never };
    expect(await submitting({ subscriberId: "s2" }, all)).toEqual(REFUSED);
    expect(await submitting({ subscriberId: "s1" }, all)).toEqual(PASSED);
  });
});
