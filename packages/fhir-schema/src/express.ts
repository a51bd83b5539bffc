import { deny, type Problem } from "@wardline/policy-types";
import {
  addTransform,
  contextOf,
  KEEP,
  leaveOut,
  prefersLenient,
  recordDecision,
  sendProblem,
} from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { answerIssues, bodyFindings, entryQueryFindings, queryFindings } from "./decide.ts";
import type { Finding } from "./findings.ts";
import { errorsFirst, hasError, isError } from "./issues.ts";
import { type CheckMode, type FhirSchemaOptions, parseOptions } from "./options.ts";
import { findingsProblem } from "./problems.ts";
import { type Asked, readRequest } from "./request.ts";
import { prepare } from "./resources/validate.ts";

const CONTROL = "fhir-schema";

/**
 * Lets a request through when it is well-formed FHIR R4: its media types, the bytes of its body, its query, its resource,
 * patch or operation inputs, and every entry of a batch. Mount it at the FHIR base, behind smart-auth where there is one.
 *
 * Does NOT decide what the caller may do, change a body, or resolve references. Throws a `ConfigurationError` for options
 * that cannot be right.
 *
 * @see https://hl7.org/fhir/R4/http.html
 */
export function fhirSchema(options: FhirSchemaOptions = {}): RequestHandler {
  const settings = parseOptions(options);
  if (settings.types !== undefined) prepare([...settings.types]);
  const strictly = Object.freeze([`queries: ${settings.queries}`, `resources: ${settings.resources}`]);
  const leniently = Object.freeze([...strictly, "lenient: unknown parameters left out"]);

  return async function fhirSchemaMiddleware(req, res, next) {
    let goesOn: boolean;
    try {
      goesOn = await handle(req, res);
    } catch (error) {
      // Express 4 does not carry a rejection to the error handler.
      next(error);
      return;
    }
    if (goesOn) next();
  };

  async function handle(req: Request, res: Response): Promise<boolean> {
    const read = await readRequest(req, settings);
    if (read.kind === "deny") return refuse(req, res, read.problem, read.because);
    const asked = read.grant;

    const lenient = settings.allowLenient && prefersLenient(req.headers["prefer"]);
    const { interaction, pairs } = asked;
    const query =
      settings.queries === "off"
        ? undefined
        : queryFindings({ interaction, method: req.method, pairs, lenient }, settings);
    const found: readonly (readonly [CheckMode, Finding])[] = [
      ...judged(settings.queries, query === undefined ? [] : [query, ...entryQueryFindings(interaction, settings)]),
      ...judged(settings.resources, settings.resources === "off" ? [] : bodyOf(asked)),
    ];
    for (const [mode, finding] of found) if (mode === "report") report(req, "request", finding);
    const refusing = found.filter(([mode]) => mode === "refuse").map(([, finding]) => finding);
    const first = refusing.find(({ issues }) => hasError(issues));
    if (first !== undefined) {
      const issues = errorsFirst(refusing.flatMap((finding) => finding.issues)).slice(0, settings.maxIssues);
      return refuse(req, res, findingsProblem(first.kind, issues), becauseOf(refusing));
    }
    // Nothing of it is an error: it is told, and passes.
    for (const finding of refusing) report(req, "request", finding);

    const ignored = query?.ignored ?? [];
    if (ignored.length > 0) {
      leaveOut(req, ignored);
      res.setHeader("Preference-Applied", "handling=lenient");
    }
    if (settings.responses === "report") watchAnswer(req, res);
    recordDecision(req, { control: CONTROL, kind: "permit", because: ignored.length > 0 ? leniently : strictly });
    return true;
  }

  function bodyOf({ interaction, body, bodyUse }: Asked): readonly Finding[] {
    return body === undefined || bodyUse === "none" || bodyUse === "form"
      ? []
      : bodyFindings(interaction, body, bodyUse === "json-patch", settings);
  }

  /** A report listener that throws must not decide about a request. */
  function report(req: Request, of: "request" | "response", { kind, issues }: Finding): void {
    const { interaction, requestId } = contextOf(req);
    const code = interaction?.code ?? "unknown";
    const type = interaction?.type;
    try {
      settings.onReport({ of, kind, interaction: code, ...(type === undefined ? {} : { type }), requestId, issues });
    } catch {
      process.emitWarning("the onReport of fhirSchema threw", { code: "WARDLINE_REPORT_FAILED" });
    }
  }

  function watchAnswer(req: Request, res: Response): void {
    addTransform(res, {
      name: CONTROL,
      stage: "guard",
      json(body, { mediaType }) {
        // FHIR answers in its own media type or in plain JSON; anything else is not ours to judge.
        if (!/[/+]json$|ndjson$/.test(mediaType)) return KEEP;
        const issues = answerIssues(body, settings);
        if (issues.length > 0) report(req, "response", { kind: "resource", issues });
        return KEEP;
      },
      opaque: () => KEEP,
    });
  }
}

function judged(mode: CheckMode, found: readonly Finding[]): readonly (readonly [CheckMode, Finding])[] {
  return found.filter(({ issues }) => issues.length > 0).map((finding) => [mode, finding] as const);
}

/** For operators: the sentences, which hold nothing of the request, each once. */
function becauseOf(found: readonly Finding[]): readonly string[] {
  const sentences = found.flatMap(({ kind, issues }) =>
    issues.filter(isError).map(({ detail }) => `${kind}: ${detail}`),
  );
  return [...new Set(sentences)].slice(0, MAX_REASONS);
}

const MAX_REASONS = 10;

function refuse(req: Request, res: Response, problem: Problem, because: readonly string[]): false {
  const decision = deny(problem, because);
  recordDecision(req, { control: CONTROL, kind: "deny", because: decision.because, code: problem.code });
  sendProblem(res, problem);
  return false;
}
