import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type AccessRecord, type EntryRecord, INTERACTION_CODES, type InteractionCode } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type AuditEvent, accessRecordsOf, followUp, renderAuditEvents } from "../src/index.ts";
import { type Profile, profileFaults, type ValueSet } from "./support/profiles.ts";
import { READ, record, SOURCE, without } from "./support/records.ts";

const render = (...args: Parameters<typeof record>): AuditEvent[] =>
  renderAuditEvents(record(...args), { source: SOURCE });
const only = (events: readonly AuditEvent[]): AuditEvent => {
  expect(events.length).toBe(1);
  return events[0] as AuditEvent;
};
const profiles = ({ meta }: AuditEvent): string[] =>
  (meta?.profile ?? []).map((url) => url.replace("https://profiles.ihe.net/ITI/BALP/StructureDefinition/", ""));
const agentCodes = ({ agent }: AuditEvent): unknown[] => agent.map(({ type }) => type.coding?.map(({ code }) => code));
const detail = ({ entity }: AuditEvent, type: string): unknown =>
  entity.flatMap((one) => one.detail ?? []).find((one) => one.type === type)?.valueString;

const MINIMAL = "IHE.BasicAudit.OAUTHaccessTokenUse.Minimal";
const TOKEN = [MINIMAL, "IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive"];

const patientsIn = ({ entity }: AuditEvent): string[] =>
  entity.flatMap(({ role, what }) => (role?.code === "1" ? [what?.reference?.replace("Patient/", "") ?? ""] : []));

async function readBack(events: readonly AuditEvent[]): Promise<AccessRecord | undefined> {
  for await (const known of accessRecordsOf(events.map((event) => ({ event })))) return known;
  return undefined;
}

describe("A15: the entries of a batch", () => {
  const entry = (change: Partial<EntryRecord>): EntryRecord => ({
    method: "GET",
    interaction: "read",
    resourceType: "Observation",
    resource: "Observation/o1",
    parameters: [],
    patients: ["p1"],
    outcome: "permit",
    status: 200,
    ...change,
  });
  const refused = { outcome: "deny", problem: "smart-auth/not-found", status: 404, patients: [] } as const;
  const { resource: ___, ...search } = entry({
    interaction: "search-type",
    parameters: ["code"],
    patients: ["p1", "p2"],
  });
  const entries = [
    entry({}),
    entry({ method: "DELETE", interaction: "delete", resource: "Observation/o2", delivered: [], status: 204 }),
    entry({ resource: "Observation/o3", ...refused }),
    search,
  ];
  const { resource: _, resourceType: __, ...whole } = record({ method: "POST", interaction: "batch", entries });
  const events = renderAuditEvents(whole, { source: SOURCE });
  const objects = ({ entity }: AuditEvent): unknown =>
    entity.flatMap(({ role, what }) => (role?.code === "4" ? [what?.reference] : []));

  it("are told each as the request it stands for, behind the whole", () => {
    expect(events.map(({ action, outcome }) => `${action}${outcome}`)).toEqual(["E0", "R0", "D0", "R4", "E8", "E0"]);
    expect(events.map((event) => detail(event, "entry"))).toEqual([undefined, "0", "1", "2", "2", "3"]);
    expect(events.map(objects)).toEqual([[], ["Observation/o1"], ["Observation/o2"], ["Observation/o3"], [], []]);
    expect(events.map(patientsIn)).toEqual([["p1"], ["p1"], ["p1"], [], [], ["p1", "p2"]]);
    expect(events.slice(1, 4).map(({ agent }) => agent[0]?.who)).toEqual(Array(3).fill(events[0]?.agent[0]?.who));
    expect(profiles(events[1] as AuditEvent)).toContain("IHE.BasicAudit.PatientRead");
    expect(profiles(events[2] as AuditEvent)).toContain("IHE.BasicAudit.PatientDelete");
    expect(events[3]?.contained?.[0]).toMatchObject({ issue: [{ details: { coding: [{ code: refused.problem }] } }] });
    expect(events[4]?.type.code).toBe("110113");
  });

  it("are not told again of patients that came to light later, and read back as what the request held", async () => {
    const later = followUp(whole, { ...whole, patients: ["p1", "p9"] }, { source: SOURCE });
    expect(later.map(patientsIn)).toEqual([["p9"]]);
    expect(await readBack(events)).toEqual(whole);
  });
});

