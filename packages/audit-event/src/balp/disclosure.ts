import type { AccessRecord } from "@wardline/policy-types";
import { clientAgent, organisationAgent, purposes, serverAgent, userAgent } from "./agents.ts";
import { DESTINATION, DISCLOSE, EXPORT, INTERACTION_SYSTEM, PATTERNS, profileUrl, RECIPIENT, SOURCE } from "./codes.ts";
import { patientEntity } from "./entities.ts";
import { begin, claimed, present, type Rendering, sourceOf } from "./event.ts";
import { outcomeOf } from "./outcome.ts";
import type { AuditEvent } from "./resource.ts";

/**
 * Records of patients left for another organisation: a partner zone, or a payer asking a payer. A HEAD and a 304 carry
 * nothing.
 */
export function isDisclosure(record: AccessRecord): boolean {
  const { zone, apiType, method, status } = record;
  const toOthers = zone === "partner" || apiType === "payer-to-payer";
  const carries = method !== "HEAD" && status !== 304 && outcomeOf(record) === "0";
  return toOthers && carries && BRINGS_RECORDS.has(PATTERNS[record.interaction].action);
}

/**
 * BALP's Privacy Disclosure, seen from the source: date, recipient, what and why, for the accounting of disclosures a
 * patient may ask for.
 *
 * @see https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.PrivacyDisclosure.Source.html
 * @see https://www.ecfr.gov/current/title-45/section-164.528
 */
export function disclosureEvent(facts: Rendering, patient: string | readonly string[]): AuditEvent {
  const { record, source } = facts;
  const from = serverAgent(source, SOURCE);
  const recipient = clientAgent(facts, DESTINATION);
  const purposeOfUse = record.principal?.purposeOfUse ?? [];
  const whole = from.network !== undefined && recipient.network !== undefined && typeof patient === "string";
  const patients = typeof patient === "string" ? [patient] : patient;
  return {
    ...begin(facts),
    ...claimed(whole ? [profileUrl("IHE.BasicAudit.PrivacyDisclosure.Source")] : []),
    type: EXPORT,
    subtype:
      record.interaction === "unknown"
        ? [DISCLOSE]
        : [DISCLOSE, { system: INTERACTION_SYSTEM, code: record.interaction }],
    action: "R",
    ...facts.times,
    outcome: "0",
    ...(purposeOfUse.length === 0 ? {} : { purposeOfEvent: purposes(purposeOfUse) }),
    agent: present([from, recipient, userAgent(facts, RECIPIENT), organisationAgent(facts)]),
    source: sourceOf(source),
    entity: present([facts.object, ...patients.map((one) => patientEntity(one, facts.naming)), facts.transaction]),
  };
}

const BRINGS_RECORDS: ReadonlySet<AuditEvent["action"]> = new Set(["R", "E"]);
