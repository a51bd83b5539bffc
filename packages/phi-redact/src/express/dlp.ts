import type { MountedRequest, RequestTarget } from "@wardline/policy-types/express";
import {
  addTransform,
  afterAnswer,
  closing,
  KEEP,
  readBody,
  recordDecision,
  requestTarget,
  sendProblem,
} from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { decideDlp } from "../dlp/decide.ts";
import { phiScanner } from "../dlp/detect.ts";
import { type DlpOptions, type ParsedDlpOptions, parseDlpOptions } from "../dlp/options.ts";
import { namesIn } from "../dlp/people.ts";
import { type Found, findInHeaders, findInJson, findInUrl, withoutText } from "../dlp/request.ts";

/**
 * Keeps identifiers of people out of URLs and headers, where logs, caches and histories keep them. Stand it behind
 * perimeter and before everything that logs.
 *
 * Does NOT judge who may search for whom, and does NOT see what has no shape: a name in a path, a diagnosis.
 *
 * @throws {ConfigurationError} for every mistake in the options
 */
export function dlp(options: DlpOptions = {}): RequestHandler {
  const policy = parseDlpOptions(options);
  const scan = phiScanner(policy);

  return closing(async function dlpMiddleware(req, res, next) {
    const target = targetOf(req);
    const found = [
      ...findInUrl(target, scan, policy.identifyingParameters),
      ...(policy.headers === "off" ? [] : findInHeaders({ headers: headerPairs(req.rawHeaders) }, scan)),
    ].filter((each) => modeOf(each, policy) !== "off");
    const decision = decideDlp(found, policy, { searchable: isSearchable(req.method, target.path) });
    recordDecision(req, {
      control: "dlp",
      kind: decision.kind,
      because: decision.because,
      ...(decision.kind === "deny" ? { code: decision.problem.code } : {}),
    });
    tell(policy, found);
    if (decision.kind === "deny") return sendProblem(res, decision.problem);

    const names = policy.bodies === "report" ? await reportBodies(req, res) : NO_NAMES;
    if (names === undefined) return;
    const { exchange } = policy;
    if (exchange === undefined) return next();
    exchange.run(() => {
      exchange.addTexts(found.filter((each) => modeOf(each, policy) === "redact-in-log").map(({ text }) => text));
      exchange.addNames([...names]);
      next();
    });
  });

  /** The names in the body; `undefined` when it cannot be read, and the request was answered so. */
  async function reportBodies(req: Request, res: Response): Promise<ReadonlySet<string> | undefined> {
    const read = await readBody(req, { limitBytes: policy.bodyLimitBytes });
    if (read.kind === "deny") {
      sendProblem(res, read.problem);
      return undefined;
    }
    const { json } = read.grant;
    if (json !== undefined) tell(policy, findInJson("body", json, scan));
    const names = new Set(namesIn(json));
    listenForNames(req, res, names);
    return names;
  }

  /** Names of this exchange: they may stand in its URL, and log lines must not repeat them. */
  function listenForNames(req: Request, res: Response, names: Set<string>): void {
    addTransform(res, {
      name: "dlp",
      stage: "guard",
      json(body) {
        const inAnswer = namesIn(body);
        policy.exchange?.addNames(inAnswer);
        for (const name of inAnswer) names.add(name);
        return KEEP;
      },
      opaque: () => KEEP,
    });
    afterAnswer(res, () => {
      const byName = phiScanner({ entities: ["name"], names: [...names] });
      tell(
        policy,
        findInUrl(targetOf(req), byName, NONE).filter(({ entity }) => entity === "name"),
      );
    });
  }
}

const NONE: ReadonlySet<string> = new Set();
const NO_NAMES: ReadonlySet<string> = new Set();

/** As received, whatever an earlier middleware made of it: logs hold what was received. */
function targetOf(req: MountedRequest): RequestTarget {
  const target = requestTarget(req);
  if (target !== undefined) return target;
  const url = req.originalUrl ?? req.url ?? "/";
  const mark = url.indexOf("?");
  return mark < 0 ? { path: url, query: "" } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

/** A conditional update, patch or delete has no other form. */
function isSearchable(method: string, path: string): boolean {
  return method === "GET" || method === "HEAD" || (method === "POST" && /\/_search\/?$/.test(path));
}

function* headerPairs(raw: readonly string[]): Iterable<readonly [string, string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) yield [raw[index] ?? "", raw[index + 1] ?? ""];
}

function modeOf({ place }: Found, policy: ParsedDlpOptions): string {
  if (place === "path") return policy.path;
  if (place === "query") return policy.query;
  if (place === "search") return policy.searches;
  return place === "header" ? policy.headers : policy.bodies;
}

/** A listener that throws changes nothing for the request. */
function tell({ onFindings }: ParsedDlpOptions, found: readonly Found[]): void {
  if (found.length === 0) return;
  try {
    onFindings(withoutText(found));
  } catch {
    // What was found is in the decision's reasons too.
  }
}
