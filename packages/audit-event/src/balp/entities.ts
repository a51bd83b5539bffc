import type { AccessRecord, ControlDecision } from "@wardline/policy-types";
import { isStanding } from "@wardline/policy-types/express";
import { common } from "../common.ts";
import { constant } from "../json-text.ts";
import {
  CONSENT_RESOURCE,
  JOB_ROLE,
  OAUTH_AGENT,
  OUTCOME_RESOURCE,
  PATIENT_ROLE,
  PATTERNS,
  PERSON,
  QUERY_ROLE,
  REQUEST_ID,
  RESOURCE_ROLE,
  SYSTEM_OBJECT,
} from "./codes.ts";
import type { Rendering, RenderOptions } from "./event.ts";
import type { Naming } from "./naming.ts";
import { unnamed } from "./patients.ts";
import type { AuditEntity } from "./resource.ts";
import { tokenUri } from "./token.ts";

/** What was asked for: a search, or a resource. */
export function objectEntity(record: AccessRecord, naming: Naming): AuditEntity | undefined {
  return PATTERNS[record.interaction].profile === "Query" ? queryEntity(record) : dataEntity(record, naming);
}

/** The resource; by its type alone where nobody knows its id. */
function dataEntity({ resource, resourceType }: AccessRecord, naming: Naming): AuditEntity | undefined {
  if (resource !== undefined) return { what: naming.resource(resource), type: SYSTEM_OBJECT, role: RESOURCE_ROLE };
  return resourceType === undefined ? undefined : { type: SYSTEM_OBJECT, role: RESOURCE_ROLE, name: resourceType };
}

export function patientEntity(id: string, naming: Naming): AuditEntity {
  return { what: naming.resource(`Patient/${id}`), type: PERSON, role: PATIENT_ROLE };
}

/** A patient of a request. Who stands in it only says so: nothing of the answer was about this one. */
export function concernedEntity(id: string, facts: Pick<Rendering, "delivered" | "naming">): AuditEntity {
  const entity = patientEntity(id, facts.naming);
  return isDelivered(id, facts) ? entity : { ...entity, detail: NOT_DELIVERED };
}

export function isDelivered(patient: string, { delivered }: Pick<Rendering, "delivered">): boolean {
  return delivered?.has(patient) !== false;
}

/** Read back by it; the figures of use (CMS-0057-F) count what an answer held. */
export const DELIVERED = "delivered";
const NOT_DELIVERED = [{ type: DELIVERED, valueString: "false" }];

/**
 * The search, in BALP's base64, built from what an access record holds: the names of the parameters, never their values.
 * `what`, `lifecycle` and `detail` may not stand here.
 */
function queryEntity({ method, resourceType, parameters }: AccessRecord): AuditEntity {
  const names = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return searchFor(`${method} ${resourceType ?? ""}${names}`);
}

const searchFor = common(
  (words): AuditEntity => ({
    type: SYSTEM_OBJECT,
    role: QUERY_ROLE,
    description: "parameter names only, values are not recorded",
    query: Buffer.from(words).toString("base64"),
  }),
);

/** Ties the events of one request together and says what the controls decided. */
export function transactionEntity(record: AccessRecord, naming: Naming, options: Circumstances): AuditEntity {
  return {
    what: { identifier: { value: record.requestId } },
    type: REQUEST_ID,
    detail: requestDetails(record, naming, options),
  };
}

/** The same for an entry of a batch, by its place in it. */
export function entryEntity(
  { requestId, method, status, operation, parameters }: AccessRecord,
  at: number,
): AuditEntity {
  const detail: Detail[] = [];
  add(detail, "entry", at);
  addCommon(detail, "method", method);
  addCommon(detail, "status", status);
  addCommon(detail, "operation", operation);
  add(detail, "parameters", parameters.join("&"));
  return { what: { identifier: { value: requestId } }, type: REQUEST_ID, detail };
}

type Circumstances = Pick<RenderOptions, "locate" | "followsUp">;

