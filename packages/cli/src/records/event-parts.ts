import type { AuditAgent, AuditEvent, Reference } from "@wardline/audit-event";
import { type AccessRecord, INTERACTION_CODES, type InteractionCode } from "@wardline/policy-types";

const INTERACTION_SYSTEM = "http://hl7.org/fhir/restful-interaction";
const PATIENT_ROLE = "1";
const RESOURCE_ROLE = "4";
const QUERY_ROLE = "24";

export function interactionOf({ subtype = [] }: AuditEvent): InteractionCode {
  const code = subtype.find(({ system }) => system === INTERACTION_SYSTEM)?.code;
  return (INTERACTION_CODES as readonly string[]).includes(code ?? "") ? (code as InteractionCode) : "unknown";
}

/** Ids, or the hashes that stand for them. */
export function patientsOf({ entity }: AuditEvent): readonly string[] {
  return entity.filter(({ role }) => role?.code === PATIENT_ROLE).flatMap(({ what }) => idOf(what) ?? []);
}

/** Those of them whom the answer was about; the others stand in the request only. */
export function deliveredOf({ entity }: AuditEvent): readonly string[] {
  return entity
    .filter(({ role, detail = [] }) => role?.code === PATIENT_ROLE && !detail.some(isNotDelivered))
    .flatMap(({ what }) => idOf(what) ?? []);
}

function isNotDelivered({ type, valueString }: { readonly type: string; readonly valueString?: string }): boolean {
  return type === "delivered" && valueString === "false";
}

export function resourceOf({ entity }: AuditEvent): Pick<AccessRecord, "resource" | "resourceType"> {
  const asked = entity.find(({ role }) => role?.code === RESOURCE_ROLE);
  if (asked?.what !== undefined) {
    const resourceType = asked.what.type ?? asked.what.reference?.split("/")[0];
    const id = idOf(asked.what);
    if (resourceType === undefined || id === undefined) return {};
    return { resourceType, resource: `${resourceType}/${id}` };
  }
  const query = entity.find(({ role }) => role?.code === QUERY_ROLE)?.query;
  const searched = query === undefined ? undefined : Buffer.from(query, "base64").toString().split(/[ ?]/)[1];
  const resourceType = asked?.name ?? searched;
  return resourceType === undefined || resourceType === "" ? {} : { resourceType };
}

/** The caller as audit-event writes it: first the client, then the edge, then the person if there is one. */
export function principalOf({ agent }: AuditEvent, scopes: readonly string[]): AccessRecord["principal"] {
  const [client, , ...others] = agent;
  const user = others.find(({ requestor }) => requestor);
  const clientName = client?.who.identifier;
  const subject = user?.who.identifier ?? clientName;
  if (subject === undefined) return undefined;
  const acting = user ?? client;
  const organisation = others.find((other) => other !== user)?.who.identifier?.value;
  return {
    issuer: clientName?.system ?? subject.system ?? "",
    subject: subject.value,
    ...(clientName === undefined ? {} : { clientId: clientName.value }),
    ...(organisation === undefined ? {} : { organisation }),
    roles: (acting?.role ?? []).flatMap(({ text }) => text ?? []),
    purposeOfUse: purposesOf(acting),
    scopes,
  };
}

/** `Problem.code` of a refusal. */
export function outcomeProblemOf({ contained = [] }: AuditEvent): string | undefined {
  const [outcome] = contained as readonly { issue?: { details?: { coding?: { code?: string }[] } }[] }[];
  return outcome?.issue?.[0]?.details?.coding?.[0]?.code;
}

function purposesOf(agent: AuditAgent | undefined): readonly string[] {
  return (agent?.purposeOfUse ?? []).flatMap(({ coding = [] }) => coding.map(({ code }) => code));
}

function idOf(what: Reference | undefined): string | undefined {
  return what?.reference?.split("/").at(-1) ?? what?.identifier?.value;
}
