import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessRecord } from "../access-record.ts";
import type { Interaction, SearchQuery } from "../interaction.ts";
import { contextOf, hasPermitted, type RequestContext } from "./context.ts";

/** The finished (or ready) request as one frozen value without PHI. */
export function accessRecord(
  req: IncomingMessage,
  res: ServerResponse,
  end: { readonly completed: boolean; readonly responseBytes?: number },
): AccessRecord {
  const context = contextOf(req);
  const { interaction } = context;
  return Object.freeze({
    requestId: context.requestId,
    ...optional("correlationId", context.correlationId),
    ...optional("traceparent", context.traceparent),
    receivedAt: context.receivedAt,
    latencyMs: performance.now() - context.startedAt,
    ...optional("zone", context.zone),
    ...optional("apiType", context.apiType),
    ...optional("routeId", context.route?.id),
    ...optional("policyVersion", context.policyVersion),
    method: context.method,
    interaction: interaction?.code ?? "unknown",
    ...optional("operation", operationOf(req, interaction)),
    ...optional("resourceType", interaction?.type),
    ...optional("resource", resourceOf(res, interaction)),
    parameters: Object.freeze(parameterNames(interaction)),
    patients: Object.freeze(patientsOf(context)),
    ...principalOf(context),
    ...optional("peerAddress", context.transport.peerAddress),
    ...optional("forwardedAddress", context.clientAddress),
    ...optional("clientCertificate", certificateOf(context)),
    decisions: Object.freeze([...context.decisions]),
    outcome: context.problem === undefined ? "permit" : "deny",
    ...optional("problem", context.problem?.code),
    status: res.statusCode,
    completed: end.completed,
    requestBytes: context.body?.bytes?.length ?? (Number(req.headers["content-length"] ?? 0) || 0),
    ...optional("responseBytes", end.responseBytes),
    ...optional("upstream", context.upstream),
  });
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value });
}

/** Until a control has permitted the operation its name may be anything a client typed (A14). */
function operationOf(req: IncomingMessage, interaction: Interaction | undefined): string | undefined {
  return hasPermitted(req, "smart-auth") ? interaction?.operation?.name : undefined;
}

/** The resource the request named, or the one its answer says it made. */
function resourceOf(res: ServerResponse, interaction: Interaction | undefined): string | undefined {
  if (interaction?.type === undefined) return undefined;
  if (interaction.id !== undefined) return `${interaction.type}/${interaction.id}`;
  if (interaction.code !== "create" || res.statusCode !== 201) return undefined;
  const [, type, id] = CREATED.exec(String(res.getHeader("location") ?? "")) ?? [];
  return type === interaction.type && id !== undefined ? `${type}/${id}` : undefined;
}

/** @see https://hl7.org/fhir/R4/http.html#create */
const CREATED = /\/([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/;

/** A name R4 does not define may be anything a client typed, so it is not repeated (A14). */
function parameterNames(interaction: Interaction | undefined): string[] {
  const names = new Set<string>();
  for (const query of [interaction?.search, interaction?.condition] as (SearchQuery | undefined)[]) {
    if (query === undefined) continue;
    for (const criterion of query.criteria) names.add(criterion.known ? criterion.raw : "(unknown)");
    for (const include of query.includes) names.add(`_${include.kind}`);
    for (const control of query.control) names.add(control.name);
    if (query.sort.length > 0) names.add("_sort");
  }
  return [...names];
}

function patientsOf(context: RequestContext): string[] {
  const patients = new Set(context.patients);
  const { interaction } = context;
  if (interaction?.type === "Patient" && interaction.id !== undefined) patients.add(interaction.id);
  if (interaction?.compartment?.type === "Patient") patients.add(interaction.compartment.id);
  return [...patients];
}

function principalOf({ principal }: RequestContext): Pick<AccessRecord, "principal"> {
  if (principal === undefined) return {};
  const { issuer, subject, clientId, organisation, device, fhirUser, roles, purposeOfUse, scopes, tokenId, tenant } =
    principal;
  return {
    principal: Object.freeze({
      issuer,
      subject,
      ...optional("clientId", clientId),
      ...optional("organisation", organisation),
      ...optional("device", device),
      ...optional("fhirUser", fhirUser),
      roles,
      purposeOfUse,
      scopes,
      ...optional("tokenId", tokenId),
      ...optional("tenant", tenant),
    }),
  };
}

function certificateOf(context: RequestContext): AccessRecord["clientCertificate"] {
  const certificate = context.transport.clientCertificate;
  return certificate && { subject: certificate.subject, fingerprint256: certificate.fingerprint256 };
}
