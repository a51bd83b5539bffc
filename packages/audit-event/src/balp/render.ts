import { randomUUID } from "node:crypto";
import type { AccessRecord } from "@wardline/policy-types";
import { constant } from "../json-text.ts";
import { breakGlassEvent, deniedUseEvent } from "./alert.ts";
import { disclosureEvent, isDisclosure } from "./disclosure.ts";
import { isDelivered, objectEntity, transactionEntity } from "./entities.ts";
import { entryEvents } from "./entry.ts";
import { type Rendering, type RenderOptions, timesOf } from "./event.ts";
import { CLEAR } from "./naming.ts";
import { isBreakGlass, isDeniedUse } from "./outcome.ts";
import { shareOut } from "./patients.ts";
import type { AuditEvent } from "./resource.ts";
import { restEvent } from "./rest.ts";
import { signInEvent } from "./sign-in.ts";

/**
 * Writes an access down as R4 AuditEvents after IHE BALP: one for each patient concerned, or one when there is none; of a
 * batch or transaction one for each entry besides.
 * What left for a partner is a disclosure besides, one for each patient it was about; a known caller's refused use and a broken glass
 * add a Security Alert each. Of very many patients not each has an event of its own, see `shareOut`.
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
  const { apart, together } = shareOut(record);
  if (apart.length > WRITTEN_ONCE_ABOVE) constant(facts.transaction);
  const events = [restEvent(facts, apart[0])];
  for (let at = 1; at < apart.length; at++) events.push(restEvent(facts, apart[at]));
  for (const some of together) events.push(restEvent(facts, some));
  if (isDisclosure(record)) {
    for (const patient of apart) if (isDelivered(patient, facts)) events.push(disclosureEvent(facts, patient));
    for (const some of together) {
      const shown = some.filter((patient) => isDelivered(patient, facts));
      if (shown.length > 0) events.push(disclosureEvent(facts, shown));
    }
  }
  for (const event of entryEvents(facts)) events.push(event);
  if (isDeniedUse(record)) events.push(deniedUseEvent(facts));
  if (isBreakGlass(record)) events.push(breakGlassEvent(facts));
  return events;
}

/** Of so many events it pays to write what they share once and for all of them. */
const WRITTEN_ONCE_ABOVE = 3;

function rendering(record: AccessRecord, options: RenderOptions): Rendering {
  const { source, namingFor, newId = randomUUID } = options;
  const naming = namingFor?.(record.zone) ?? CLEAR;
  const transaction = transactionEntity(record, naming, options);
  const times = timesOf(record);
  const { delivered } = record;
  const known = delivered === undefined ? undefined : new Set(delivered);
  return { record, source, naming, newId, times, object: objectEntity(record, naming), transaction, delivered: known };
}
