import {
  CONSENT_RESOURCE,
  JOB_ROLE,
  OAUTH_AGENT,
  OUTCOME_RESOURCE,
  PATIENT_ROLE,
  PERSON,
  QUERY_ROLE,
  REQUEST_ID,
  RESOURCE_ROLE,
  SYSTEM_OBJECT,
} from "./codes.ts";
import type { Rendering } from "./event.ts";
import type { Naming } from "./naming.ts";
import type { AuditEntity } from "./resource.ts";
import { tokenUri } from "./token.ts";

/** The resource asked for; by its type alone where nobody knows its id. */
export function dataEntity({ record, naming }: Rendering): AuditEntity | undefined {
  const { resource, resourceType } = record;
  const object = { type: SYSTEM_OBJECT, role: RESOURCE_ROLE };
  if (resource !== undefined) return { what: naming.resource(resource), ...object };
  return resourceType === undefined ? undefined : { ...object, name: resourceType };
}

export function patientEntity(id: string, naming: Naming): AuditEntity {
  return { what: naming.resource(`Patient/${id}`), type: PERSON, role: PATIENT_ROLE };
}

/**
 * The search, in BALP's base64, built from what an access record holds: the names of the parameters, never their values.
 * `what`, `lifecycle` and `detail` may not stand here.
 */
export function queryEntity({ record }: Rendering): AuditEntity {
  const { method, resourceType, parameters } = record;
  const names = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return {
    type: SYSTEM_OBJECT,
    role: QUERY_ROLE,
    description: "parameter names only, values are not recorded",
    query: Buffer.from(`${method} ${resourceType ?? ""}${names}`).toString("base64"),
  };
}

/** Ties the events of one request together and says what the controls decided. */
export function transactionEntity({ record, naming, locate, followsUp }: Rendering): AuditEntity {
  const decisions = record.decisions.map(({ control, kind, code, because }): [string, string] => [
    "decision",
    `${control} ${kind}${code === undefined ? "" : ` ${code}`}: ${because.join("; ")}`,
  ]);
  const { principal, forwardedAddress, peerAddress, clientCertificate } = record;
  const address = forwardedAddress ?? peerAddress;
  const place = address === undefined ? undefined : locate?.(address);
  const byDevice = principal?.clientId === undefined;
  return {
    what: { identifier: { value: record.requestId } },
    type: REQUEST_ID,
    detail: details([
      ["follows-up", followsUp],
      ["method", record.method],
      ["status", record.status],
      ["latency-ms", Math.round(record.latencyMs * 1000) / 1000],
      ["request-bytes", record.requestBytes],
      ["response-bytes", record.responseBytes],
      ["zone", record.zone],
      ["api-type", record.apiType],
      ["route", record.routeId],
      ["operation", record.operation],
      ["parameters", record.parameters.join("&")],
      ["policy-version", record.policyVersion],
      ["upstream", record.upstream],
      ["tenant", principal?.tenant],
      ["scopes", principal?.scopes.join(" ")],
      ["peer-address", forwardedAddress === undefined ? undefined : peerAddress],
      [
        "certificate-subject",
        clientCertificate && byDevice
          ? naming.text("certificate", clientCertificate.subject)
          : clientCertificate?.subject,
      ],
      ["country", place?.country],
      ["region", place?.region],
      ["network", place?.network],
      ["correlation-id", record.correlationId],
      ["traceparent", record.traceparent],
      ...decisions,
    ]),
  };
}

export function details(
  facts: readonly (readonly [string, string | number | boolean | undefined])[],
): NonNullable<AuditEntity["detail"]> {
  const detail: { type: string; valueString: string }[] = [];
  for (const [type, value] of facts) {
    if (value !== undefined && value !== "") detail.push({ type, valueString: String(value) });
  }
  return detail;
}

export function tokenEntity(tokenId: string): AuditEntity {
  return { what: { identifier: { value: tokenUri(tokenId) } }, type: OAUTH_AGENT };
}

export function outcomeEntity(id: string): AuditEntity {
  return { what: { reference: `#${id}` }, type: OUTCOME_RESOURCE };
}

export function consentEntity(reference: string, naming: Naming): AuditEntity {
  return { what: naming.resource(reference), type: CONSENT_RESOURCE };
}

export function jobEntity(id: string): AuditEntity {
  return { what: { identifier: { value: id } }, type: SYSTEM_OBJECT, role: JOB_ROLE };
}
