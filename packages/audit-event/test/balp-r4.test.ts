import { validateResource } from "@wardline/fhir-schema";
import { type AccessRecord, INTERACTION_CODES } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import {
  createNaming,
  renderAuditEvents,
  renderSystemEvent,
  SYSTEM_EVENT_KINDS,
  type SystemFacts,
} from "../src/index.ts";
import { READ, record, SOURCE } from "./support/records.ts";

const asSent = (event: object): unknown => JSON.parse(JSON.stringify(event));
const principal = READ.principal ?? expect.fail("the record has a principal");

const CALLERS: readonly AccessRecord["principal"][] = [
  principal,
  { ...principal, subject: "app-1", organisation: "payer-3", purposeOfUse: ["BTG"] },
  { ...principal, fhirUser: "https://fhir.example.org/Person/1", tenant: "t" },
  { issuer: "i", subject: "d", device: "d", roles: [], purposeOfUse: [], scopes: [] },
];

const ENDS: readonly Partial<AccessRecord>[] = [
  { status: 200 },
  { status: 200, completed: false },
  { status: 500 },
  ...[401, 403, 429, 503].map((status) => ({ status, outcome: "deny", problem: "x/y" }) as const),
];

const FACTS: readonly SystemFacts[] = [
  {},
  {
    success: false,
    because: "it was withdrawn",
    patients: ["p1"],
    consent: "Consent/c1",
    job: "job-1",
    zone: "partner",
    actor: {
      issuer: "i",
      subject: "u",
      clientId: "c",
      organisation: "o",
      address: "192.0.2.7",
      purposeOfUse: ["TREAT"],
    },
    details: { "policy-version": 7 },
  },
];

describe.each(["clear", "hashed"] as const)("R4 takes every event, with identifiers %s", (form) => {
  const namingFor = createNaming(form, { id: "k1", key: new Uint8Array(32) });

  it.each([...INTERACTION_CODES, "unknown"] as const)("of a request: %s", (interaction) => {
    for (const caller of CALLERS) {
      for (const end of ENDS) {
        const facts: Partial<AccessRecord> = {
          zone: "partner",
          interaction,
          patients: ["p1", "p2"],
          forwardedAddress: "198.51.100.9",
          clientCertificate: { subject: "CN=app", fingerprint256: "AA:BB" },
          ...(caller === undefined ? {} : { principal: caller }),
          ...end,
        };
        const events = renderAuditEvents(record(facts), { source: SOURCE, namingFor });
        for (const event of events) expect(validateResource(asSent(event))).toEqual([]);
      }
    }
  });

  it.each(SYSTEM_EVENT_KINDS)("that is not a request: %s", (kind) => {
    for (const facts of FACTS) {
      const event = renderSystemEvent(kind, facts, { source: { observer: "edge-1" }, namingFor });
      expect(validateResource(asSent(event))).toEqual([]);
    }
  });
});