describe("A15: a request that concerns very many patients", () => {
  const people = (count: number) => Array.from({ length: count }, (_, at) => `p${at}`);

  it("has an event for each of the first thousand, and one for each hundred others; every patient is told once", async () => {
    const of = (count: number) => render({ patients: people(count) });
    expect(of(1000).map(patientsIn)).toEqual(people(1000).map((id) => [id]));
    const events = of(1250);
    expect(events.flatMap(patientsIn)).toEqual(people(1250));
    expect(events.map((event) => patientsIn(event).length).slice(999)).toEqual([1, 100, 100, 50]);
    expect(profiles(events[999] as AuditEvent)).toEqual(["IHE.BasicAudit.PatientRead", ...TOKEN]);
    // BALP's profiles mean one patient, or none.
    expect(profiles(events[1000] as AuditEvent)).toEqual(TOKEN);
    expect(events[1000]).toMatchObject({
      action: "R",
      outcome: "0",
      agent: events[0]?.agent,
      period: events[0]?.period,
    });
    expect((await readBack(events))?.patients).toEqual(people(1250));
  });

  it("tells of each who stands in the request only that it was not delivered", async () => {
    const events = render({ patients: people(1200), delivered: people(1100) });
    const told = await readBack(events);
    expect([told?.patients.length, told?.delivered]).toEqual([1200, people(1100)]);
  });

  it("is a disclosure of each, alike", () => {
    const disclosures = render({ patients: people(1150), zone: "partner" }).filter(
      ({ type }) => type.code === "110106",
    );
    expect(disclosures.map((event) => patientsIn(event).length).slice(998)).toEqual([1, 1, 100, 50]);
    expect(disclosures.flatMap(patientsIn)).toEqual(people(1150));
    const claims = disclosures.map((event) => profiles(event).includes("IHE.BasicAudit.PrivacyDisclosure.Source"));
    expect(claims.slice(998)).toEqual([true, true, false, false]);
  });

  it("and was refused names a thousand, a hundred of them apart, and counts the others", () => {
    const refused = { outcome: "deny", status: 400, problem: "fhir-schema/resource-invalid" } as const;
    const events = render({ ...refused, patients: people(32_618) });
    expect(events.map((event) => patientsIn(event).length)).toEqual([
      ...people(100).map(() => 1),
      ...people(9).map(() => 100),
    ]);
    expect(events.flatMap(patientsIn)).toEqual(people(1000));
    expect(events.map((event) => detail(event, "further-patients"))).toEqual(events.map(() => "31618"));
    expect(render({ ...refused, patients: people(100) }).length).toBe(100);
    expect(detail(render({ ...refused, patients: people(1000) })[0] as AuditEvent, "further-patients")).toBe(undefined);
  });

  it("and was refused while its answer was under way names them all", () => {
    const broken = {
      outcome: "deny",
      status: 200,
      problem: "policy-types/answer-unreadable",
      completed: false,
    } as const;
    expect(render({ ...broken, patients: people(1250) }).flatMap(patientsIn)).toEqual(people(1250));
  });
});

