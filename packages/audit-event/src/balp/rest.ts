import type { InteractionCode } from "@wardline/policy-types";
import { constant } from "../json-text.ts";
import {
  INTERACTION_SYSTEM,
  LOGIN,
  ownCode,
  PATTERNS,
  type Pattern,
  profileUrl,
  REST,
  USER_AUTHENTICATION,
} from "./codes.ts";
import { dataEntity, namedOnly, outcomeEntity, patientEntity, queryEntity, transactionEntity } from "./entities.ts";
import { type Draft, newId, present, type Rendering, sourceOf, times } from "./event.ts";
import { containedOutcome, describeOutcome, isBreakGlass, isFailedLogin, outcomeOf } from "./outcome.ts";
import { type Parties, partiesOf } from "./parties.ts";
import type { AuditEntity, AuditEvent, Coding } from "./resource.ts";
import { tokenProfiles } from "./token.ts";

/**
 * The request as a RESTful operation on one patient, or on none. A caller whom nobody could identify has not come as far
 * as an operation: that is a failed login.
 *
 * @see https://profiles.ihe.net/ITI/BALP/content.html IHE BALP 1.1.4, sections 3:5.7.5.3 to 3:5.7.5.8
 */
export function restEvent(facts: Rendering, patient: string | undefined): AuditEvent {
  const { record, source } = facts;
  const pattern = PATTERNS[record.interaction];
  const parties = partiesOf(facts, pattern);
  const object = pattern.profile === "Query" ? queryEntity(facts) : dataEntity(facts);
  const refused = record.problem !== undefined;
  const subtype = subtypesOf(facts);
  const meta = metaFor(facts, pattern, patient, parties, object);
  const outcomeDesc = describeOutcome(record);
  const time = times(record);
  // One per request and patient: members are assigned where spreading them would cost more than all else here.
  const event: Draft<AuditEvent> = {
    resourceType: "AuditEvent",
    id: newId(facts),
    type: isFailedLogin(record) ? USER_AUTHENTICATION : REST,
    action: isFailedLogin(record) ? "E" : pattern.action,
    period: time.period,
    recorded: time.recorded,
    outcome: outcomeOf(record),
    agent: parties.agents,
    source: sourceOf(source),
    entity: present([
      object,
      patient === undefined ? undefined : patientOf(patient, facts),
      transactionEntity(facts),
      refused ? outcomeEntity("refusal") : undefined,
    ]),
  };
  if (meta !== undefined) event.meta = meta;
  if (refused) event.contained = [containedOutcome("refusal", record)];
  if (subtype.length > 0) event.subtype = subtype;
  if (outcomeDesc !== undefined) event.outcomeDesc = outcomeDesc;
  return event;
}

function patientOf(patient: string, { record, naming }: Rendering): AuditEntity {
  const isDelivered = record.delivered?.includes(patient) !== false;
  return isDelivered ? patientEntity(patient, naming) : namedOnly(patient, naming);
}

function subtypesOf({ record }: Rendering): readonly Coding[] {
  const named = INTERACTIONS[record.interaction];
  if (isFailedLogin(record)) return [LOGIN, ...named];
  if (record.outcome === "deny") return [...named, record.status === 429 ? THROTTLED : REFUSED];
  return isBreakGlass(record) ? [...named, BREAK_GLASS] : named;
}

/** BALP fixes outcome 0 in its REST profiles, and asks for both agents' networks and for the object. */
function metaFor(
  { record }: Rendering,
  { profile }: Pattern,
  patient: string | undefined,
  { client, server, user }: Parties,
  object: AuditEntity | undefined,
): AuditEvent["meta"] {
  if (outcomeOf(record) !== "0") return undefined;
  const whole = client.network !== undefined && server.network !== undefined;
  const known = object?.what !== undefined || object?.query !== undefined;
  const rest = profile !== undefined && whole && known ? `${patient === undefined ? "" : "Patient"}${profile}` : "";
  return metaOf(rest, tokenProfiles(record.principal?.tokenId, client, user));
}

/** Few combinations come, again and again. */
function metaOf(rest: string, tokens: readonly string[]): AuditEvent["meta"] {
  const key = `${rest} ${tokens.length} ${tokens[0] ?? ""}`;
  if (METAS.has(key)) return METAS.get(key);
  const profile = [...(rest === "" ? [] : [profileUrl(`IHE.BasicAudit.${rest}`)]), ...tokens];
  const meta = profile.length === 0 ? undefined : constant({ profile });
  METAS.set(key, meta);
  return meta;
}

const METAS = new Map<string, AuditEvent["meta"]>();

const INTERACTIONS = Object.fromEntries(
  Object.keys(PATTERNS).map((code) => [
    code,
    constant(code === "unknown" ? [] : [{ system: INTERACTION_SYSTEM, code }]) as readonly Coding[],
  ]),
) as Readonly<Record<InteractionCode, readonly Coding[]>>;
const THROTTLED: Coding = ownCode("throttled");
const REFUSED: Coding = ownCode("refused");
const BREAK_GLASS: Coding = ownCode("break-glass");
