import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { locator } from "../src/balp/geo.ts";
import {
  type AuditEvent,
  createNaming,
  renderAuditEvents,
  renderSystemEvent,
  SYSTEM_EVENT_KINDS,
  type SystemFacts,
} from "../src/index.ts";
import { type Profile, profileFaults, type ValueSet } from "./support/profiles.ts";
import { READ, record, SOURCE } from "./support/records.ts";

const profiles = ({ meta }: AuditEvent): string[] =>
  (meta?.profile ?? []).map((url) => url.replace("https://profiles.ihe.net/ITI/BALP/StructureDefinition/", ""));
const disclosures = (change: Parameters<typeof record>[0], source = SOURCE): AuditEvent[] =>
  renderAuditEvents(record(change), { source }).filter(({ type }) => type.code === "110106");
const DISCLOSURE = "IHE.BasicAudit.PrivacyDisclosure.Source";
const principal = READ.principal ?? expect.fail("the record has a principal");

describe("a disclosure", () => {
  it.each([
    ["a partner reads", { zone: "partner" }, 1],
    ["a payer asks a payer", { apiType: "payer-to-payer" }, 1],
    ["a partner searches two patients", { zone: "partner", interaction: "search-type", patients: ["a", "b"] }, 2],
    ["a partner reads what concerns no patient", { zone: "partner", patients: [] }, 0],
    ["A15: a partner searches a patient and finds nothing", { zone: "partner", patients: ["a"], delivered: [] }, 0],
    [
      "A15: a partner's batch reads of one and writes of one",
      { zone: "partner", patients: ["a", "b"], delivered: ["a"] },
      1,
    ],
    ["a patient reads", {}, 0],
    ["a partner writes", { zone: "partner", interaction: "create" }, 0],
    ["a partner asks for the head only", { zone: "partner", method: "HEAD" }, 0],
    ["a partner has it already", { zone: "partner", status: 304 }, 0],
    ["a partner is refused", { zone: "partner", status: 403, outcome: "deny", problem: "x/y" }, 0],
    ["the answer broke off", { zone: "partner", completed: false }, 0],
  ] as const)("%s", (_what, change, count) => {
    const events = disclosures(change);
    expect(events.length).toBe(count);
    for (const event of events) expect(profiles(event)).toEqual([DISCLOSURE]);
  });

  it("accounts for date, recipient, what and why (45 CFR 164.528), from the observer itself", () => {
    const [event] = disclosures({ zone: "partner", principal: { ...principal, organisation: "payer-3" } });
    expect(event).toMatchObject({
      subtype: [{ code: "disclose" }, { code: "read" }],
      action: "R",
      recorded: "2026-01-31T12:00:00.012Z",
      purposeOfEvent: [{ coding: [{ code: "TREAT" }] }],
      source: { observer: { display: "fhir-edge-1" } },
    });
    const [from, to] = event?.agent ?? [];
    expect(from).toMatchObject({ type: { coding: [{ code: "110153" }] }, who: { display: "fhir-edge-1" } });
    expect(to?.type.coding?.map(({ code }) => code)).toEqual(["110152", "110150"]);
    expect(event?.agent.at(-1)?.who).toEqual({ identifier: { value: "payer-3" } });
  });

  it("claims nothing when the edge's own address is not known", () => {
    const [event] = disclosures({ zone: "partner" }, { observer: "edge" });
    expect(event).not.toHaveProperty("meta");
  });
});

