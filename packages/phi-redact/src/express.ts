import { parseInteraction } from "@wardline/fhir-r4";
import { deny, type Interaction, type Problem } from "@wardline/policy-types";
import {
  addTransform,
  announcesBody,
  type BodyVerdict,
  contextOf,
  type Json,
  KEEP,
  readBody,
  recordDecision,
  requestTarget,
  sendProblem,
} from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import type { ConsentView } from "./categories/rules.ts";
import { decideLens, decideRequest, type Lens, mayCarryNotice, redactBody } from "./decide.ts";
import { readFacts } from "./facts.ts";
import type { JsonPathRule } from "./json/rules.ts";
import { redactJson } from "./json/walk.ts";
import { isManifest } from "./manifest.ts";
import { type ParsedOptions, type PhiRedactOptions, parseOptions } from "./options.ts";
import { writes } from "./partial.ts";
import { prepare } from "./prepare.ts";
import { ANSWER_UNJUDGEABLE, BODY_UNREADABLE, ERROR_WITHHELD, NOT_AVAILABLE } from "./problems.ts";
import { UnjudgeableError } from "./walk/context.ts";

const CONTROL = "phi-redact";

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

  return async function phiRedactMiddleware(req, res, next) {
    let goesOn: boolean;
    try {
      goesOn =
        settings.json === undefined
          ? await handleFhir(req, res, settings)
          : handleJson(req, res, settings.json, settings);
    } catch (error) {
      // Express 4 does not carry a rejection to the error handler.
      next(error);
      return;
    }
    if (goesOn) next();
  };
}

async function handleFhir(req: Request, res: Response, settings: ParsedOptions): Promise<boolean> {
  const context = contextOf(req);
  const lensed = decideLens(readFacts(context), settings);
  if (lensed.kind === "deny") return refuse(req, res, lensed.problem, lensed.because);
  const lens = lensed.grant;

  const read = WRITING.has(req.method) ? await readBody(req, { limitBytes: settings.requestBytes }) : undefined;
  if (read?.kind === "deny") return refuse(req, res, read.problem, read.because);
  const body = read?.grant;
  const interaction = context.interaction ?? nameInteraction(req, body?.json, body?.form, settings);
  context.interaction ??= interaction;

  if (body?.json === undefined && writes(interaction) && interaction.type !== "Binary" && announcesBody(req)) {
    return refuse(req, res, BODY_UNREADABLE, ["the body is not JSON"]);
  }
  const asked = decideRequest(interaction, body?.json, lens, settings);
  if (asked.kind === "deny") return refuse(req, res, asked.problem, asked.because);

  const prepared = await prepare(lens, settings);
  if (prepared.kind === "deny") return refuse(req, res, prepared.problem, prepared.because);
  judgeAnswer(req, res, lens, prepared.grant, settings);
  recordDecision(req, { control: CONTROL, kind: "permit", because: lensed.because });
  return true;
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

function judgeAnswer(
  req: Request,
  res: Response,
  lens: Lens,
  consent: ConsentView | undefined,
  settings: ParsedOptions,
): void {
  const replacesIds = changesIds(lens);
  let isNoticed = false;
  const onNotice = (): void => {
    isNoticed = true;
  };
  addTransform(res, {
    name: CONTROL,
    stage: "redact",
    json(body, { status, unit }) {
      try {
        if (isManifest(body, contextOf(req).interaction)) return KEEP;
        const after = redactBody(body, lens, consent, settings, onNotice);
        if (after === body) return KEEP;
        if (after !== undefined) return { kind: "replace", body: after };
        return unit === "line" ? { kind: "drop" } : withhold(req, NOT_AVAILABLE, "nothing of the answer may leave");
      } catch (error) {
        const isFault = status >= 400 && error instanceof UnjudgeableError;
        if (isFault) return withhold(req, { ...ERROR_WITHHELD, status }, "an error that is no OperationOutcome");
        return withhold(req, ANSWER_UNJUDGEABLE, "S12: the answer cannot be judged");
      }
    },
    opaque: ({ status }) =>
      status >= 400
        ? withhold(req, { ...ERROR_WITHHELD, status }, "an error that is no OperationOutcome")
        : withhold(req, ANSWER_UNJUDGEABLE, "S12: the answer is not JSON"),
    headers: ({ unit }) => ({
      // The head of a stream leaves before anybody has seen what is in it.
      ...(isNoticed || (unit === "line" && mayCarryNotice(lens)) ? { [NOTICE_HEADER]: PART_2_NOTICE } : {}),
      ...(settings.intermediary === undefined ? {} : { "X-Intermediary": settings.intermediary }),
      ...(replacesIds ? { Location: undefined, "Content-Location": undefined } : {}),
    }),
  });
}

/** No standard names a header for it. @see 42 CFR 2.32(b) */
const NOTICE_HEADER = "X-Part2-Notice";
const PART_2_NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

/** Their URLs would tell the id that the body does not. */
function changesIds({ choice: { machine } }: Lens): boolean {
  const state = machine.root("Basic");
  return state !== undefined && state !== "drop" && machine.step(state, "id")?.kind !== "keep";
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

function withhold(req: Request, problem: Problem, because: string): BodyVerdict {
  recordDecision(req, { control: CONTROL, kind: "deny", because: [because], code: problem.code });
  return { kind: "refuse", problem };
}

function refuse(req: Request, res: Response, problem: Problem, because: readonly string[]): false {
  const decision = deny(problem, because);
  recordDecision(req, { control: CONTROL, kind: "deny", because: decision.because, code: problem.code });
  sendProblem(res, problem);
  return false;
}
