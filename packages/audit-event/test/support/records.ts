import type { AccessRecord } from "@wardline/policy-types";
import type { AuditSource } from "../../src/index.ts";

export const SOURCE: AuditSource = {
  observer: "fhir-edge-1",
  site: "main-hospital",
  address: "https://fhir.example.org/fhir",
};

/** A successful read of one patient by a clinician's app. */
export const READ: AccessRecord = {
  requestId: "req-1",
  receivedAt: Date.UTC(2026, 0, 31, 12),
  latencyMs: 12.5,
  zone: "patient",
  apiType: "patient-access",
  routeId: "patient",
  policyVersion: "sha256:abc",
  method: "GET",
  interaction: "read",
  resourceType: "Patient",
  resource: "Patient/p1",
  parameters: [],
  patients: ["p1"],
  principal: {
    issuer: "https://as.example.org",
    subject: "user-7",
    clientId: "app-1",
    fhirUser: "Practitioner/7",
    roles: ["nurse"],
    purposeOfUse: ["TREAT"],
    scopes: ["user/Patient.rs"],
    tokenId: "jti-1",
  },
  peerAddress: "192.0.2.7",
  decisions: [{ control: "smart-auth", kind: "permit", because: ["user/Patient.rs"] }],
  outcome: "permit",
  status: 200,
  completed: true,
  requestBytes: 0,
  responseBytes: 2500,
};

export function record(change: Partial<AccessRecord> = {}): AccessRecord {
  return { ...READ, ...change };
}

/** Takes members away, which a spread cannot. */
export function without<Key extends keyof AccessRecord>(from: AccessRecord, ...keys: Key[]): AccessRecord {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key as Key))) as never;
}
