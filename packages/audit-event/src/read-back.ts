import type { AccessRecord, ControlDecision, EntryRecord, InteractionCode } from "@wardline/policy-types";
import { INTERACTION_SYSTEM, OAUTH_AGENT, ORGANISATION, PATTERNS } from "./balp/codes.ts";
import { DELIVERED } from "./balp/entities.ts";
import { BROKEN_OFF } from "./balp/outcome.ts";
import type { AuditAgent, AuditEntity, AuditEvent, Reference } from "./balp/resource.ts";
import { tokenIdOf } from "./balp/token.ts";

/**
 * Turns what a ledger holds back into access records, one for each request, for replaying a past day: the abuse monitor's
 * `simulate` takes them. Events that are not of requests are passed over, and so are the events that follow up on an answer.
 *
 * Names come back as they were stored: hashed ones stay hashed, the same for one patient everywhere. Does NOT verify the
 * ledger (`readLedger` does), nor know patients that came to light while a body was streamed (they stand in a follow-up),
 * more than a hundred patients of one entry of a batch, `fhirUser` where it was hashed, or certificates.
 */
export async function* accessRecordsOf(
  entries: AsyncIterable<{ readonly event: unknown }> | Iterable<{ readonly event: unknown }>,
): AsyncGenerator<AccessRecord, void> {
  let open: Open | undefined;
  for await (const { event } of entries) {
    const entry = open === undefined ? undefined : entryOf(event, open.requestId);
    if (open !== undefined && entry !== undefined) {
      open = { ...open, entries: [...(open.entries ?? []), entry] };
      continue;
    }
    const record = recordOf(event);
    if (record === undefined) continue;
    // The events of one request stand together, each with its patient.
    if (open !== undefined && isSameRequest(open, record)) {
      open = {
        ...open,
        patients: union(open.patients, record.patients),
        delivered: union(open.delivered, record.delivered),
      };
      continue;
    }
    if (open !== undefined) yield finished(open);
    open = record;
  }
  if (open !== undefined) yield finished(open);
}

/** A client may give all its requests one id: they differ in when they came and how long they took. */
function isSameRequest(a: AccessRecord, b: AccessRecord): boolean {
  return a.requestId === b.requestId && a.receivedAt === b.receivedAt && a.latencyMs === b.latencyMs;
}

type Open = AccessRecord & Required<Pick<AccessRecord, "delivered">>;

const union = (some: readonly string[], more: readonly string[]): readonly string[] => [...new Set([...some, ...more])];

/** As records are: of an answer that was about everybody, it is not said again. */
function finished({ delivered, ...record }: Open): AccessRecord {
  return Object.freeze(delivered.length === record.patients.length ? record : { ...record, delivered });
}

function recordOf(event: unknown): Open | undefined {
  const {
    resourceType,
    entity = [],
    agent = [],
    subtype = [],
    period,
    outcomeDesc,
  } = Object(event) as Partial<AuditEvent>;
  const request = entity.find(({ detail }) => detail?.some(({ type }) => type === "latency-ms") === true);
  const requestId = request?.what?.identifier?.value;
  if (resourceType !== "AuditEvent" || request === undefined || requestId === undefined) return undefined;
  const facts = factsOf(request);
  if (facts.has("follows-up") || period === undefined) return undefined;
  const interaction = interactionOf(subtype) ?? "unknown";
  const problem = problemOf(event as AuditEvent);
  const status = Number(facts.get("status"));
  const receivedAt = Date.parse(period.start);
  if (!Object.hasOwn(PATTERNS, interaction) || Number.isNaN(receivedAt)) return undefined;
  const data = dataOf(entity);
  return {
    requestId,
    receivedAt,
    latencyMs: Number(facts.get("latency-ms")),
    method: facts.get("method") ?? "",
    interaction,
    parameters: facts.get("parameters")?.split("&") ?? [],
    ...patientsOf(entity),
    decisions: decisionsOf(request),
    outcome: problem === undefined ? "permit" : "deny",
    status,
    completed: outcomeDesc?.startsWith(BROKEN_OFF) !== true,
    requestBytes: Number(facts.get("request-bytes") ?? 0),
    ...optional({
      correlationId: facts.get("correlation-id"),
      traceparent: facts.get("traceparent"),
      zone: facts.get("zone") as AccessRecord["zone"],
      apiType: facts.get("api-type"),
      routeId: facts.get("route"),
      policyVersion: facts.get("policy-version"),
      operation: facts.get("operation"),
      upstream: facts.get("upstream"),
      responseBytes: facts.has("response-bytes") ? Number(facts.get("response-bytes")) : undefined,
      problem,
      ...data,
      ...addressesOf(agent, facts),
      principal: principalOf(agent, facts),
    }),
  };
}

/** Of the request of this id, in the event of an entry; of what refused it there is another, which says nothing more. */
function entryOf(event: unknown, requestId: string): EntryRecord | undefined {
  const { entity = [], subtype = [] } = Object(event) as Partial<AuditEvent>;
  const request = entity.find(({ detail }) => detail?.some(({ type }) => type === "entry") === true);
  const interaction = interactionOf(subtype);
  if (request?.what?.identifier?.value !== requestId || interaction === undefined) return undefined;
  if (!Object.hasOwn(PATTERNS, interaction)) return undefined;
  const facts = factsOf(request);
  const problem = problemOf(event as AuditEvent);
  const { patients, delivered } = patientsOf(entity);
  return {
    method: facts.get("method") ?? "",
    interaction,
    parameters: facts.get("parameters")?.split("&") ?? [],
    patients,
    outcome: problem === undefined ? "permit" : "deny",
    status: Number(facts.get("status")),
    ...optional({
      operation: facts.get("operation"),
      problem,
      delivered: delivered.length === patients.length ? undefined : delivered,
      ...dataOf(entity),
    }),
  };
}

