import type { AccessRecord } from "@wardline/policy-types";
import { breakGlassEvent, deniedUseEvent } from "./alert.ts";
import { disclosureEvent, isDisclosure } from "./disclosure.ts";
import { type RenderOptions, rendering } from "./event.ts";
import { isBreakGlass, isDeniedUse } from "./outcome.ts";
import type { AuditEvent } from "./resource.ts";
import { restEvent } from "./rest.ts";
import { signInEvent } from "./sign-in.ts";

/**
 * Writes an access down as R4 AuditEvents after IHE BALP: one for each patient concerned, or one when there is none.
 * What left for a partner is a disclosure besides, one for each patient; a known caller's refused use and a broken glass
 * add a Security Alert each.
 *
 * A request to an endpoint of OAuth is an authentication, whatever came of it.
 *
 * A profile is claimed for a success only, and only when every part it asks for is there. Does NOT hold parameter
 * values, bodies or tokens: the record has none.
 *
 * @see https://profiles.ihe.net/ITI/BALP/content.html IHE Basic Audit Log Patterns 1.1.4
 */
export function renderAuditEvents(record: AccessRecord, options: RenderOptions): AuditEvent[] {
  const facts = rendering(record, options);
  if (record.signIn !== undefined) return [signInEvent(facts, record.signIn)];
  const [first, ...more] = record.patients;
  const events = [restEvent(facts, first)];
  for (const patient of more) events.push(restEvent(facts, patient));
  if (isDisclosure(record)) {
    for (const patient of record.patients) events.push(disclosureEvent(facts, patient));
  }
  if (isDeniedUse(record)) events.push(deniedUseEvent(facts));
  if (isBreakGlass(record)) events.push(breakGlassEvent(facts));
  return events;
}
