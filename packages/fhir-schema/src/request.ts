import type { IncomingMessage } from "node:http";
import { parseInteraction } from "@wardline/fhir-r4";
import { type Decision, deny, type Interaction, permit, type Reasons, type SearchQuery } from "@wardline/policy-types";
import { announcesBody, contextOf, type RequestTarget, requestTarget } from "@wardline/policy-types/express";
import { type FhirBody, readFhirBody } from "./body.ts";
import { hasOneContentType } from "./content-type.ts";
import { isServed } from "./decide.ts";
import { acceptsJson, type BodyUse, bodyUse, isBodyType } from "./media.ts";
import { isOfVersion, type MediaType, parseMediaType } from "./media-version.ts";
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
  readonly body: FhirBody | undefined;
  readonly bodyUse: BodyUse;
}

/** What a request says before its body is read. */
interface Head {
  readonly target: RequestTarget;
  /** The media type of its body; undefined when it announces none. */
  readonly media: MediaType | undefined;
}

/**
 * Everything that is decided before the content is looked at: media types, bytes, what is asked, and of which type. At once
 * when there is no body to read.
 */
export function readRequest(req: IncomingMessage, settings: ParsedOptions): Decision<Asked> | Promise<Decision<Asked>> {
  const target = targetOf(req);
  if (target === undefined) return deny(INTERACTION_UNKNOWN, ["the URL was changed before"]);
  if (!announcesBody(req)) return decideForm(req, { target, media: undefined }, undefined, settings);
  if (!METHODS_WITH_BODY.has(req.method ?? "")) return deny(BODY_UNEXPECTED, ["a body where R4 has none"]);
  const media = parseMediaType(req.headers["content-type"] ?? "");
  if (!readsBody(req, target, settings)) return decideForm(req, { target, media }, undefined, settings);
  if (!hasOneContentType(req) || !isBodyType(media)) {
    return deny(MEDIA_TYPE_UNSUPPORTED, ["no media type of FHIR, or not exactly one"]);
  }
  return readWithBody(req, { target, media }, settings);
}

const METHODS_WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

async function readWithBody(req: IncomingMessage, head: Head, settings: ParsedOptions): Promise<Decision<Asked>> {
  const read = await readFhirBody(req, settings);
  return read.kind === "deny" ? read : decideForm(req, head, read.grant, settings);
}

function decideForm(
  req: IncomingMessage,
  head: Head,
  body: FhirBody | undefined,
  settings: ParsedOptions,
): Decision<Asked> {
  const context = contextOf(req);
  const { query } = head.target;
  const interaction = context.interaction ?? nameInteraction(req, head, body, settings);
  const use = namesOtherVersion(head, settings) ? undefined : useOf(head, interaction, body);
  if (use === undefined) return deny(MEDIA_TYPE_UNSUPPORTED, ["the interaction takes no such body"]);
  if (interaction.code === "unknown") {
    return deny(INTERACTION_UNKNOWN, [interaction.unknownBecause ?? "the interaction is not known"]);
  }
  context.interaction ??= interaction;
  const isRead = interaction.search !== undefined || query === "";
  // A question mark at the front is part of the first name, which URLSearchParams would drop.
  const pairs = isRead ? NO_PAIRS : [...new URLSearchParams(`&${query}`)];
  if (!isServed(interaction, settings)) return deny(TYPE_NOT_SERVED, ["the type is not on the list"]);
  if (!isAcceptable(req, interaction, pairs, settings))
    return deny(NOT_ACCEPTABLE, ["no FHIR JSON in Accept or _format"]);
  if (use === "none" && NEEDS_BODY.has(interaction.code) && readsBody(req, head.target, settings)) {
    return deny(BODY_MISSING, ["the interaction needs a body"]);
  }
  return permit({ interaction, pairs, body, bodyUse: use }, WELL_FORMED);
}

const NEEDS_BODY: ReadonlySet<string> = new Set(["create", "update", "patch", "batch", "transaction"]);
const NO_PAIRS: SearchQuery["pairs"] = Object.freeze([]);
const WELL_FORMED: Reasons = Object.freeze(["the request is well-formed"]);

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
  { target: { path, query }, media }: Head,
  body: FhirBody | undefined,
  { baseUrls }: ParsedOptions,
): Interaction {
  const form = body?.form ?? (media === undefined ? "" : undefined);
  const request = { method: req.method ?? "", path, query, headers: req.headers };
  return parseInteraction(
    { ...request, ...(form === undefined ? {} : { form }), ...(body?.json === undefined ? {} : { body: body.json }) },
    { baseUrls },
  );
}

/** With resources off, a body is read only where the interaction cannot be named without it. */
function readsBody(req: IncomingMessage, { path }: RequestTarget, { resources }: ParsedOptions): boolean {
  return resources !== "off" || (req.method === "POST" && (path === "" || path === "/" || isSearchPath(path)));
}

function isSearchPath(path: string): boolean {
  return /\/_search\/?$/.test(path);
}

/** Undefined: the interaction cannot consume this body. */
function useOf({ target, media }: Head, interaction: Interaction, body: FhirBody | undefined): BodyUse | undefined {
  if (body === undefined || body.isEmpty) return "none";
  const use = media === undefined ? undefined : bodyUse(media, interaction, isSearchPath(target.path));
  // An earlier parser may have left nothing that can be judged.
  if (use === "form") return body.form === undefined ? undefined : use;
  return body.json === undefined ? undefined : use;
}

/** Whether or not the body is read: nobody behind here could. */
function namesOtherVersion({ media }: Head, { fhirVersion }: ParsedOptions): boolean {
  return media !== undefined && !isOfVersion(media, fhirVersion);
}

/** Binary is delivered in its own media type. @see https://hl7.org/fhir/R4/binary.html#rest */
function isAcceptable(
  req: IncomingMessage,
  { type, search }: Interaction,
  pairs: SearchQuery["pairs"],
  { fhirVersion }: ParsedOptions,
): boolean {
  if (type === "Binary") return true;
  const format = (search?.pairs ?? pairs).find(isFormat)?.[1];
  return acceptsJson(req.headers.accept, format, fhirVersion);
}

function isFormat(pair: SearchQuery["pairs"][number]): boolean {
  return pair[0] === "_format";
}