function requestDetails(record: AccessRecord, naming: Naming, { locate, followsUp }: Circumstances): Detail[] {
  const { principal, forwardedAddress, peerAddress, clientCertificate } = record;
  const detail: Detail[] = [];
  add(detail, "follows-up", followsUp);
  addCommon(detail, "method", record.method);
  addCommon(detail, "status", record.status);
  add(detail, "latency-ms", Math.round(record.latencyMs * 1000) / 1000);
  add(detail, "request-bytes", record.requestBytes);
  add(detail, "response-bytes", record.responseBytes);
  addCommon(detail, "zone", record.zone);
  addCommon(detail, "api-type", record.apiType);
  addCommon(detail, "route", record.routeId);
  addCommon(detail, "operation", record.operation);
  add(detail, "parameters", record.parameters.join("&"));
  if (unnamed(record) > 0) add(detail, "further-patients", unnamed(record));
  addCommon(detail, "policy-version", record.policyVersion);
  addCommon(detail, "upstream", record.upstream);
  add(detail, "cache-status", (record as AccessRecord & Cached).cacheStatus?.slice(0, LONGEST_CACHE_STATUS));
  addCommon(detail, "tenant", principal?.tenant);
  addScopes(detail, principal?.scopes ?? NO_SCOPES);
  add(detail, "peer-address", forwardedAddress === undefined ? undefined : peerAddress);
  if (clientCertificate !== undefined) {
    const { subject } = clientCertificate;
    const isDevice = principal?.clientId === undefined;
    add(detail, "certificate-subject", isDevice ? naming.text("certificate", subject) : subject);
  }
  const address = forwardedAddress ?? peerAddress;
  const place = address === undefined ? undefined : locate?.(address);
  add(detail, "country", place?.country);
  add(detail, "region", place?.region);
  add(detail, "network", place?.network);
  add(detail, "correlation-id", record.correlationId);
  add(detail, "traceparent", record.traceparent);
  for (const decision of record.decisions) detail.push(decisionDetail(decision));
  return detail;
}

function decisionDetail(decision: ControlDecision): Detail {
  const known = DECISIONS.get(decision);
  if (known !== undefined) return known;
  const { control, kind, code, because } = decision;
  const why = because.join("; ");
  const valueString = code === undefined ? `${control} ${kind}: ${why}` : `${control} ${kind} ${code}: ${why}`;
  const detail: Detail = { type: "decision", valueString };
  if (isStanding(decision)) DECISIONS.set(decision, constant(detail));
  return detail;
}

const DECISIONS = new WeakMap<ControlDecision, Detail>();

/** The answer's `Cache-Status` (RFC 9211), beside a record: most answers have come through no cache. */
export interface Cached {
  readonly cacheStatus?: string;
}
const LONGEST_CACHE_STATUS = 256;

type Detail = NonNullable<AuditEntity["detail"]>[number];

/** Adds a fact that is known. */
export function add(detail: Detail[], type: string, value: string | number | boolean | undefined): void {
  if (value !== undefined && value !== "") detail.push({ type, valueString: String(value) });
}

/** Adds a fact that many requests share. */
function addCommon(detail: Detail[], type: CommonFact, value: string | number | undefined): void {
  if (value !== undefined && value !== "") detail.push(COMMON[type](String(value)));
}

/** A remembered token has one list of scopes in all its records: however many they are, it is joined and written once. */
function addScopes(detail: Detail[], scopes: readonly string[]): void {
  if (scopes.length === 0) return;
  const known = SCOPES.get(scopes);
  if (known !== undefined) {
    detail.push(known);
    return;
  }
  const made = COMMON.scopes(scopes.join(" "));
  detail.push(made);
  if (Object.isFrozen(scopes)) SCOPES.set(scopes, Object.isFrozen(made) ? made : constant(made));
}

const NO_SCOPES: readonly string[] = Object.freeze([]);
const SCOPES = new WeakMap<readonly string[], Detail>();

const COMMON_FACTS = [
  "method",
  "status",
  "zone",
  "api-type",
  "route",
  "operation",
  "policy-version",
  "upstream",
  "tenant",
  "scopes",
] as const;
type CommonFact = (typeof COMMON_FACTS)[number];
const COMMON = Object.fromEntries(
  COMMON_FACTS.map((type) => [type, common((valueString): Detail => ({ type, valueString }))]),
) as Readonly<Record<CommonFact, (value: string) => Detail>>;

export function tokenEntity(tokenId: string): AuditEntity {
  return { what: { identifier: { value: tokenUri(tokenId) } }, type: OAUTH_AGENT };
}

export function outcomeEntity(id: string): AuditEntity {
  return { what: { reference: `#${id}` }, type: OUTCOME_RESOURCE };
}

export function consentEntity(reference: string, naming: Naming): AuditEntity {
  return { what: naming.resource(reference), type: CONSENT_RESOURCE };
}

export function jobEntity(id: string): AuditEntity {
  return { what: { identifier: { value: id } }, type: SYSTEM_OBJECT, role: JOB_ROLE };
}
