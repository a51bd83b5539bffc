import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessRecord, ControlDecision, EntryRecord } from "../access-record.ts";
import type { Interaction, SearchQuery } from "../interaction.ts";
import type { Principal } from "../principal.ts";
import { type EntryContext, hasPermitted, type RequestContext } from "./context.ts";

type Growing<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** What of a record is the same however the request ends, with what it was made from. */
export interface RecordParts {
  readonly context: RequestContext;
  readonly interaction: Interaction | undefined;
  readonly known: Principal | undefined;
  readonly parameters: readonly string[];
  readonly patients: readonly string[];
  readonly delivered: AccessRecord["delivered"];
  readonly principal: AccessRecord["principal"];
  readonly decisions: readonly ControlDecision[];
  /** Number of patients the context had noted; it only grows. */
  readonly noted: number;
}

/** Takes over what has not changed: a record is asked for when the answer is ready, and again when it has ended. */
export function recordParts(context: RequestContext, before: RecordParts | undefined): RecordParts {
  const { interaction, principal: known, decisions } = context;
  const sameRequest = before !== undefined && before.interaction === interaction;
  const noted = context.patients.size;
  const patients = sameRequest && before.noted === noted ? before.patients : Object.freeze(patientsOf(context));
  return {
    context,
    interaction,
    known,
    parameters: sameRequest ? before.parameters : Object.freeze(parameterNames(interaction)),
    patients,
    delivered: deliveredOf(context, patients),
    principal: before !== undefined && before.known === known ? before.principal : principalOf(known),
    decisions: before?.decisions.length === decisions.length ? before.decisions : Object.freeze([...decisions]),
    noted,
  };
}

/** The finished (or ready) request as one frozen value without PHI. */
export function accessRecord(
  res: ServerResponse,
  { context, interaction, parameters, patients, delivered, principal, decisions }: RecordParts,
  end: { readonly completed: boolean; readonly responseBytes: number | undefined },
): AccessRecord {
  const { req } = res;
  const record: Growing<AccessRecord> = {
    requestId: context.requestId,
    receivedAt: context.receivedAt,
    latencyMs: performance.now() - context.startedAt,
    method: context.method,
    interaction: interaction?.code ?? "unknown",
    parameters,
    patients,
    decisions,
    outcome: context.problem === undefined ? "permit" : "deny",
    status: res.statusCode,
    completed: end.completed,
    requestBytes: context.body?.bytes?.length ?? (Number(req.headers["content-length"] ?? 0) || 0),
  };
  set(record, "delivered", delivered);
  set(record, "correlationId", context.correlationId);
  set(record, "traceparent", context.traceparent);
  set(record, "zone", context.zone);
  set(record, "apiType", context.apiType);
  set(record, "routeId", context.route?.id);
  set(record, "policyVersion", context.policyVersion);
  set(record, "operation", operationOf(req, interaction));
  set(record, "resourceType", interaction?.type);
  set(record, "resource", resourceOf(interaction, res.statusCode, res.getHeader("location")));
  set(record, "principal", principal);
  set(record, "peerAddress", context.transport.peerAddress);
  set(record, "forwardedAddress", context.clientAddress);
  set(record, "clientCertificate", certificateOf(context));
  set(record, "problem", context.problem?.code);
  set(record, "responseBytes", end.responseBytes);
  set(record, "upstream", context.upstream);
  set(record, "signIn", context.signIn);
  set(record, "entries", entriesOf(context, res.statusCode));
  return Object.freeze(record);
}

/** Member by member: copying with spread costs several times as much. */
function set<Target extends object, Key extends keyof Target>(
  target: Target,
  key: Key,
  value: Target[Key] | undefined,
): void {
  if (value !== undefined) target[key] = value;
}

/** Until a control has permitted the operation its name may be anything a client typed (A14). */
function operationOf(req: IncomingMessage, interaction: Interaction | undefined): string | undefined {
  const operation = interaction?.operation?.name;
  return operation !== undefined && hasPermitted(req, "smart-auth") ? operation : undefined;
}

/** The resource the request named, or the one its answer says it made. */
function resourceOf(
  interaction: Interaction | undefined,
  status: number,
  location: ReturnType<ServerResponse["getHeader"]>,
): string | undefined {
  if (interaction?.type === undefined) return undefined;
  if (interaction.id !== undefined) return `${interaction.type}/${interaction.id}`;
  if (interaction.code !== "create" || status !== 201) return undefined;
  const [, type, id] = CREATED.exec(String(location ?? "")) ?? [];
  return type === interaction.type && id !== undefined ? `${type}/${id}` : undefined;
}

