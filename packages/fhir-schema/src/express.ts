import { type ControlDecision, type Decision, type Deny, deny, type Interaction } from "@wardline/policy-types";
import {
  addTransform,
  closing,
  contextOf,
  KEEP,
  leaveOut,
  prefersLenient,
  recordDecision,
  sendProblem,
} from "@wardline/policy-types/express";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { answerIssues, bodyFindings, entryQueryFindings, type QueryFinding, queryFindings } from "./decide.ts";
import { type Finding, findingOf, NO_FINDINGS } from "./findings.ts";
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
  const because = [`queries: ${settings.queries}`, `resources: ${settings.resources}`];
  const strictly = permitted(because);
  const leniently = permitted([...because, "lenient: unknown parameters left out"]);

  return closing(function fhirSchemaMiddleware(req, res, next) {
    const asked = readRequest(req, settings);
    // Without a body there is nothing to wait for.
    if (asked instanceof Promise) return handleLater(req, res, next, asked);
    if (handle(req, res, asked)) next();
    return undefined;
  });

  async function handleLater(
    req: Request,
    res: Response,
    next: NextFunction,
    asked: Promise<Decision<Asked>>,
  ): Promise<void> {
    let goesOn: boolean;
    try {
      goesOn = handle(req, res, await asked);
    } catch (error) {
      // Express 4 does not carry a rejection to the error handler.
      next(error);
      return;
    }
    if (goesOn) next();
  }

  /** Whether the request goes on; else it has been answered. */
  function handle(req: Request, res: Response, read: Decision<Asked>): boolean {
    if (read.kind === "deny") return refuse(req, res, read);
    const asked = read.grant;
    const query = settings.queries === "off" ? undefined : queryOf(req, asked);
    const queries = query === undefined ? NO_FINDINGS : queriesOf(query, asked.interaction);
    const bodies = settings.resources === "off" ? NO_FINDINGS : bodiesOf(asked);
    const refusal = queries.length + bodies.length === 0 ? undefined : tell(req, queries, bodies);
    if (refusal !== undefined) return refuse(req, res, refusal);

    const isLenient = query !== undefined && query.ignored.length > 0;
    if (isLenient) {
      leaveOut(req, query.ignored);
      res.setHeader("Preference-Applied", "handling=lenient");
    }
    if (settings.responses === "report") watchAnswer(req, res);
    recordDecision(req, isLenient ? leniently : strictly);
    return true;
  }

  function queryOf(req: Request, { interaction, pairs }: Asked): QueryFinding {
    const lenient = settings.allowLenient && prefersLenient(req.headers["prefer"]);
    return queryFindings({ interaction, method: req.method, pairs, lenient }, settings);
  }

  function queriesOf({ kind, issues }: QueryFinding, interaction: Interaction): readonly Finding[] {
    return [...findingOf(kind, issues), ...entryQueryFindings(interaction, settings)];
  }

  function bodiesOf({ interaction, body, bodyUse }: Asked): readonly Finding[] {
    return body === undefined || bodyUse === "none" || bodyUse === "form"
      ? NO_FINDINGS
      : bodyFindings(interaction, body, bodyUse === "json-patch", settings);
  }

  /** Tells what is only to be told; a refusal when an error is among the rest. */
  function tell(req: Request, queries: readonly Finding[], bodies: readonly Finding[]): Deny | undefined {
    const inMode = (mode: CheckMode): readonly Finding[] => [
      ...(settings.queries === mode ? queries : []),
      ...(settings.resources === mode ? bodies : []),
    ];
    for (const finding of inMode("report")) report(req, "request", finding);
    const refusing = inMode("refuse");
    const first = refusing.find(({ issues }) => hasError(issues));
    if (first !== undefined) {
      const issues = errorsFirst(refusing.flatMap((finding) => finding.issues)).slice(0, settings.maxIssues);
      return deny(findingsProblem(first.kind, issues), becauseOf(refusing));
    }
    // Nothing of it is an error: it is told, and passes.
    for (const finding of refusing) report(req, "request", finding);
    return undefined;
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

/** One decision for all that are alike, so that none is made by request. */
function permitted(because: readonly string[]): ControlDecision {
  return Object.freeze({ control: CONTROL, kind: "permit", because: Object.freeze(because) });
}

/** For operators: the sentences, which hold nothing of the request, each once. */
function becauseOf(found: readonly Finding[]): readonly string[] {
  const sentences = found.flatMap(({ kind, issues }) =>
    issues.filter(isError).map(({ detail }) => `${kind}: ${detail}`),
  );
  return [...new Set(sentences)].slice(0, MAX_REASONS);
}

const MAX_REASONS = 10;

function refuse(req: Request, res: Response, { problem, because }: Deny): false {
  recordDecision(req, { control: CONTROL, kind: "deny", because, code: problem.code });
  sendProblem(res, problem);
  return false;
}
