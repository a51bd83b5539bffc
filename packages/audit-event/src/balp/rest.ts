import type { InteractionCode } from "@wardline/policy-types";
import type { Draft } from "../draft.ts";
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
import { concernedEntity, outcomeEntity } from "./entities.ts";
import { present, type Rendering, sourceOf } from "./event.ts";
import { containedOutcome, describeOutcome, isBreakGlass, isFailedLogin, outcomeOf } from "./outcome.ts";
import { type Parties, partiesOf } from "./parties.ts";
import type { AuditEvent, Coding } from "./resource.ts";

/**
 * The request as a RESTful operation on one patient, on several together, or on none. A caller whom nobody could identify has not come as far
 * as an operation: that is a failed login.
 *
 * @see https://profiles.ihe.net/ITI/BALP/content.html IHE BALP 1.1.4, sections 3:5.7.5.3 to 3:5.7.5.8
 */
export function restEvent(facts: Rendering, patient: string | readonly string[] | undefined): AuditEvent {
  const { record, source, newId, times, object, transaction } = facts;
  const pattern = PATTERNS[record.interaction];
  const parties = partiesOf(facts, pattern);
  const about = typeof patient === "string" ? concernedEntity(patient, facts) : undefined;
  const refused = record.problem !== undefined;
  const subtype = subtypesOf(facts);
  const meta = metaFor(facts, pattern, patient, parties);
  const outcomeDesc = describeOutcome(record);
  // One per request and patient: members are assigned where spreading them would cost more than all else here.
  const event: Draft<AuditEvent> = {
    resourceType: "AuditEvent",
    id: newId(),
    type: isFailedLogin(record) ? USER_AUTHENTICATION : REST,
    action: isFailedLogin(record) ? "E" : pattern.action,
    period: times.period,
    recorded: times.recorded,
    outcome: outcomeOf(record),
    agent: parties.agents,
    source: sourceOf(source),
    entity: present(refused ? [object, about, transaction, outcomeEntity("refusal")] : [object, about, transaction]),
  };
  if (typeof patient === "object") {
    event.entity = [...patient.map((one) => concernedEntity(one, facts)), ...event.entity];
  }
  if (meta !== undefined) event.meta = meta;
  if (refused) event.contained = [containedOutcome("refusal", record)];
  if (subtype.length > 0) event.subtype = subtype;
  if (outcomeDesc !== undefined) event.outcomeDesc = outcomeDesc;
  return event;
}

function subtypesOf({ record }: Rendering): readonly Coding[] {
  const named = INTERACTIONS[record.interaction];
  if (isFailedLogin(record)) return [LOGIN, ...named];
  if (record.outcome === "deny") return [...named, record.status === 429 ? THROTTLED : REFUSED];
  return isBreakGlass(record) ? [...named, BREAK_GLASS] : named;
}

/** BALP fixes outcome 0 in its REST profiles, and asks for both agents' networks, the object, and one patient at most. */
function metaFor(
  { record, object }: Rendering,
  { profile }: Pattern,
  patient: string | readonly string[] | undefined,
  { areLocated, tokenProfiles }: Parties,
): AuditEvent["meta"] {
  if (outcomeOf(record) !== "0") return undefined;
  const known = object?.what !== undefined || object?.query !== undefined;
  const rest =
    profile !== undefined && areLocated && known && typeof patient !== "object"
      ? `${patient === undefined ? "" : "Patient"}${profile}`
      : "";
  return metaOf(rest, tokenProfiles);
}

/** Few combinations come, again and again. */
function metaOf(rest: string, tokens: readonly string[]): AuditEvent["meta"] {
  const metas = METAS.get(tokens) ?? new Map<string, AuditEvent["meta"]>();
  METAS.set(tokens, metas);
  if (metas.has(rest)) return metas.get(rest);
  const profile = [...(rest === "" ? [] : [profileUrl(`IHE.BasicAudit.${rest}`)]), ...tokens];
  const meta = profile.length === 0 ? undefined : constant({ profile });
  metas.set(rest, meta);
  return meta;
}

const METAS = new Map<readonly string[], Map<string, AuditEvent["meta"]>>();

const INTERACTIONS = Object.fromEntries(
  Object.keys(PATTERNS).map((code) => [
    code,
    constant(code === "unknown" ? [] : [{ system: INTERACTION_SYSTEM, code }]) as readonly Coding[],
  ]),
) as Readonly<Record<InteractionCode, readonly Coding[]>>;
const THROTTLED: Coding = ownCode("throttled");
const REFUSED: Coding = ownCode("refused");
const BREAK_GLASS: Coding = ownCode("break-glass");