describe("BALP's codes", () => {
  it.each<[InteractionCode, string, string | undefined, string, string, string]>([
    // interaction, action, profile, client, server, user. Read and Query carry the data-flow roles the other way round.
    ["read", "R", "Read", "110152", "110153", "IRCP"],
    ["vread", "R", "Read", "110152", "110153", "IRCP"],
    ["search-type", "E", "Query", "110153", "110152", "IRCP"],
    ["search-system", "E", "Query", "110153", "110152", "IRCP"],
    ["create", "C", "Create", "110153", "110152", "AUT"],
    ["update", "U", "Update", "110153", "110152", "AUT"],
    ["patch", "U", "Update", "110153", "110152", "AUT"],
    ["delete", "D", "Delete", "110150", "custodian", "AUT"],
    ["history-instance", "R", undefined, "110152", "110153", "IRCP"],
    ["history-type", "R", undefined, "110152", "110153", "IRCP"],
    ["history-system", "R", undefined, "110152", "110153", "IRCP"],
    ["operation", "E", undefined, "110153", "110152", "IRCP"],
    ["batch", "E", undefined, "110153", "110152", "IRCP"],
    ["transaction", "E", undefined, "110153", "110152", "IRCP"],
    ["capabilities", "E", undefined, "110153", "110152", "IRCP"],
  ])("%s", (interaction, action, profile, client, server, user) => {
    const event = only(render({ interaction }));
    expect(event).toMatchObject({
      resourceType: "AuditEvent",
      type: { system: "http://terminology.hl7.org/CodeSystem/audit-event-type", code: "rest" },
      subtype: [{ system: "http://hl7.org/fhir/restful-interaction", code: interaction }],
      action,
      outcome: "0",
      recorded: "2026-01-31T12:00:00.012Z",
      source: { site: "main-hospital", observer: { display: "fhir-edge-1" } },
    });
    const clientCodes = client === "110150" ? [client] : [client, "110150"];
    expect(agentCodes(event)).toEqual([clientCodes, [server], [user, "UserOauthAgent"]]);
    expect(profiles(event)).toEqual(profile === undefined ? TOKEN : [`IHE.BasicAudit.Patient${profile}`, ...TOKEN]);
    const withoutPatient = only(render({ interaction, patients: [] }));
    expect(profiles(withoutPatient)).toEqual(profile === undefined ? TOKEN : [`IHE.BasicAudit.${profile}`, ...TOKEN]);
  });

  it("names a request that could not be named without a subtype", () => {
    const event = only(render({ interaction: "unknown", status: 400 }));
    expect(event).toMatchObject({ action: "E", outcome: "4" });
    expect(event).not.toHaveProperty("subtype");
  });

  it("A15: writes one event for each patient", () => {
    const events = render({ interaction: "search-type", patients: ["p1", "p2", "p3"] });
    expect(events.map((event) => event.entity.find(({ role }) => role?.code === "1")?.what?.reference)).toEqual([
      "Patient/p1",
      "Patient/p2",
      "Patient/p3",
    ]);
    for (const event of events) expect(profiles(event)).toContain("IHE.BasicAudit.PatientQuery");
  });

  it("A14: builds the query from parameter names, without a value, a token or a reason's value", () => {
    const event = only(render({ interaction: "search-type", parameters: ["name", "subject:Patient.birthdate"] }));
    const query = event.entity.find(({ role }) => role?.code === "24");
    expect(Buffer.from(query?.query ?? "", "base64").toString()).toBe("GET Patient?name&subject:Patient.birthdate");
    expect(query).not.toHaveProperty("what");
    expect(query).not.toHaveProperty("detail");
    expect(query).not.toHaveProperty("name");
  });
});

