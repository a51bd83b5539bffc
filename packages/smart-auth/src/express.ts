import {
  type Decision,
  deny,
  type Grant,
  type Interaction,
  type Principal,
  type Problem,
  permit,
} from "@wardline/policy-types";
import {
  addTransform,
  contextOf,
  type Json,
  recordDecision,
  requestTarget,
  sendProblem,
} from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import type { Access } from "./access.ts";
import { createAuthenticator } from "./authenticate.ts";
import { type BundleAccess, decideBundle } from "./batch.ts";
import { type AccessFacts, decideAccess } from "./decide.ts";
import { forwardedForm, forwardedUrl } from "./forward.ts";
import { grantFor } from "./grant.ts";
import { createGuard, type OnRefusal } from "./guard/answer.ts";
import { batchAnswer, createBatchGuard } from "./guard/batch-answer.ts";
import type { GuardFacts } from "./guard/facts.ts";
import { parseOptions, type SmartAuthOptions } from "./options.ts";
import { INTERACTION_UNKNOWN } from "./problems.ts";
import { publicInteraction, readInteraction } from "./request.ts";
import { metadataUrl } from "./resource-metadata.ts";
import { createRights, type Rights } from "./rights.ts";
import { withDeadline } from "./stored.ts";
import { createProblems } from "./token-problems.ts";

const CONTROL = "smart-auth";

/**
 * Lets a request through when its access token covers it, and lets of the answer through what the token covers. Mount it
 * at the FHIR base, before the handler.
 *
 * Does NOT check bodies against the FHIR schema, limit rates, or write the audit log. Throws a `ConfigurationError` for options that cannot be right.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/
 */
