import { authorizerAgent, clientAgent, organisationAgent, purposes, userAgent } from "./agents.ts";
import {
  APPLICATION,
  AUTHZ_CONSENT,
  AUTHZ_ROLE,
  OVERRIDE_STARTED,
  RECIPIENT,
  RESTRICTED_FUNCTION,
  SECURITY_ALERT,
} from "./codes.ts";
import { concernedEntity, tokenEntity } from "./entities.ts";
import { begin, described, present, type Rendering, sourceOf } from "./event.ts";
import { isConsentRefusal } from "./outcome.ts";
import type { AuditEvent } from "./resource.ts";

/**
 * The refusal once more, in the words a security officer searches for. It names no Consent and need not have an
 * organisation, so it does not claim BALP's authorization profile whose codes it uses.
 */
export function deniedUseEvent(facts: Rendering): AuditEvent {
  const { record } = facts;
  return {
    ...begin(facts),
    type: SECURITY_ALERT,
    subtype: [RESTRICTED_FUNCTION, isConsentRefusal(record) ? AUTHZ_CONSENT : AUTHZ_ROLE],
    action: "E",
    ...facts.times,
    outcome: "8",
    ...described(record),
    ...parties(facts),
    entity: present([token(facts), facts.transaction]),
  };
}

/** Somebody used an emergency to see what is otherwise withheld; each such use is to be looked at afterwards. */
export function breakGlassEvent(facts: Rendering): AuditEvent {
  const { record } = facts;
  return {
    ...begin(facts),
    type: SECURITY_ALERT,
    subtype: [OVERRIDE_STARTED],
    action: "E",
    ...facts.times,
    outcome: "0",
    purposeOfEvent: purposes(record.principal?.purposeOfUse ?? []),
    ...parties(facts),
    entity: present([
      ...record.patients.slice(0, MOST_NAMED).map((patient) => concernedEntity(patient, facts)),
      token(facts),
      facts.transaction,
    ]),
  };
}

/** The events of the access name the others, by the same request id. */
const MOST_NAMED = 1000;

function parties(facts: Rendering): Pick<AuditEvent, "agent" | "source"> {
  const { source } = facts;
  return {
    agent: present([
      clientAgent(facts, APPLICATION),
      userAgent(facts, RECIPIENT),
      organisationAgent(facts),
      authorizerAgent(source),
    ]),
    source: sourceOf(source),
  };
}

function token({ record }: Rendering): ReturnType<typeof tokenEntity> | undefined {
  const tokenId = record.principal?.tokenId;
  return tokenId === undefined ? undefined : tokenEntity(tokenId);
}