describe("who", () => {
  it("is the app, this edge and the user, who carries the token's id as a URN", () => {
    expect(only(render()).agent).toEqual([
      {
        type: { coding: [expect.objectContaining({ code: "110152" }), expect.objectContaining({ code: "110150" })] },
        who: { identifier: { system: "https://as.example.org", value: "app-1" } },
        requestor: false,
        network: { address: "192.0.2.7", type: "2" },
      },
      {
        type: { coding: [expect.objectContaining({ code: "110153" })] },
        who: { display: "fhir-edge-1" },
        requestor: false,
        network: { address: "https://fhir.example.org/fhir", type: "5" },
      },
      {
        type: {
          coding: [expect.objectContaining({ code: "IRCP" }), expect.objectContaining({ code: "UserOauthAgent" })],
        },
        who: { reference: "Practitioner/7", identifier: { system: "https://as.example.org", value: "user-7" } },
        requestor: true,
        role: [{ text: "nurse" }],
        policy: ["urn:ietf:params:oauth:jti:jti-1"],
        purposeOfUse: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code: "TREAT" }] }],
      },
    ]);
  });

  const principal = READ.principal ?? expect.fail("the record has a principal");

  it("is the app alone when it calls for itself", () => {
    const event = only(render({ principal: { ...principal, subject: "app-1", organisation: "payer-3" } }));
    expect(agentCodes(event)).toEqual([["110152", "110150"], ["110153"], ["PROV"]]);
    expect(event.agent[0]).toMatchObject({ requestor: true, policy: ["urn:ietf:params:oauth:jti:jti-1"] });
    expect(event.agent[2]).toMatchObject({ who: { identifier: { value: "payer-3" } }, requestor: false });
    expect(profiles(event)).toEqual(["IHE.BasicAudit.PatientRead"]);
  });

  it("is a device by its name and its certificate", () => {
    const { clientId: _, ...rest } = principal;
    const event = only(
      render({
        principal: { ...rest, device: "pump-9" },
        clientCertificate: { subject: "CN=pump-9", fingerprint256: "AA:BB" },
      }),
    );
    expect(event.agent[0]).toMatchObject({ who: { identifier: { value: "pump-9" } }, altId: "AA:BB", requestor: true });
    expect(event.agent.length).toBe(2);
  });

  it("is an address when nobody was identified, and 'unknown' without one", () => {
    const anonymous = without(READ, "principal");
    expect(only(renderAuditEvents(anonymous, { source: SOURCE })).agent[0]?.who).toEqual({ display: "192.0.2.7" });
    const nowhere = only(renderAuditEvents(without(anonymous, "peerAddress"), { source: SOURCE }));
    expect(nowhere.agent[0]?.who).toEqual({ display: "unknown" });
    expect(profiles(nowhere)).toEqual([]);
  });

  it.each([
    ["https://fhir.example.org/Patient/1", true],
    ["Person/1", false],
    ["javascript:alert(1)", false],
  ])("refers to fhirUser %s only where R4 allows it", (fhirUser, allowed) => {
    const user = only(render({ principal: { ...principal, fhirUser } })).agent[2];
    expect(user?.who.reference).toBe(allowed ? fhirUser : undefined);
    expect(user?.altId).toBe(allowed ? undefined : fhirUser);
  });

  it("is an opaque token's user by the token's hash, of which BALP's Opaque pattern is claimed", () => {
    const tokenId = `urn:wardline:token-sha256:${"0a".repeat(16)}`;
    const event = only(render({ principal: { ...principal, tokenId } }));
    expect(event.agent[2]?.policy).toEqual([tokenId]);
    expect(profiles(event)).toEqual(["IHE.BasicAudit.PatientRead", "IHE.BasicAudit.OAUTHaccessTokenUse.Opaque"]);
  });

  it("escapes what a URI cannot hold in a token's id", () => {
    const event = only(render({ principal: { ...principal, tokenId: "a b\u00e4\ud800" } }));
    expect(event.agent[2]?.policy).toEqual(["urn:ietf:params:oauth:jti:a%20b%C3%A4%EF%BF%BD"]);
  });
});

