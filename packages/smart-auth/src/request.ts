import type { IncomingMessage } from "node:http";
import { type InteractionRequest, parseInteraction } from "@wardline/fhir-r4";
import { type Decision, deny, type Interaction, permit } from "@wardline/policy-types";
import { announcesBody, type RequestBody, type RequestTarget, readBody } from "@wardline/policy-types/express";
import { INTERACTION_UNKNOWN, MEDIA_TYPE_UNSUPPORTED } from "./problems.ts";
import type { RouteSettings, SmartAuthSettings } from "./settings.ts";

/** S7: exactly `GET metadata`, and only where it is offered. */
export function publicInteraction(
  req: IncomingMessage,
  { path, query }: RequestTarget,
  { interactions }: RouteSettings,
): Interaction | undefined {
  if (req.method !== "GET" || path !== "/metadata" || announcesBody(req)) return undefined;
  const interaction = parseInteraction({ method: "GET", path, query });
  return interaction.code === "capabilities" && interactions.has("capabilities") ? interaction : undefined;
}

const NO_BODY_NEEDED = Object.freeze(["no body needed"]);
const BODY_READ = Object.freeze(["body read"]);
const WRITING: ReadonlySet<string> = new Set(["PUT", "PATCH", "DELETE"]);

export interface Asked {
  readonly interaction: Interaction;
  readonly body?: RequestBody;
}

/** Names the request, body included where the decision needs it. */
export function readInteraction(
  req: IncomingMessage,
  { path, query }: RequestTarget,
  settings: SmartAuthSettings,
): Decision<Asked> | Promise<Decision<Asked>> {
  const { method = "", headers } = req;
  const request = { method, path, query, headers };
  // R4 knows If-None-Match on reads alone. Here it would be lost, and what a client meant to create would be overwritten.
  if (WRITING.has(method) && headers["if-none-match"] !== undefined) {
    return deny(INTERACTION_UNKNOWN, ["If-None-Match on a write"]);
  }
  if (method !== "POST" && method !== "PUT" && method !== "PATCH") {
    // R4 has no bodies here; a server that reads one would act on what nobody judged.
    if (announcesBody(req)) return deny(INTERACTION_UNKNOWN, ["a body where R4 has none"]);
    return permit({ interaction: parseInteraction(request, settings.route) }, NO_BODY_NEEDED);
  }
  return readWithBody(req, request, settings);
}

function readWithBody(
  req: IncomingMessage,
  request: InteractionRequest,
  settings: SmartAuthSettings,
): Promise<Decision<Asked>> {
  return readBody(req, { limitBytes: settings.requestBodyBytes }).then((read) =>
    read.kind === "deny" ? read : nameWithBody(req, request, read.grant, settings),
  );
}

function nameWithBody(
  req: IncomingMessage,
  request: InteractionRequest,
  body: RequestBody,
  settings: SmartAuthSettings,
): Decision<Asked> {
  const form = body.form ?? (hasNoBody(req, body) ? "" : undefined);
  const { method, path, query, headers } = request;
  const interaction = parseInteraction({ method, path, query, headers, form, body: body.json }, settings.route);
  return mediaTypeFault(req, path, interaction, body) ?? permit({ interaction, body }, BODY_READ);
}

/** What cannot be read here cannot be judged; the one form R4 knows is that of a search. */
function mediaTypeFault(
  req: IncomingMessage,
  path: string,
  { code }: Interaction,
  body: RequestBody,
): Decision<never> | undefined {
  const isSearch = code === "search-type" || code === "search-system" || /\/_search\/?$/.test(path);
  const isReadable = isSearch
    ? body.json === undefined && (body.form !== undefined || hasNoBody(req, body))
    : body.json !== undefined;
  // A patch in another form (XML) is only for rights that do not look into it.
  if (code === "patch" || isReadable || (code === "operation" && hasNoBody(req, body))) return undefined;
  return deny(MEDIA_TYPE_UNSUPPORTED, ["the body is neither FHIR JSON nor the form of a search"]);
}

/** An earlier parser may have read a body and kept nothing of it that could be judged. */
function hasNoBody(req: IncomingMessage, { bytes, json, form }: RequestBody): boolean {
  if (json !== undefined || form !== undefined) return false;
  return bytes === undefined ? !announcesBody(req) : bytes.length === 0;
}