function interactionOf(subtype: AuditEvent["subtype"] | readonly never[]): InteractionCode | undefined {
  return subtype?.find(({ system }) => system === INTERACTION_SYSTEM)?.code as InteractionCode | undefined;
}

function patientsOf(entity: readonly AuditEntity[]): Required<Pick<AccessRecord, "patients" | "delivered">> {
  return {
    patients: entity.filter(isPatient).map(({ what }) => bareId(what)),
    delivered: entity.filter((one) => isPatient(one) && isDelivered(one)).map(({ what }) => bareId(what)),
  };
}

type Facts = ReadonlyMap<string, string>;

function factsOf({ detail = [] }: AuditEntity): Facts {
  return new Map(detail.map(({ type, valueString }) => [type, valueString]));
}

function decisionsOf({ detail = [] }: AuditEntity): ControlDecision[] {
  return detail.flatMap(({ type, valueString }) => {
    const [, control, kind, code, because = ""] = type === "decision" ? (DECISION.exec(valueString) ?? []) : [];
    if (control === undefined || kind === undefined) return [];
    const reasons = because === "" ? [] : because.split("; ");
    const decision = { control, kind, because: reasons, ...(code === undefined ? {} : { code }) };
    return [decision as ControlDecision];
  });
}

function problemOf({ contained = [] }: AuditEvent): string | undefined {
  for (const { issue } of contained as readonly { readonly issue?: readonly ContainedIssue[] }[]) {
    const code = issue?.[0]?.details?.coding?.[0]?.code;
    if (code !== undefined) return code;
  }
  return undefined;
}

interface ContainedIssue {
  readonly details?: { readonly coding?: readonly { readonly code?: string }[] };
}

function isPatient({ role }: AuditEntity): boolean {
  return role?.code === "1";
}

function isDelivered({ detail = [] }: AuditEntity): boolean {
  return !detail.some(({ type, valueString }) => type === DELIVERED && valueString === "false");
}

function dataOf(entity: readonly AuditEntity[]): Pick<AccessRecord, "resource" | "resourceType"> {
  const data = entity.find(({ role }) => role?.code === "4");
  const query = entity.find(({ role }) => role?.code === "24")?.query;
  if (query !== undefined) {
    const [, type = ""] = /^\S+ ([A-Za-z]*)/.exec(Buffer.from(query, "base64").toString()) ?? [];
    return type === "" ? {} : { resourceType: type };
  }
  if (data?.what === undefined) return optional({ resourceType: data?.name });
  const { reference, type, identifier } = data.what;
  const resource = reference ?? `${type ?? ""}/${identifier?.value ?? ""}`;
  return { resource, resourceType: resource.slice(0, resource.indexOf("/")) };
}

function bareId(what: Reference | undefined): string {
  return what?.identifier?.value ?? what?.reference?.slice("Patient/".length) ?? "";
}

function addressesOf(
  agent: readonly AuditAgent[],
  facts: Facts,
): { readonly peerAddress: string | undefined; readonly forwardedAddress: string | undefined } {
  const address = agent.find(({ network }) => network?.type === "2")?.network?.address;
  const peer = facts.get("peer-address");
  return { peerAddress: peer ?? address, forwardedAddress: peer === undefined ? undefined : address };
}

/** The client is the first agent, the user, if there is one, the requestor that has a subject. */
function principalOf(agent: readonly AuditAgent[], facts: Facts): AccessRecord["principal"] {
  const [client] = agent;
  const user = agent.find(({ requestor, who }) => requestor && who.identifier !== undefined);
  const named = user?.who.identifier;
  if (user === undefined || named === undefined) return undefined;
  const alone = user === client;
  const clientId = client?.who.identifier?.value;
  const [token] = user.policy ?? [];
  return {
    issuer: client?.who.identifier?.system ?? named.system ?? "",
    subject: named.value,
    roles: user.role?.flatMap(({ text }) => text ?? []) ?? [],
    purposeOfUse: user.purposeOfUse?.flatMap(({ coding }) => coding?.map(({ code }) => code) ?? []) ?? [],
    scopes: facts.get("scopes")?.split(" ") ?? [],
    ...optional({
      clientId: alone && isDevice(client) ? undefined : clientId,
      device: alone && isDevice(client) ? clientId : undefined,
      organisation: agent.find(({ type }) => type.coding?.[0]?.code === ORGANISATION.code)?.who.identifier?.value,
      fhirUser: user.who.reference,
      tokenId: token === undefined ? undefined : tokenIdOf(token),
      tenant: facts.get("tenant"),
    }),
  };
}

/** A client known by its id is an application besides; a device is not. */
function isDevice(client: AuditAgent | undefined): boolean {
  return client?.type.coding?.some(({ code }) => code === "110150" || code === OAUTH_AGENT.code) !== true;
}

type Known<Value> = { [Key in keyof Value]: Exclude<Value[Key], undefined> };

function optional<Value extends object>(value: Value): Partial<Known<Value>> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Partial<Known<Value>>;
}

const DECISION = /^([a-z-]+) (permit|deny)(?: ([a-z0-9-]+\/[a-z0-9-]+))?: (.*)$/s;