export function smartAuth(options: SmartAuthOptions): RequestHandler {
  const settings = parseOptions(options);
  const { route } = settings;
  const problems = createProblems(route.baseUrl, {
    ...(settings.dpop === undefined ? {} : { dpopAlgorithms: settings.dpop.algorithms }),
    ...(settings.resourceMetadata ? { resourceMetadata: metadataUrl(route.baseUrl) } : {}),
  });
  const authenticate = createAuthenticator(settings, problems);
  /** A remembered token keeps its principal, and with it the grant. */
  const grants = new WeakMap<Principal, Grant>();

  return async function smartAuthMiddleware(req, res, next) {
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
    const context = contextOf(req);
    const target = requestTarget(req);
    if (target === undefined) return conclude(req, res, deny(INTERACTION_UNKNOWN, ["the URL was changed before"]));
    const open = publicInteraction(req, target, route);
    if (open !== undefined) {
      context.interaction = open;
      return permitPublic(req, res, open);
    }
    const caller = await authenticate({
      rawHeaders: req.rawHeaders,
      query: target.query,
      transport: context.transport,
      method: context.method,
      uri: `${route.baseUrl}${target.path}`,
    });
    if (caller.kind === "deny") return conclude(req, res, caller);
    context.principal = caller.grant;

    const asked = await readInteraction(req, target, settings);
    if (asked.kind === "deny") return conclude(req, res, asked);
    const { interaction, body } = asked.grant;
    context.interaction = interaction;
    const grant = grants.get(caller.grant) ?? grantFor(caller.grant, route);
    grants.set(caller.grant, grant);
    const rights = createRights(grant, route);
    const { readStored } = settings;
    const facts: AccessFacts = {
      interaction,
      body: body?.json,
      principal: caller.grant,
      rights,
      route,
      problems: caller.grant.confirmation?.jkt === undefined ? problems : problems.underDpop,
      readStored: readStored === undefined ? undefined : (reference) => withDeadline(readStored(reference, req)),
    };
    const isBundle = interaction.code === "batch" || interaction.code === "transaction";
    return isBundle
      ? passBundle(req, res, facts, await decideBundle(facts))
      : passOne(req, res, facts, await decideAccess(facts));
  }

  function passOne(req: Request, res: Response, { rights }: AccessFacts, decision: Decision<Access>): boolean {
    if (decision.kind === "deny") return conclude(req, res, decision);
    const guard = createGuard(guardFacts(req, rights, decision.grant), refusalOf(req));
    addTransform(res, guard);
    forward(req, decision.grant);
    return conclude(req, res, permit(rights.grant, withScopes(decision.because, rights)));
  }

  function passBundle(req: Request, res: Response, facts: AccessFacts, decision: Decision<BundleAccess>): boolean {
    if (decision.kind === "deny") return conclude(req, res, decision);
    const { rights } = facts;
    const { forwarded } = decision.grant;
    conclude(req, res, permit(rights.grant, withScopes(decision.because, rights)));
    if (forwarded === undefined) {
      res
        .status(200)
        .type("application/fhir+json")
        .end(JSON.stringify(batchAnswer(decision.grant, [])));
      return false;
    }
    const entryFacts = (access: Access) => guardFacts(req, rights, access);
    addTransform(res, createBatchGuard(decision.grant, entryFacts, refusalOf(req)));
    if (forwarded !== facts.body) {
      contextOf(req).rewritten = { body: forwarded };
      req.body = forwarded;
    }
    return true;
  }

  function permitPublic(req: Request, res: Response, interaction: Interaction): boolean {
    const rights = createRights({ clauses: [] }, route);
    const access: Access = { interaction, bound: true, because: ["public"] };
    const guard = createGuard(guardFacts(req, rights, access), refusalOf(req));
    // SMART 2.2, conformance: any origin may read the capabilities.
    const headers = (answer: Parameters<NonNullable<typeof guard.headers>>[0]) => ({
      ...guard.headers?.(answer),
      "Access-Control-Allow-Origin": "*",
    });
    addTransform(res, { ...guard, headers });
    return conclude(req, res, permit(rights.grant, ["public: capabilities"]));
  }

  function guardFacts(req: Request, rights: Rights, access: Access): GuardFacts {
    const { patients } = contextOf(req);
    return {
      access,
      interaction: access.interaction,
      bound: access.bound,
      narrowing: access.narrowing,
      rights,
      baseUrl: route.baseUrl,
      baseUrls: route.baseUrls,
      extraParameters: route.extraParameters,
      onPatients: (ids) => {
        for (const id of ids) patients.add(id);
      },
    };
  }

  /** Records the decision, tells the listener, and sends the refusal if it is one. */
  function conclude(req: Request, res: Response, decision: Decision<Grant>): boolean {
    record(req, decision);
    if (decision.kind === "permit") {
      contextOf(req).grant = decision.grant;
      return true;
    }
    sendProblem(res, decision.problem);
    return false;
  }

  function refusalOf(req: Request): OnRefusal {
    return (problem: Problem, because: string) => record(req, deny(problem, [`answer: ${because}`]));
  }

  function record(req: Request, decision: Decision<Grant>): void {
    const { kind, because } = decision;
    recordDecision(req, {
      control: CONTROL,
      kind,
      because,
      ...(decision.kind === "deny" ? { code: decision.problem.code } : {}),
    });
    settings.onDecision(decision, req);
  }
}

function withScopes(because: readonly string[], { grant }: Rights): readonly string[] {
  return [...because, ...grant.clauses.map(({ from }) => from)];
}

type WithQueryParser = {
  get(name: "query parser fn"): ((query: string) => Record<string, unknown>) | false | undefined;
};

/** Leaves the narrowed request where handlers and proxies look for it. */
function forward(req: Request, access: Access): void {
  const context = contextOf(req);
  const form = context.body?.form;
  const url = forwardedUrl(req.url, access, form !== undefined);
  const narrowedForm = form === undefined ? undefined : forwardedForm(form, access);
  if (url === undefined && narrowedForm === undefined) return;
  context.rewritten = {
    ...(url === undefined ? {} : { url }),
    ...(narrowedForm === undefined ? {} : { form: narrowedForm }),
  };
  if (narrowedForm !== undefined) req.body = formObject(narrowedForm);
  if (url === undefined) return;
  req.url = url;
  // Express 5 reads the query from the URL each time; Express 4 read it once.
  if (Object.hasOwn(req, "query")) {
    const parse = (req.app as WithQueryParser).get("query parser fn");
    const [, query = ""] = url.split(/\?(.*)/s);
    Object.assign(req, { query: typeof parse === "function" ? parse(query) : {} });
  }
}

function formObject(form: string): Record<string, Json> {
  const object = Object.create(null) as Record<string, Json>;
  for (const [name, value] of new URLSearchParams(form)) {
    const before = object[name];
    object[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return object;
}
