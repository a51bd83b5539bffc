import type { IncomingMessage } from "node:http";
import { parseInteraction } from "@wardline/fhir-r4";
import { type Decision, deny, type Interaction, permit, type SearchQuery } from "@wardline/policy-types";
import {
  announcesBody,
  contextOf,
  type RequestBody,
  type RequestTarget,
  requestTarget,
} from "@wardline/policy-types/express";
import { readFhirBody } from "./body.ts";
import { hasOneContentType } from "./content-type.ts";
import { isServed } from "./decide.ts";
import { acceptsJson, type BodyUse, bodyUse, isBodyType } from "./media.ts";
import { isOfVersion, parseMediaType } from "./media-version.ts";
import type { ParsedOptions } from "./options.ts";
import {
  BODY_MISSING,
  BODY_UNEXPECTED,
  INTERACTION_UNKNOWN,
  MEDIA_TYPE_UNSUPPORTED,
  NOT_ACCEPTABLE,
  TYPE_NOT_SERVED,
} from "./problems.ts";

/** A request whose form allows it to be judged. */
export interface Asked {
  readonly interaction: Interaction;
  /** Decoded pairs of the URL, where the interaction does not hold them. */
  readonly pairs: SearchQuery["pairs"];
  readonly body: RequestBody | undefined;
  readonly bodyUse: BodyUse;
}

/** Everything that is decided before the content is looked at: media types, bytes, what is asked, and of which type. */
export async function readRequest(req: IncomingMessage, settings: ParsedOptions): Promise<Decision<Asked>> {
  const context = contextOf(req);
  const target = targetOf(req);
  if (target === undefined) return deny(INTERACTION_UNKNOWN, ["the URL was changed before"]);
  const read = await readBodyOf(req, target, settings);
  if (read.kind === "deny") return read;
  const body = read.grant;
  const interaction = context.interaction ?? nameInteraction(req, target, body, settings);
  const use = namesOtherVersion(req, settings) ? undefined : useOf(req, target, interaction, body);
  if (use === undefined) return deny(MEDIA_TYPE_UNSUPPORTED, ["the interaction takes no such body"]);
  if (interaction.code === "unknown") {
    return deny(INTERACTION_UNKNOWN, [interaction.unknownBecause ?? "the interaction is not known"]);
  }
  context.interaction ??= interaction;
  const isRead = interaction.search !== undefined || target.query === "";
  // A question mark at the front is part of the first name, which URLSearchParams would drop.
  const pairs = isRead ? [] : [...new URLSearchParams(`&${target.query}`)];
  if (!isServed(interaction, settings)) return deny(TYPE_NOT_SERVED, ["the type is not on the list"]);
  if (!isAcceptable(req, interaction, pairs, settings))
    return deny(NOT_ACCEPTABLE, ["no FHIR JSON in Accept or _format"]);
  if (use === "none" && NEEDS_BODY.has(interaction.code) && readsBody(req, target, settings)) {
    return deny(BODY_MISSING, ["the interaction needs a body"]);
  }
  return permit({ interaction, pairs, body, bodyUse: use }, read.because);
}

const NEEDS_BODY: ReadonlySet<string> = new Set(["create", "update", "patch", "batch", "transaction"]);

/**
 * Where an earlier control has named the interaction, the URL may since have been narrowed: then the client's own words
 * are those of the context.
 */
function targetOf(req: IncomingMessage): RequestTarget | undefined {
  const { interaction, originalUrl } = contextOf(req);
  if (interaction === undefined) return requestTarget(req);
  const mark = originalUrl.indexOf("?");
  return { path: interaction.path, query: mark < 0 ? "" : originalUrl.slice(mark + 1) };
}

function nameInteraction(
  req: IncomingMessage,
  { path, query }: RequestTarget,
  body: RequestBody | undefined,
  { baseUrls }: ParsedOptions,
): Interaction {
  const form = body?.form ?? (announcesBody(req) ? undefined : "");
  const request = { method: req.method ?? "", path, query, headers: req.headers };
  return parseInteraction(
    { ...request, ...(form === undefined ? {} : { form }), ...(body?.json === undefined ? {} : { body: body.json }) },
    { baseUrls },
  );
}

async function readBodyOf(
  req: IncomingMessage,
  target: RequestTarget,
  settings: ParsedOptions,
): Promise<Decision<RequestBody | undefined>> {
  if (!announcesBody(req)) return permit(undefined, ["no body"]);
  if (!METHODS_WITH_BODY.has(req.method ?? "")) return deny(BODY_UNEXPECTED, ["a body where R4 has none"]);
  if (!readsBody(req, target, settings)) return permit(undefined, ["body not read"]);
  const contentType = req.headers["content-type"];
  if (contentType === undefined || !hasOneContentType(req) || !isBodyType(contentType)) {
    return deny(MEDIA_TYPE_UNSUPPORTED, ["no media type of FHIR, or not exactly one"]);
  }
  return readFhirBody(req, settings);
}

const METHODS_WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** With resources off, a body is read only where the interaction cannot be named without it. */
function readsBody(req: IncomingMessage, { path }: RequestTarget, { resources }: ParsedOptions): boolean {
  return resources !== "off" || (req.method === "POST" && (path === "" || path === "/" || isSearchPath(path)));
}

function isSearchPath(path: string): boolean {
  return /\/_search\/?$/.test(path);
}

/** Undefined: the interaction cannot consume this body. */
function useOf(
  req: IncomingMessage,
  { path }: RequestTarget,
  interaction: Interaction,
  body: RequestBody | undefined,
): BodyUse | undefined {
  const isEmpty = body === undefined || (body.bytes?.length === 0 && body.json === undefined);
  if (isEmpty) return "none";
  const use = bodyUse(req.headers["content-type"] ?? "", interaction, isSearchPath(path));
  // An earlier parser may have left nothing that can be judged.
  if (use === "form") return body.form === undefined ? undefined : use;
  return body.json === undefined ? undefined : use;
}

/** Whether or not the body is read: nobody behind here could. */
function namesOtherVersion(req: IncomingMessage, { fhirVersion }: ParsedOptions): boolean {
  return announcesBody(req) && !isOfVersion(parseMediaType(req.headers["content-type"] ?? ""), fhirVersion);
}

/** Binary is delivered in its own media type. @see https://hl7.org/fhir/R4/binary.html#rest */
function isAcceptable(
  req: IncomingMessage,
  { type, search }: Interaction,
  pairs: SearchQuery["pairs"],
  { fhirVersion }: ParsedOptions,
): boolean {
  if (type === "Binary") return true;
  const format = (search?.pairs ?? pairs).find(([name]) => name === "_format")?.[1];
  return acceptsJson(req.headers.accept, format, fhirVersion);
}
