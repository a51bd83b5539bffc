import type { AccessRecord } from "@wardline/policy-types";

export const AT = Date.UTC(2026, 0, 12, 9);
export const ISSUER = "https://as.example.org";

export type Principal = NonNullable<AccessRecord["principal"]>;

export function principal(subject: string, changes: Partial<Principal> = {}): Principal {
  return {
    issuer: ISSUER,
    subject,
    clientId: "ehr",
    roles: ["nurse"],
    purposeOfUse: ["TREAT"],
    scopes: ["user/*.rs"],
    ...changes,
  };
}

/** A clinician reads a patient and is served. */
export function record(changes: Partial<AccessRecord> = {}): AccessRecord {
  const { outcome = "permit", status = outcome === "permit" ? 200 : 403 } = changes;
  return {
    requestId: "request-1",
    receivedAt: AT,
    latencyMs: 10,
    zone: "internal",
    apiType: "clinical",
    routeId: "ehr",
    method: "GET",
    interaction: "read",
    resourceType: "Patient",
    resource: "Patient/p-1",
    parameters: [],
    patients: [],
    principal: principal("user-1"),
    peerAddress: "192.0.2.1",
    decisions: [],
    completed: true,
    requestBytes: 0,
    responseBytes: 2500,
    ...changes,
    outcome,
    status,
  };
}

/** A request without a proven caller. */
export function stranger(changes: Partial<AccessRecord> = {}): AccessRecord {
  const { principal: _nobody, ...rest } = record({ outcome: "deny", status: 401, ...changes });
  return rest;
}
