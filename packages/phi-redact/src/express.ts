import { parseInteraction } from "@wardline/fhir-r4";
import { type Decision, deny, type Interaction, type Permit, type Problem } from "@wardline/policy-types";
import {
  addTransform,
  announcesBody,
  closing,
  contextOf,
  type Json,
  KEEP,
  leaveOut,
  type RequestBody,
  readBody,
  recordDecision,
  requestTarget,
  sendProblem,
} from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { AnswerRedaction, CONTROL } from "./answer-redaction.ts";
import type { ConsentView } from "./categories/rules.ts";
import { decideLens, decideRequest, type Lens } from "./decide.ts";
import { readFacts } from "./facts.ts";
import type { JsonPathRule } from "./json/rules.ts";
import { redactJson } from "./json/walk.ts";
import { type ParsedOptions, type PhiRedactOptions, parseOptions } from "./options.ts";
import { writes } from "./partial.ts";
import { prepare } from "./prepare.ts";
import { BODY_UNREADABLE, PARTS_ASKED } from "./problems.ts";
import { type Asking, asksForParts, partsAsked } from "./profile/parts.ts";

/**
 * Lets a handler's answer leave with the least data that serves the caller: every resource in it, at any depth, under the
 * profile chosen for the caller. Mount it at the FHIR base, behind smart-auth where there is one; or with `json` rules on a
 * route of plain JSON.
 *
 * Refuses a request that would learn what the answer withholds (A1), a partial resource written back, and an answer that
 * cannot be judged (S12). Does NOT decide who the caller is or whether the resource is theirs to read.
 *
 * @throws {ConfigurationError} for a mistake in the options or in a profile
 */
export function phiRedact(options: PhiRedactOptions): RequestHandler {
  const settings = parseOptions(options);

  return closing(function phiRedactMiddleware(req, res, next) {
    const goOn = (goesOn: boolean): void => {
      if (goesOn) next();
    };
    let goesOn: boolean | Promise<boolean>;
    try {
      goesOn =
        settings.json === undefined ? handleFhir(req, res, settings) : handleJson(req, res, settings.json, settings);
    } catch (error) {
      next(error);
      return;
    }
    // Express 4 does not carry a rejection to the error handler.
    return goesOn instanceof Promise ? goesOn.then(goOn, next) : goOn(goesOn);
  });
}

/** Whether the request goes on; a promise where a body has to be read, or keys or consents fetched. */
function handleFhir(req: Request, res: Response, settings: ParsedOptions): boolean | Promise<boolean> {
  const context = contextOf(req);
  const lensed = decideLens(readFacts(context), settings);
  if (lensed.kind === "deny") return refuse(req, res, lensed.problem, lensed.because);
  return WRITING.has(req.method)
    ? handleWrite(req, res, lensed, settings)
    : handleKnown(req, res, lensed, undefined, settings);
}

async function handleWrite(
  req: Request,
  res: Response,
  lensed: Permit<Lens>,
  settings: ParsedOptions,
): Promise<boolean> {
  const read = await readBody(req, { limitBytes: settings.requestBytes });
  if (read.kind === "deny") return refuse(req, res, read.problem, read.because);
  return handleKnown(req, res, lensed, read.grant, settings);
}

function handleKnown(
  req: Request,
  res: Response,
  { grant: lens, because }: Permit<Lens>,
  body: RequestBody | undefined,
  settings: ParsedOptions,
): boolean | Promise<boolean> {
  const context = contextOf(req);
  const interaction = context.interaction ?? nameInteraction(req, body?.json, body?.form, settings);
  context.interaction ??= interaction;
  if (body?.json === undefined && writes(interaction) && interaction.type !== "Binary" && announcesBody(req)) {
    return refuse(req, res, BODY_UNREADABLE, ["the body is not JSON"]);
  }
  const asked = decideRequest(interaction, body?.json, lens, settings);
  if (asked.kind === "deny") return refuse(req, res, asked.problem, asked.because);
  if (lens.rules.length > 0) {
    if (settings.leavesPartsOut) leavePartsOut(req, body);
    if (asksForParts(askingOf(req, body))) {
      return refuse(req, res, PARTS_ASKED, ["S12: parts of resources, of which no category can be told"]);
    }
  }

  const judge = (prepared: Decision<ConsentView | undefined>): boolean => {
    if (prepared.kind === "deny") return refuse(req, res, prepared.problem, prepared.because);
    addTransform(res, new AnswerRedaction(req, lens, prepared.grant, settings));
    recordDecision(req, { control: CONTROL, kind: "permit", because });
    return true;
  };
  const prepared = prepare(lens, settings);
  return prepared instanceof Promise ? prepared.then(judge) : judge(prepared);
}

/** R4 search.html#elements: a server may give more than was asked for. */
function leavePartsOut(req: Request, body: RequestBody | undefined): void {
  const { url, form } = askingOf(req, body);
  const names = partsAsked(url, form);
  if (names.length > 0) leaveOut(req, names);
}

/** What the handler is to see. */
function askingOf(req: Request, body: RequestBody | undefined): Asking {
  const { rewritten = {} } = contextOf(req);
  return {
    url: rewritten.url ?? req.url,
    form: rewritten.form ?? body?.form,
    body: rewritten.body ?? body?.json,
  };
}

const WRITING: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

function nameInteraction(
  req: Request,
  body: Json | undefined,
  form: string | undefined,
  { baseUrls }: ParsedOptions,
): Interaction {
  const target = requestTarget(req);
  const read = form ?? (announcesBody(req) ? undefined : "");
  return parseInteraction(
    {
      method: req.method,
      // A URL that was changed before us is none we know.
      path: target?.path ?? "//",
      query: target?.query ?? "",
      headers: req.headers,
      ...(read === undefined ? {} : { form: read }),
      ...(body === undefined ? {} : { body }),
    },
    { baseUrls },
  );
}

function handleJson(req: Request, res: Response, rules: readonly JsonPathRule[], settings: ParsedOptions): boolean {
  contextOf(req).media = "json";
  addTransform(res, {
    name: CONTROL,
    stage: "redact",
    json(body) {
      const after = redactJson(body, rules, settings.pseudonymiser);
      return after === body ? KEEP : { kind: "replace", body: after };
    },
  });
  recordDecision(req, { control: CONTROL, kind: "permit", because: [`${rules.length} rules for plain JSON`] });
  return true;
}

function refuse(req: Request, res: Response, problem: Problem, because: readonly string[]): false {
  const decision = deny(problem, because);
  recordDecision(req, { control: CONTROL, kind: "deny", because: decision.because, code: problem.code });
  sendProblem(res, problem);
  return false;
}
