import { type Decision, deny, type Interaction, permit } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Access, ForwardedWrite } from "./access.ts";
import { type AccessFacts, decideAccess, offeredFault } from "./decide.ts";
import { forwardedUrl } from "./forward.ts";
import { BODY_MISMATCH, BUNDLE_TOO_LONG, TRANSACTION_REFUSED } from "./problems.ts";
import { isObject, type JsonObject, objectsOf } from "./resource.ts";

/** A batch or transaction whose permitted entries may be forwarded. */
export interface BundleAccess {
  readonly interaction: Interaction;
  /** One per entry, in order. */
  readonly entries: readonly Decision<Access>[];
  /** The Bundle to forward: refused entries left out, permitted ones narrowed; the very one given when nothing changed. Absent: no entry is left. */
  readonly forwarded?: JsonObject;
}

const ENTRY_LIMIT = 100;

/**
 * Decides a batch or transaction entry by entry, each as the request it stands for (A11). One refused entry refuses the
 * whole transaction; a batch goes on without it.
 *
 * @see https://hl7.org/fhir/R4/http.html#transaction
 */
export async function decideBundle(facts: AccessFacts): Promise<Decision<BundleAccess>> {
  const { interaction, body, route } = facts;
  const refused = offeredFault(interaction, route) ?? facts.rule?.(interaction);
  if (refused !== undefined) return refused;
  if (interaction.entries.length > ENTRY_LIMIT) return deny(BUNDLE_TOO_LONG, ["more than 100 entries"]);
  const given = isObject(body) ? objectsOf(body["entry"]) : undefined;
  if (!isObject(body) || given?.length !== interaction.entries.length)
    return deny(BODY_MISMATCH, ["entries unreadable"]);

  const entries = await Promise.all(
    interaction.entries.map(async (entry, at) =>
      decideAccess({ ...facts, interaction: entry.interaction, ...submittedBy(given[at] ?? {}) }),
    ),
  );
  const denied = entries.filter(({ kind }) => kind === "deny");
  const because = [`${entries.length - denied.length} of ${entries.length} entries permitted`];
  if (interaction.code === "transaction" && denied.length > 0) {
    return deny(TRANSACTION_REFUSED, [...because, ...denied.flatMap((entry) => entry.because)]);
  }
  const forwarded = forwardedBundle(body, given, entries);
  return permit({ interaction, entries, ...(forwarded === undefined ? {} : { forwarded }) }, because);
}

function submittedBy({ resource, request }: JsonObject): Pick<AccessFacts, "body" | "ifMatch"> {
  const ifMatch = isObject(request) ? request["ifMatch"] : undefined;
  return { body: resource, ifMatch: typeof ifMatch === "string" ? ifMatch : undefined };
}

function forwardedBundle(
  bundle: JsonObject,
  given: readonly JsonObject[],
  decisions: readonly Decision<Access>[],
): JsonObject | undefined {
  const kept = decisions.flatMap((decision, at) => {
    const entry = given[at];
    return decision.kind === "permit" && entry !== undefined ? [forwardedEntry(entry, decision.grant)] : [];
  });
  if (kept.length === 0) return undefined;
  const unchanged = kept.length === given.length && kept.every((entry, at) => entry === given[at]);
  return unchanged ? bundle : { ...bundle, entry: kept };
}

/**
 * HEAD asks for what GET does without the body, and can only be judged by that body (RFC 9110 section 9.3.2). A condition that
 * lets the server answer 304 would tell of a record that nobody judged (A9).
 */
function forwardedEntry(entry: JsonObject, access: Access): JsonObject {
  const { request } = entry;
  if (!isObject(request) || typeof request["url"] !== "string") return entry;
  if (access.write !== undefined) return forwardedWrite(entry, request, access.write);
  const { method, ifNoneMatch, ifModifiedSince, ...rest } = request;
  const url = forwardedUrl(request["url"], access);
  const isReading = method === "GET" || method === "HEAD";
  const isAsJudged = method !== "HEAD" && (!isReading || (ifNoneMatch === undefined && ifModifiedSince === undefined));
  if (url === undefined && isAsJudged) return entry;
  const forwarded: Json = {
    ...(isReading ? { method: "GET", ...rest } : request),
    ...(url === undefined ? {} : { url }),
  };
  return { ...entry, request: forwarded };
}

/** The entry as it was judged: the one resource, the one version, and the condition that selects them. */
function forwardedWrite(entry: JsonObject, request: JsonObject, write: ForwardedWrite): JsonObject {
  const { method, url, ifMatch, ifNoneExist, body } = write;
  const { ifNoneExist: asked, ...rest } = request;
  const condition = ifNoneExist ?? asked;
  return {
    ...entry,
    ...(body === undefined ? {} : { resource: body }),
    request: {
      ...rest,
      ...(method === undefined ? {} : { method }),
      ...(url === undefined ? {} : { url }),
      ...(ifMatch === undefined ? {} : { ifMatch }),
      ...(condition === undefined || condition === "" ? {} : { ifNoneExist: condition }),
    },
  };
}
