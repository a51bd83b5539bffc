import type { InteractionCode } from "@wardline/policy-types";
import { constant } from "../json-text.ts";
import type { AuditEvent, CodeableConcept, Coding } from "./resource.ts";

const DCM = "http://dicom.nema.org/resources/ontology/DCM";
const PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role";
const BALP = "https://profiles.ihe.net/ITI/BALP";

export const INTERACTION_SYSTEM = "http://hl7.org/fhir/restful-interaction";
export const PURPOSE_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

export const REST: Coding = code("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation");
export const SECURITY_ALERT: Coding = code(DCM, "110113", "Security Alert");
export const RESTRICTED_FUNCTION: Coding = code(DCM, "110132", "Use of Restricted Function");
export const AUTHZ_ROLE: Coding = code(`${BALP}/CodeSystem/AuthZsubType`, "AuthZ-Role");
export const AUTHZ_CONSENT: Coding = code(`${BALP}/CodeSystem/AuthZsubType`, "AuthZ-Consent");
export const EXPORT: Coding = code(DCM, "110106", "Export");
export const DISCLOSE: Coding = code(
  "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
  "disclose",
  "Disclose Record Lifecycle Event",
);
export const APPLICATION_ACTIVITY: Coding = code(DCM, "110100", "Application Activity");
export const AUDIT_LOG_USED: Coding = code(DCM, "110101", "Audit Log Used");
export const USER_AUTHENTICATION: Coding = code(DCM, "110114", "User Authentication");
export const APPLICATION_START: Coding = code(DCM, "110120", "Application Start");
export const APPLICATION_STOP: Coding = code(DCM, "110121", "Application Stop");
export const LOGIN: Coding = code(DCM, "110122", "Login");
export const LOGOUT: Coding = code(DCM, "110123", "Logout");
export const NODE_AUTHENTICATION: Coding = code(DCM, "110126", "Node Authentication");
export const OVERRIDE_STARTED: Coding = code(DCM, "110127", "Emergency Override Started");
export const SECURITY_CONFIGURATION: Coding = code(DCM, "110129", "Security Configuration");
export const AUDIT_STOPPED: Coding = code(DCM, "110133", "Audit Recording Stopped");
export const AUDIT_STARTED: Coding = code(DCM, "110134", "Audit Recording Started");
export const OVERRIDE_STOPPED: Coding = code(DCM, "110138", "Emergency Override Stopped");
export const LAUNCHER: Coding = code(DCM, "110151", "Application Launcher");

export const APPLICATION: Coding = code(DCM, "110150", "Application");
export const DESTINATION: Coding = code(DCM, "110152", "Destination Role ID");
export const SOURCE: Coding = code(DCM, "110153", "Source Role ID");
const CUSTODIAN: Coding = code(
  "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
  "custodian",
  "Custodian",
);
export const RECIPIENT: Coding = code(PARTICIPATION, "IRCP", "information recipient");
const AUTHOR: Coding = code(PARTICIPATION, "AUT", "author (originator)");
export const OAUTH_AGENT: Coding = code(`${BALP}/CodeSystem/UserAgentTypes`, "UserOauthAgent");
export const ORGANISATION: Coding = code(
  "http://terminology.hl7.org/CodeSystem/v3-RoleClass",
  "PROV",
  "healthcare provider",
);
export const AUTHORIZER: Coding = code(
  "http://terminology.hl7.org/CodeSystem/extra-security-role-type",
  "authserver",
  "authorization server",
);

export const PERSON: Coding = code(ENTITY_TYPE, "1", "Person");
export const SYSTEM_OBJECT: Coding = code(ENTITY_TYPE, "2", "System Object");
export const PATIENT_ROLE: Coding = code(OBJECT_ROLE, "1", "Patient");
export const RESOURCE_ROLE: Coding = code(OBJECT_ROLE, "4", "Domain Resource");
export const QUERY_ROLE: Coding = code(OBJECT_ROLE, "24", "Query");
export const JOB_ROLE: Coding = code(OBJECT_ROLE, "20", "Job");
export const REQUEST_ID: Coding = code(`${BALP}/CodeSystem/BasicAuditEntityType`, "XrequestId");
export const OUTCOME_RESOURCE: Coding = code("http://hl7.org/fhir/resource-types", "OperationOutcome");
export const CONSENT_RESOURCE: Coding = code("http://hl7.org/fhir/resource-types", "Consent");
export const WEB_SERVER: Coding = code("http://terminology.hl7.org/CodeSystem/security-source-type", "3", "Web Server");

/** How one kind of interaction is written down. */
export interface Pattern {
  readonly action: AuditEvent["action"];
  /** The BALP profile's middle name; absent where BALP has none. */
  readonly profile?: "Create" | "Read" | "Update" | "Delete" | "Query";
  readonly client: Coding;
  readonly server: Coding;
  readonly user: Coding;
}

/** Data flow from the server to the client in a read, and the other way in everything else: so do the agents' roles. */
const READ: Pattern = {
  action: "R",
  profile: "Read",
  client: DESTINATION,
  server: SOURCE,
  user: RECIPIENT,
};
const CREATE: Pattern = { action: "C", profile: "Create", client: SOURCE, server: DESTINATION, user: AUTHOR };
const UPDATE: Pattern = { ...CREATE, action: "U", profile: "Update" };
const DELETE: Pattern = { action: "D", profile: "Delete", client: APPLICATION, server: CUSTODIAN, user: AUTHOR };
const QUERY: Pattern = { action: "E", profile: "Query", client: SOURCE, server: DESTINATION, user: RECIPIENT };
const HISTORY: Pattern = { action: "R", client: DESTINATION, server: SOURCE, user: RECIPIENT };
const EXECUTE: Pattern = { action: "E", client: SOURCE, server: DESTINATION, user: RECIPIENT };

/**
 * BALP profiles the five plain interactions. History, operations, batches and whatever could not be named are written in
 * the same shape and claim no profile.
 *
 * @see https://profiles.ihe.net/ITI/BALP/content.html IHE BALP 1.1.4, sections 3:5.7.5.3 to 3:5.7.5.8
 */
export const PATTERNS: Readonly<Record<InteractionCode, Pattern>> = Object.freeze({
  read: READ,
  vread: READ,
  create: CREATE,
  update: UPDATE,
  patch: UPDATE,
  delete: DELETE,
  "search-type": QUERY,
  "search-system": QUERY,
  "history-instance": HISTORY,
  "history-type": HISTORY,
  "history-system": HISTORY,
  capabilities: EXECUTE,
  batch: EXECUTE,
  transaction: EXECUTE,
  operation: EXECUTE,
  unknown: EXECUTE,
});

/** One or two codings as a concept, made once. */
export function conceptOf(first: Coding, second?: Coding): CodeableConcept {
  const concepts = CONCEPTS.get(first) ?? new Map<Coding | undefined, CodeableConcept>();
  CONCEPTS.set(first, concepts);
  const known = concepts.get(second);
  if (known !== undefined) return known;
  const concept = constant({ coding: second === undefined ? [first] : [first, second] });
  concepts.set(second, concept);
  return concept;
}

const CONCEPTS = new WeakMap<Coding, Map<Coding | undefined, CodeableConcept>>();

export function profileUrl(id: string): string {
  return `${BALP}/StructureDefinition/${id}`;
}

/** What happened, in our own words, where the published code systems have none. */
export function ownCode(value: string): Coding {
  return code("urn:wardline:audit-event", value);
}

function code(system: string, value: string, display?: string): Coding {
  return constant({ system, code: value, ...(display === undefined ? {} : { display }) });
}
