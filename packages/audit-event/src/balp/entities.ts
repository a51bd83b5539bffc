import type { AccessRecord } from "@wardline/policy-types";
import { tokenUrn } from "./agents.ts";
import {
  OAUTH_AGENT,
  OUTCOME_RESOURCE,
  PATIENT_ROLE,
  PERSON,
  QUERY_ROLE,
  REQUEST_ID,
  RESOURCE_ROLE,
  SYSTEM_OBJECT,
} from "./codes.ts";
import type { AuditEntity } from "./resource.ts";

/** The resource asked for; by its type alone where the request named no id (a create). */
export function dataEntity({ resource, resourceType }: AccessRecord): AuditEntity | undefined {
  const object = { type: SYSTEM_OBJECT, role: RESOURCE_ROLE };
  if (resource !== undefined) return { what: { reference: resource }, ...object };
  return resourceType === undefined ? undefined : { ...object, name: resourceType };
}

export function patientEntity(id: string): AuditEntity {
  return { what: { reference: `Patient/${id}` }, type: PERSON, role: PATIENT_ROLE };
}

/**
 * The search, in BALP's base64, built from what an access record holds: the names of the parameters, never their values.
 * `what`, `lifecycle` and `detail` may not stand here.
 */
export function queryEntity({ method, resourceType, parameters }: AccessRecord): AuditEntity {
  const names = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return {
    type: SYSTEM_OBJECT,
    role: QUERY_ROLE,
    description: "parameter names only, values are not recorded",
    query: Buffer.from(`${method} ${resourceType ?? ""}${names}`).toString("base64"),
  };
}

/** Ties the events of one request together and says what the controls decided. */
export function transactionEntity(record: AccessRecord, followsUp: string | undefined): AuditEntity {
  const decisions = record.decisions.map(({ control, kind, code, because }): [string, string] => [
    "decision",
    `${control} ${kind}${code === undefined ? "" : ` ${code}`}: ${because.join("; ")}`,
  ]);
  const facts: readonly (readonly [string, string | number | undefined])[] = [
    ["follows-up", followsUp],
    ["method", record.method],
    ["status", record.status],
    ["zone", record.zone],
    ["api-type", record.apiType],
    ["route", record.routeId],
    ["operation", record.operation],
    ["parameters", record.parameters.length === 0 ? undefined : record.parameters.join("&")],
    ["policy-version", record.policyVersion],
    ["upstream", record.upstream],
    ["tenant", record.principal?.tenant],
    ["correlation-id", record.correlationId],
    ["traceparent", record.traceparent],
    ...decisions,
  ];
  return {
    what: { identifier: { value: record.requestId } },
    type: REQUEST_ID,
    detail: facts.flatMap(([type, value]) =>
      value === undefined || value === "" ? [] : [{ type, valueString: String(value) }],
    ),
  };
}

export function tokenEntity(tokenId: string): AuditEntity {
  return { what: { identifier: { value: tokenUrn(tokenId) } }, type: OAUTH_AGENT };
}

export function outcomeEntity(id: string): AuditEntity {
  return { what: { reference: `#${id}` }, type: OUTCOME_RESOURCE };
}
