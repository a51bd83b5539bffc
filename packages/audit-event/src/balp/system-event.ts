import { randomUUID } from "node:crypto";
import type { TrustZone } from "@wardline/policy-types";
import { authorizerAgent, purposes } from "./agents.ts";
import { APPLICATION, LAUNCHER, ORGANISATION, profileUrl, RECIPIENT } from "./codes.ts";
import { add, consentEntity, jobEntity, patientEntity } from "./entities.ts";
import { claimed, present, sourceOf } from "./event.ts";
import { CLEAR, type Naming, type NamingFor } from "./naming.ts";
import type { AuditAgent, AuditEntity, AuditEvent } from "./resource.ts";
import type { AuditSource } from "./source.ts";
import { patternOf, type SystemEventKind } from "./system-patterns.ts";

/** Who did it. Without one, the edge itself did. */
export interface SystemActor {
  readonly issuer?: string;
  readonly subject?: string;
  readonly clientId?: string;
  readonly organisation?: string;
  /** IP address it came from. */
  readonly address?: string;
  /** Codes of v3-ActReason. */
  readonly purposeOfUse?: readonly string[];
}

/** What is known of an event that is not a request. Fixed words and ids only: no name, no value of a record, no token. */
export interface SystemFacts {
  /** Default true. */
  readonly success?: boolean;
  /** Why, for an event that tells of a failure or a change: a fixed sentence. */
  readonly because?: string;
  readonly actor?: SystemActor;
  /** Bare ids. */
  readonly patients?: readonly string[];
  /** `Consent/1`, for a decision about or a change of a consent. */
  readonly consent?: string;
  /** Id of an export job. */
  readonly job?: string;
  readonly zone?: TrustZone;
  /** Further facts by name, such as `policy-version`. Texts are cut at 256 characters. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

export interface SystemRenderOptions {
  /** Which edge reports. */
  readonly source: AuditSource;
  /** How persons are named in a zone. Default in clear. */
  readonly namingFor?: NamingFor;
  /** Default a random UUID. */
  readonly newId?: () => string;
  /** Milliseconds since the epoch. Default `Date.now()`. */
  readonly now?: number;
}

/**
 * Writes an event down that is not a request: a start, a policy, a login elsewhere, an export job, a consent. A decision
 * about a consent claims BALP's authorization profile when it names a user, an organisation, an address, one patient and
 * the consent.
 *
 * @see https://hl7.org/fhir/R4/valueset-audit-event-sub-type.html
 */
export function renderSystemEvent(
  kind: SystemEventKind,
  facts: SystemFacts,
  { source, namingFor, newId = randomUUID, now = Date.now() }: SystemRenderOptions,
): AuditEvent {
  const { type, subtype, action } = patternOf(kind);
  const naming = namingFor?.(facts.zone) ?? CLEAR;
  const { success = true, because, actor, patients = [], consent, job } = facts;
  const purposeOfUse = actor?.purposeOfUse ?? [];
  const isAuthorization = kind === "consent-decision" && isWhole(facts);
  return {
    resourceType: "AuditEvent",
    id: newId(),
    ...claimed(isAuthorization ? [profileUrl("IHE.BasicAudit.AuthZconsent")] : []),
    type,
    subtype,
    action,
    recorded: new Date(now).toISOString(),
    outcome: success ? "0" : "8",
    ...(because === undefined ? {} : { outcomeDesc: because.slice(0, LONGEST_TEXT) }),
    ...(purposeOfUse.length === 0 ? {} : { purposeOfEvent: purposes(purposeOfUse) }),
    agent: agentsOf(actor, source, naming),
    source: sourceOf(source),
    entity: present([
      ...patients.map((patient) => patientEntity(patient, naming)),
      consent === undefined ? undefined : consentEntity(consent, naming),
      job === undefined ? undefined : jobEntity(job),
      // The authorization profile admits no further entity.
      isAuthorization ? undefined : factsEntity(kind, facts),
    ]),
  };
}

function agentsOf(actor: SystemActor | undefined, source: AuditSource, naming: Naming): readonly AuditAgent[] {
  if (actor === undefined) {
    return [{ type: { coding: [LAUNCHER] }, who: { display: source.observer }, requestor: true }];
  }
  const { issuer = "", subject, clientId, organisation, address } = actor;
  const client: AuditAgent = {
    type: { coding: [APPLICATION] },
    who:
      clientId === undefined
        ? { display: address ?? "unknown" }
        : { identifier: { ...(issuer === "" ? {} : { system: issuer }), value: clientId } },
    requestor: subject === undefined,
    ...(address === undefined ? {} : { network: { address, type: "2" } }),
  };
  const user: AuditAgent | undefined =
    subject === undefined
      ? undefined
      : {
          type: { coding: [RECIPIENT] },
          who: { identifier: naming.identifier("subject", issuer, subject) },
          requestor: true,
        };
  const home: AuditAgent | undefined =
    organisation === undefined
      ? undefined
      : { type: { coding: [ORGANISATION] }, who: { identifier: { value: organisation } }, requestor: false };
  return present([client, user, home, authorizerAgent(source)]);
}

/** What the profile asks for at least. @see IHE BALP 1.1.4, IHE.BasicAudit.AuthZconsent */
function isWhole({ actor, patients, consent }: SystemFacts): boolean {
  const { subject, organisation, address } = actor ?? {};
  const parties = [subject, organisation, address, consent];
  return parties.every((part) => part !== undefined) && patients?.length === 1;
}

function factsEntity(kind: SystemEventKind, { details = {}, zone }: SystemFacts): AuditEntity {
  const detail: NonNullable<AuditEntity["detail"]>[number][] = [];
  add(detail, "kind", kind);
  add(detail, "zone", zone);
  for (const [name, value] of Object.entries(details).slice(0, MOST_DETAILS)) {
    add(detail, name.slice(0, LONGEST_TEXT), typeof value === "string" ? value.slice(0, LONGEST_TEXT) : value);
  }
  return { type: FACTS, name: "facts", detail };
}

const FACTS = Object.freeze({ system: "http://terminology.hl7.org/CodeSystem/audit-entity-type", code: "4" });
const LONGEST_TEXT = 256;
const MOST_DETAILS = 32;