/** @see https://hl7.org/fhir/R4/http.html#create */
const CREATED = /\/([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/;

/** A name R4 does not define may be anything a client typed, so it is not repeated (A14). */
function parameterNames(interaction: Interaction | undefined): readonly string[] {
  if (interaction?.search === undefined && interaction?.condition === undefined) return NONE;
  const names = new Set<string>();
  for (const query of [interaction?.search, interaction?.condition] as (SearchQuery | undefined)[]) {
    if (query === undefined) continue;
    for (const criterion of query.criteria) names.add(criterion.known ? criterion.raw : "(unknown)");
    for (const include of query.includes) names.add(`_${include.kind}`);
    for (const control of query.control) names.add(control.name);
    if (query.sort.length > 0) names.add("_sort");
  }
  return [...names];
}

function patientsOf({ patients, interaction }: Pick<RequestContext, "patients" | "interaction">): string[] {
  const found = [...patients];
  const named = interaction?.type === "Patient" ? interaction.id : undefined;
  if (named !== undefined && !patients.has(named)) found.push(named);
  const { type, id } = interaction?.compartment ?? {};
  if (type === "Patient" && id !== undefined && id !== named && !patients.has(id)) found.push(id);
  return found;
}

const NONE: readonly string[] = Object.freeze([]);

function deliveredOf(
  { delivered }: Pick<RequestContext, "delivered">,
  patients: readonly string[],
): AccessRecord["delivered"] {
  return delivered === undefined || delivered.size === patients.length ? undefined : Object.freeze([...delivered]);
}

/** Of a batch that was refused before its handler nothing was asked of anybody. */
function entriesOf({ entries, problem }: RequestContext, status: number): AccessRecord["entries"] {
  if (entries === undefined || (problem !== undefined && !MAY_BE_DONE.has(status))) return undefined;
  return Object.freeze(entries.map((entry) => entryRecord(entry, { status, code: problem?.code })));
}

/** The refusals that come when a handler was asked, and may have done what it was asked. */
const MAY_BE_DONE: ReadonlySet<number> = new Set([500, 502, 504]);

/** @param whole how the batch ended: where it was refused, what was asked of the handler was answered so as well */
function entryRecord(entry: EntryContext, whole: { readonly status: number; readonly code: string | undefined }) {
  const { method, interaction, isPermitted, location } = entry;
  const isRefusedWhole = whole.code !== undefined && isPermitted;
  const { problem, status = whole.status } = isRefusedWhole ? { problem: whole.code } : entry;
  const patients = Object.freeze(patientsOf(entry));
  const record: Growing<EntryRecord> = {
    method,
    interaction: interaction.code,
    parameters: Object.freeze(parameterNames(interaction)),
    patients,
    outcome: problem === undefined ? "permit" : "deny",
    status,
  };
  set(record, "delivered", deliveredOf(entry, patients));
  // A14: a name that nobody permitted may be anything a client typed.
  set(record, "operation", isPermitted ? interaction.operation?.name : undefined);
  set(record, "resourceType", interaction.type);
  set(record, "resource", resourceOf(interaction, status, location));
  set(record, "problem", problem);
  return Object.freeze<EntryRecord>(record);
}

/** A remembered token has one principal in all its requests, and one part in all their records. */
function principalOf(known: Principal | undefined): AccessRecord["principal"] {
  if (known === undefined) return undefined;
  const remembered = PRINCIPALS.get(known);
  if (remembered !== undefined) return remembered;
  const { issuer, subject, roles, purposeOfUse, scopes } = known;
  const principal: Growing<NonNullable<AccessRecord["principal"]>> = { issuer, subject, roles, purposeOfUse, scopes };
  set(principal, "clientId", known.clientId);
  set(principal, "organisation", known.organisation);
  set(principal, "device", known.device);
  set(principal, "fhirUser", known.fhirUser);
  set(principal, "tokenId", known.tokenId);
  set(principal, "tenant", known.tenant);
  if (Object.isFrozen(known)) PRINCIPALS.set(known, Object.freeze(principal));
  return Object.freeze(principal);
}

const PRINCIPALS = new WeakMap<Principal, NonNullable<AccessRecord["principal"]>>();

function certificateOf(context: RequestContext): AccessRecord["clientCertificate"] {
  const certificate = context.transport.clientCertificate;
  return certificate && { subject: certificate.subject, fingerprint256: certificate.fingerprint256 };
}
