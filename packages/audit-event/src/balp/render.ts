import type { AccessRecord } from "@wardline/policy-types";
import { authorizerAgent, clientAgent, organisationAgent, serverAgent, userAgent } from "./agents.ts";
import {
  APPLICATION,
  AUTHZ_ROLE,
  INTERACTION_SYSTEM,
  OAUTH_AGENT,
  PATTERNS,
  type Pattern,
  profileUrl,
  RECIPIENT,
  REST,
  RESTRICTED_FUNCTION,
  SECURITY_ALERT,
  WEB_SERVER,
} from "./codes.ts";
import { dataEntity, outcomeEntity, patientEntity, queryEntity, tokenEntity, transactionEntity } from "./entities.ts";
import { containedOutcome, describeOutcome, isDeniedUse, outcomeOf } from "./outcome.ts";
import type { AuditAgent, AuditEntity, AuditEvent } from "./resource.ts";
import type { AuditSource } from "./source.ts";

export interface RenderOptions {
  readonly source: AuditSource;
  /** Why the request has a second set of events; see `followUp`. */
  readonly followsUp?: string;
}

/**
 * Writes an access down as R4 AuditEvents after IHE BALP: one for each patient concerned, or one when there is none. A
 * known caller's refused use adds a Security Alert.
 *
 * A profile is claimed for a success only, and only when every part it asks for is there. Does NOT hold parameter
 * values, bodies or tokens: the record has none.
 *
 * @see https://profiles.ihe.net/ITI/BALP/content.html IHE Basic Audit Log Patterns 1.1.4
 */
export function renderAuditEvents(record: AccessRecord, options: RenderOptions): AuditEvent[] {
  const [first, ...more] = record.patients;
  const events = [first, ...more].map((patient) => restEvent(record, patient, options));
  if (isDeniedUse(record)) events.push(alertEvent(record, options));
  return events;
}

function restEvent(record: AccessRecord, patient: string | undefined, options: RenderOptions): AuditEvent {
  const pattern = PATTERNS[record.interaction];
  const agents = present([
    clientAgent(record, pattern.client),
    serverAgent(options.source, pattern.server),
    userAgent(record, pattern.user),
    organisationAgent(record),
  ]);
  const object = pattern.profile === "Query" ? queryEntity(record) : dataEntity(record);
  const profiles = profilesOf(record, pattern, patient, agents, object);
  const refused = record.problem !== undefined;
  return {
    resourceType: "AuditEvent",
    ...(profiles.length === 0 ? {} : { meta: { profile: profiles } }),
    ...(refused ? { contained: [containedOutcome("refusal", record)] } : {}),
    type: REST,
    ...(record.interaction === "unknown"
      ? {}
      : { subtype: [{ system: INTERACTION_SYSTEM, code: record.interaction }] }),
    action: pattern.action,
    ...times(record),
    outcome: outcomeOf(record),
    ...described(record),
    agent: agents,
    source: sourceOf(options.source),
    entity: present([
      object,
      patient === undefined ? undefined : patientEntity(patient),
      transactionEntity(record, options.followsUp),
      refused ? outcomeEntity("refusal") : undefined,
    ]),
  };
}

/**
 * The refusal once more, in the words a security officer searches for. It has no Consent and need not have an
 * organisation, so it does not claim BALP's authorization profile whose codes it uses.
 */
function alertEvent(record: AccessRecord, { source, followsUp }: RenderOptions): AuditEvent {
  const tokenId = record.principal?.tokenId;
  return {
    resourceType: "AuditEvent",
    type: SECURITY_ALERT,
    subtype: [RESTRICTED_FUNCTION, AUTHZ_ROLE],
    action: "E",
    ...times(record),
    outcome: "8",
    ...described(record),
    agent: present([
      clientAgent(record, APPLICATION),
      userAgent(record, RECIPIENT),
      organisationAgent(record),
      authorizerAgent(source),
    ]),
    source: sourceOf(source),
    entity: present([tokenId === undefined ? undefined : tokenEntity(tokenId), transactionEntity(record, followsUp)]),
  };
}

/** BALP fixes outcome 0 in its REST profiles, and asks for both agents' networks and for the object. */
function profilesOf(
  record: AccessRecord,
  { profile }: Pattern,
  patient: string | undefined,
  [client, server, ...others]: readonly AuditAgent[],
  object: AuditEntity | undefined,
): string[] {
  if (outcomeOf(record) !== "0") return [];
  const profiles: string[] = [];
  const whole = client?.network !== undefined && server?.network !== undefined;
  const known = object?.what !== undefined || object?.query !== undefined;
  if (profile !== undefined && whole && known) {
    profiles.push(profileUrl(`IHE.BasicAudit.${patient === undefined ? "" : "Patient"}${profile}`));
  }
  if (others.some((agent) => agent.policy !== undefined && agent.type.coding?.includes(OAUTH_AGENT))) {
    profiles.push(profileUrl("IHE.BasicAudit.OAUTHaccessTokenUse.Minimal"));
  }
  return profiles;
}

function times({ receivedAt, latencyMs }: AccessRecord): Pick<AuditEvent, "period" | "recorded"> {
  const end = new Date(receivedAt + latencyMs).toISOString();
  return { period: { start: new Date(receivedAt).toISOString(), end }, recorded: end };
}

function described(record: AccessRecord): Pick<AuditEvent, "outcomeDesc"> {
  const outcomeDesc = describeOutcome(record);
  return outcomeDesc === undefined ? {} : { outcomeDesc };
}

function sourceOf({ site, observer }: AuditSource): AuditEvent["source"] {
  return { ...(site === undefined ? {} : { site }), observer: { display: observer }, type: [WEB_SERVER] };
}

function present<Value>(values: readonly (Value | undefined)[]): Value[] {
  return values.filter((value) => value !== undefined);
}