describe("how it went", () => {
  it.each([
    [200, true, "0", undefined],
    [304, true, "0", undefined],
    [404, true, "4", "the server answered 404"],
    [500, true, "8", "the server answered 500"],
    [503, true, "12", "the server answered 503"],
    [200, false, "4", "the connection ended before the whole answer was sent"],
  ] as const)("status %i, completed %s: outcome %s", (status, completed, outcome, outcomeDesc) => {
    const event = only(render({ status, completed }));
    expect(event.outcome).toBe(outcome);
    expect(event.outcomeDesc).toBe(outcomeDesc);
    expect(profiles(event).length).toBe(outcome === "0" ? 3 : 0);
    expect(detail(event, "status")).toBe(String(status));
  });

  it.each([
    [400, "4", 1],
    [401, "4", 1],
    [429, "4", 1],
    [403, "4", 2],
    [404, "4", 2],
    [503, "12", 1],
  ] as const)("a refusal with %i has outcome %s, an OperationOutcome and no profile", (status, outcome, count) => {
    const events = render({ status, outcome: "deny", problem: "smart-auth/refused" });
    expect(events.length).toBe(count);
    expect(events[0]).toMatchObject({
      type: { code: status === 401 ? "110114" : "rest" },
      outcome,
      outcomeDesc: `refused with ${status} smart-auth/refused`,
      contained: [{ resourceType: "OperationOutcome", id: "refusal" }],
    });
    expect(events[0]?.entity.at(-1)).toMatchObject({ what: { reference: "#refusal" } });
    for (const event of events) expect(event).not.toHaveProperty("meta");
  });

  it("a known caller's refused use is a Security Alert as well, and a stranger's is not", () => {
    const refused = record({ status: 403, outcome: "deny", problem: "smart-auth/scope-insufficient" });
    const [, alert] = renderAuditEvents(refused, { source: SOURCE });
    expect(alert).toMatchObject({
      type: { code: "110113" },
      subtype: [{ code: "110132" }, { code: "AuthZ-Role" }],
      action: "E",
      outcome: "8",
    });
    expect(agentCodes(alert as AuditEvent)).toEqual([["110150"], ["IRCP", "UserOauthAgent"], ["authserver"]]);
    expect(alert?.entity[0]).toMatchObject({ what: { identifier: { value: "urn:ietf:params:oauth:jti:jti-1" } } });
    expect(renderAuditEvents(without(refused, "principal"), { source: SOURCE }).length).toBe(1);
  });

  it("a caller nobody could identify is a failed login, told once", () => {
    const event = only(render({ status: 401, outcome: "deny", problem: "smart-auth/token-expired" }));
    expect(event).toMatchObject({
      type: { code: "110114" },
      subtype: [{ code: "110122" }, { code: "read" }],
      action: "E",
      outcome: "4",
    });
    expect(only(render({ status: 401, outcome: "permit" })).type.code).toBe("rest");
  });

  it.each([
    [400, "refused"],
    [403, "refused"],
    [429, "throttled"],
  ])("a refusal with %i is found by the subtype %s", (status, word) => {
    const [event] = render({ status, outcome: "deny", problem: "x/y" });
    expect(event?.subtype).toEqual([
      { system: "http://hl7.org/fhir/restful-interaction", code: "read" },
      { system: "urn:wardline:audit-event", code: word },
    ]);
  });

  it.each([
    ["smart-auth/consent-revoked", "AuthZ-Consent"],
    ["smart-auth/no-consent", "AuthZ-Consent"],
    ["smart-auth/scope-insufficient", "AuthZ-Role"],
    ["smart-auth/consented", "AuthZ-Role"],
  ])("the refusal %s is an alert of kind %s", (problem, code) => {
    const alert = render({ status: 403, outcome: "deny", problem })[1];
    expect(alert?.subtype?.[1]?.code).toBe(code);
  });

  it("an emergency's use is a Security Alert that names the patients, and its refusal is none", () => {
    const principal = { ...(READ.principal as NonNullable<typeof READ.principal>), purposeOfUse: ["BTG"] };
    const [event, alert, ...rest] = render({ principal });
    expect(rest).toEqual([]);
    expect(event?.subtype?.map(({ code }) => code)).toEqual(["read", "break-glass"]);
    expect(alert).toMatchObject({ type: { code: "110113" }, subtype: [{ code: "110127" }], outcome: "0" });
    expect(alert?.purposeOfEvent).toMatchObject([{ coding: [{ code: "BTG" }] }]);
    expect(alert?.entity[0]?.what).toEqual({ reference: "Patient/p1" });
    const refused = render({ principal, status: 403, outcome: "deny", problem: "x/y" });
    expect(refused.map((one) => one.subtype?.map(({ code }) => code))).toEqual([
      ["read", "refused"],
      ["110132", "AuthZ-Role"],
    ]);
  });

  it("tells times, sizes, scopes, the certificate and both addresses", () => {
    const event = only(
      render({
        forwardedAddress: "198.51.100.9",
        clientCertificate: { subject: "CN=app", fingerprint256: "AA:BB" },
      }),
    );
    const facts = ["latency-ms", "request-bytes", "response-bytes", "scopes", "peer-address", "certificate-subject"];
    expect(facts.map((fact) => detail(event, fact))).toEqual([
      "12.5",
      "0",
      "2500",
      "user/Patient.rs",
      "192.0.2.7",
      "CN=app",
    ]);
    expect(event.agent[0]).toMatchObject({ altId: "AA:BB", network: { address: "198.51.100.9" } });
  });

  it("gives every event an id of its own", () => {
    const events = [...render({ patients: ["a", "b"] }), ...render()];
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    for (const { id } of events) expect(id).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
  });

  it("keeps the decisions and their reasons with the request's id", () => {
    const event = only(render());
    expect(event.entity.at(-1)).toMatchObject({
      type: { code: "XrequestId" },
      what: { identifier: { value: "req-1" } },
    });
    expect(detail(event, "decision")).toBe("smart-auth permit: user/Patient.rs");
  });

  it.each([
    ["the server's address is not configured", renderAuditEvents(READ, { source: { observer: "edge" } })],
    [
      "the created resource's id is not known",
      renderAuditEvents(without(record({ interaction: "create" }), "resource"), { source: SOURCE }),
    ],
  ])("claims no REST profile when %s", (_what, events) => {
    expect(profiles(only(events))).toEqual(TOKEN);
  });
});

