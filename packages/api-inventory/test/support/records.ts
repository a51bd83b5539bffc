import type { AccessRecord } from "@wardline/policy-types";
import type { InventoryEntry } from "../../src/index.ts";

/** A permitted read of one patient by one app. */
export function record(
  changes: Partial<AccessRecord> & { client?: string; scopes?: readonly string[] } = {},
): AccessRecord {
  const { client = "app-1", scopes = ["patient/Patient.rs"], ...rest } = changes;
  return {
    requestId: "r",
    receivedAt: Date.UTC(2026, 5, 1, 12),
    latencyMs: 10,
    zone: "patient",
    apiType: "patient-access",
    routeId: "fhir",
    method: "GET",
    interaction: "read",
    resourceType: "Patient",
    parameters: [],
    patients: ["patient-1"],
    principal: { issuer: "https://id.example", subject: "s", clientId: client, roles: [], purposeOfUse: [], scopes },
    decisions: [],
    outcome: "permit",
    status: 200,
    completed: true,
    requestBytes: 0,
    responseBytes: 100,
    ...rest,
  };
}

export const FHIR: InventoryEntry = {
  id: "fhir",
  path: "/fhir",
  zone: "patient",
  apiType: "patient-access",
  interactions: ["read", "search-type", "capabilities"],
  operations: ["everything"],
  types: ["Patient", "Observation"],
};

export const ROUTE: InventoryEntry = {
  id: "slots",
  path: "/slots/:id",
  zone: "internal",
  apiType: "clinical",
  methods: ["GET", "POST"],
};

export const KEY: Uint8Array = new Uint8Array(32).fill(7);