describe("events that are not requests", () => {
  const render = (kind: (typeof SYSTEM_EVENT_KINDS)[number], facts: SystemFacts = {}): AuditEvent =>
    renderSystemEvent(kind, facts, { source: SOURCE, now: Date.UTC(2026, 0, 31), newId: () => "id-1" });

  it.each([
    ["start", "110100", ["110120"], "E"],
    ["stop", "110100", ["110121"], "E"],
    ["audit-start", "110113", ["110134"], "E"],
    ["audit-stop", "110113", ["110133"], "E"],
    ["audit-log-used", "110101", ["audit-log-used"], "R"],
    ["heartbeat", "110100", ["heartbeat"], "E"],
    ["login", "110114", ["110122"], "E"],
    ["login-failed", "110114", ["110122", "login-failed"], "E"],
    ["logout", "110114", ["110123"], "E"],
    ["node-authentication", "110114", ["110126"], "E"],
    ["policy-loaded", "110113", ["110129", "policy-loaded"], "U"],
    ["policy-changed", "110113", ["110129", "policy-changed"], "U"],
    ["policy-refused", "110113", ["110129", "policy-refused"], "U"],
    ["policy-drift", "110113", ["110129", "policy-drift"], "E"],
    ["configuration-changed", "110113", ["110129", "configuration-changed"], "U"],
    ["security-alert", "110113", ["110132"], "E"],
    ["throttle", "110113", ["throttled"], "E"],
    ["break-glass-start", "110113", ["110127"], "E"],
    ["break-glass-stop", "110113", ["110138"], "E"],
    ["consent-decision", "110113", ["AuthZ-Consent"], "E"],
    ["consent-changed", "110113", ["consent-changed"], "U"],
    ["export-requested", "110106", ["export-requested"], "E"],
    ["export-completed", "110106", ["export-completed"], "R"],
    ["export-cancelled", "110106", ["export-cancelled"], "E"],
  ] as const)("%s", (kind, type, subtypes, action) => {
    const event = render(kind);
    expect(event).toMatchObject({ resourceType: "AuditEvent", id: "id-1", type: { code: type }, action, outcome: "0" });
    expect(event.subtype?.map(({ code }) => code)).toEqual(subtypes);
    expect(event.recorded).toBe("2026-01-31T00:00:00.000Z");
    expect(event.agent).toMatchObject([{ type: { coding: [{ code: "110151" }] }, requestor: true }]);
  });

  it("are each in the table above", () => {
    expect(SYSTEM_EVENT_KINDS.length).toBe(24);
  });

  it("name who did it, why, the job and the facts given, which are cut", () => {
    const event = render("export-requested", {
      success: false,
      because: "the queue is full",
      job: "job-1",
      patients: ["p1"],
      actor: { issuer: "https://as", clientId: "app-1", address: "192.0.2.7" },
      details: { "policy-version": "7", long: "x".repeat(1000) },
    });
    expect(event).toMatchObject({ outcome: "8", outcomeDesc: "the queue is full" });
    expect(event.agent.map(({ type }) => type.coding?.[0]?.code)).toEqual(["110150", "authserver"]);
    expect(event.entity.map(({ role }) => role?.code)).toEqual(["1", "20", undefined]);
    expect(event.entity[2]?.detail?.map(({ type, valueString }) => [type, valueString.length])).toEqual([
      ["kind", "export-requested".length],
      ["policy-version", 1],
      ["long", 256],
    ]);
  });

  const CONSENT: SystemFacts = {
    patients: ["p1"],
    consent: "Consent/c1",
    actor: { issuer: "https://as", subject: "u", organisation: "payer-3", address: "192.0.2.7" },
  };

  it.each([
    ["no consent", { ...CONSENT, consent: undefined }],
    ["two patients", { ...CONSENT, patients: ["p1", "p2"] }],
    ["no organisation", { ...CONSENT, actor: { ...CONSENT.actor, organisation: undefined } }],
    ["no address", { ...CONSENT, actor: { ...CONSENT.actor, address: undefined } }],
    ["nobody", { ...CONSENT, actor: undefined }],
  ])("a consent's decision claims no profile with %s", (_what, facts) => {
    expect(profiles(render("consent-decision", facts as SystemFacts))).toEqual([]);
    expect(profiles(render("consent-decision", CONSENT))).toEqual(["IHE.BasicAudit.AuthZconsent"]);
  });

  const VECTORS = join(import.meta.dirname, "../../../../shared/vectors/audit-balp");
  const hasVectors = existsSync(join(VECTORS, "profiles.json"));
  it.skipIf(!hasVectors)("meet the profiles they claim, in clear and hashed", () => {
    const load = <Value>(file: string): Value => JSON.parse(readFileSync(join(VECTORS, file), "utf8")) as Value;
    const stated = load<Profile[]>("profiles.json");
    const sets = load<ValueSet[]>("value-sets.json");
    const key = { id: "k", key: new Uint8Array(32) };
    const claimed = new Set<string>();
    for (const namingFor of [createNaming("clear"), createNaming("hashed", key)]) {
      const options = { source: SOURCE, namingFor };
      const opaque = `urn:wardline:token-sha256:${"0a".repeat(16)}`;
      const events = [
        ...renderAuditEvents(record({ zone: "partner" }), options),
        ...renderAuditEvents(record({ principal: { ...principal, tokenId: opaque } }), options),
        renderSystemEvent("consent-decision", CONSENT, options),
        renderSystemEvent("consent-decision", { ...CONSENT, success: false, because: "it was withdrawn" }, options),
      ];
      for (const event of events) {
        for (const name of profiles(event)) {
          claimed.add(name);
          const profile = stated.find((one) => one.name === name) ?? expect.fail(name);
          expect([name, profileFaults(event, profile, sets)]).toEqual([name, []]);
        }
      }
    }
    expect([...claimed].sort()).toEqual([
      "IHE.BasicAudit.AuthZconsent",
      "IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive",
      "IHE.BasicAudit.OAUTHaccessTokenUse.Minimal",
      "IHE.BasicAudit.OAUTHaccessTokenUse.Opaque",
      "IHE.BasicAudit.PatientRead",
      DISCLOSURE,
    ]);
  });
});

describe("geolocation", () => {
  const locate = (found: unknown): unknown => locator({ get: () => found })("192.0.2.7");

  it("keeps country, state and operator, and nothing finer (45 CFR 164.514(b)(2))", () => {
    const city = { country: { iso_code: "US" }, subdivisions: [{ iso_code: "MA" }], city: { names: { en: "Boston" } } };
    expect(
      locate({ ...city, postal: { code: "02101" }, location: { latitude: 1 }, autonomous_system_number: 64496 }),
    ).toEqual({
      country: "US",
      region: "MA",
      network: "AS64496",
    });
  });

  it.each([[null], ["text"], [{ country: { iso_code: "<script>" } }], [{ subdivisions: 7 }]])(
    "survives %j",
    (found) => {
      expect(locate(found)).toEqual({});
    },
  );

  it("a reader that throws costs its own facts only", () => {
    const locate = locator({
      get: () => {
        throw new Error("broken");
      },
    });
    const [event] = renderAuditEvents(READ, { source: SOURCE, locate });
    expect(event?.outcome).toBe("0");
    const found = renderAuditEvents(READ, { source: SOURCE, locate: () => ({ country: "DE" }) });
    expect(JSON.stringify(found)).toContain('{"type":"country","valueString":"DE"}');
  });
});