describe("the follow-up", () => {
  const options = { source: SOURCE };

  it("is nothing when the answer ended as foreseen", () => {
    expect(followUp(READ, record({ latencyMs: 99, responseBytes: 5 }), options)).toEqual([]);
  });

  it.each([
    ["the answer was not sent whole", { completed: false }, "4"],
    ["another answer was sent", { status: 503, outcome: "deny", problem: "audit-event/ledger-unavailable" }, "12"],
  ] as const)("tells that %s", (followsUp, change, outcome) => {
    const event = only(followUp(READ, record(change), options));
    expect(event.outcome).toBe(outcome);
    expect(detail(event, "follows-up")).toBe(followsUp);
    expect(event.entity.find(({ type }) => type.code === "XrequestId")?.what?.identifier?.value).toBe("req-1");
  });

  it("tells of patients that came to light while the body was streamed, and of those only", () => {
    const events = followUp(READ, record({ patients: ["p1", "p2", "p3"] }), options);
    expect(events.map((event) => event.entity.find(({ role }) => role?.code === "1")?.what?.reference)).toEqual([
      "Patient/p2",
      "Patient/p3",
    ]);
  });
});

const VECTORS = join(import.meta.dirname, "../../../../shared/vectors/audit-balp");
const hasVectors = existsSync(join(VECTORS, "profiles.json"));
if (!hasVectors) console.warn("audit-event: the shared BALP vectors are absent, so their profiles are not checked");

describe.skipIf(!hasVectors)("BALP's profiles, as the shared vectors state them", () => {
  const load = <Value>(file: string): Value =>
    hasVectors ? (JSON.parse(readFileSync(join(VECTORS, file), "utf8")) as Value) : ([] as Value);
  const stated = load<Profile[]>("profiles.json");
  const valueSets = load<ValueSet[]>("value-sets.json");
  const faults = (event: object, name: string): string[] => {
    const profile = stated.find((one) => one.name === name);
    return profile === undefined ? ["no such profile"] : profileFaults(event, profile, valueSets);
  };

  it("are met by their own examples", () => {
    const examples = load<{ id: string; profile: string; input: { resource: object } }[]>("examples.json");
    expect(examples.length).toBeGreaterThan(0);
    // Nothing here writes SAML agents, whose rules lie in extensions that the checker does not follow.
    for (const { id, profile, input } of examples.filter((one) => !one.profile.includes("SAML")))
      expect([id, faults(input.resource, profile)]).toEqual([id, []]);
  });

  it("are not met by an event whose agents have each other's roles", () => {
    const event = only(render());
    const [client, server, ...others] = event.agent.map((agent) => structuredClone(agent));
    const exchanged = [{ ...client, type: server?.type }, { ...server, type: client?.type }, ...others];
    expect(faults({ ...event, agent: exchanged }, "IHE.BasicAudit.PatientRead")).toEqual([]);
    expect(faults({ ...event, agent: exchanged.slice(1) }, "IHE.BasicAudit.PatientRead")).not.toEqual([]);
    expect(faults(event, "IHE.BasicAudit.PatientQuery")).not.toEqual([]);
  });

  it("are met by every event that claims them, and by no failed one", () => {
    const claimed = new Set<string>();
    const { principal } = READ;
    for (const interaction of INTERACTION_CODES) {
      for (const patients of [[], ["p1"], ["p1", "p2"]]) {
        for (const who of [principal, undefined, principal && { ...principal, subject: "app-1", organisation: "o" }]) {
          for (const status of [200, 403, 500]) {
            const base = without(record({ interaction, patients, status, parameters: ["name"] }), "principal");
            const change = who === undefined ? {} : { principal: who };
            for (const event of renderAuditEvents({ ...base, ...change }, { source: SOURCE })) {
              for (const name of profiles(event)) {
                claimed.add(name);
                expect([interaction, name, faults(event, name)]).toEqual([interaction, name, []]);
              }
              if (status !== 200) expect(profiles(event)).toEqual([]);
            }
          }
        }
      }
    }
    expect(claimed.size).toBe(12);
  });
});
