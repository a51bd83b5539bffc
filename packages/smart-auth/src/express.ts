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
  type BodyTransform,
  beforeAnswer,
  contextOf,
  type Json,
  type RequestTarget,
  recordDecision,
  requestTarget,
  sendProblem,
} from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import type { Access } from "./access.ts";
import { createAuthenticator } from "./authenticate.ts";
import { createAuthority } from "./authority.ts";
import { type BundleAccess, decideBundle } from "./batch.ts";
import { breakGlassEvent, type GlassAttempt } from "./break-glass/event.ts";
import { type ConsentWrite, feedConsent, writesConsent } from "./consent/feed.ts";
import { type AccessFacts, decideAccess } from "./decide.ts";
import { fileGuard, type JobFacts, kickOffGuard, statusGuard } from "./export/guards.ts";
import { type ExportJob, type JobRequest, readJobRequest } from "./export/job.ts";
import type { BulkExportSettings } from "./export/options.ts";
import {
  findJob,
  forwardJob,
  JOB_ASKED,
  type JobCaller,
  newJob,
  requestOf,
  savedBeforeAnswer,
} from "./express/exports.ts";
import { forward } from "./express/forward.ts";
import { storeFor } from "./express/store.ts";
import { createGuard, type OnRefusal } from "./guard/answer.ts";
import { batchAnswer, createBatchGuard } from "./guard/batch-answer.ts";
import type { GuardFacts } from "./guard/facts.ts";
import { type AskedPage, accessToPart, bindingsOf, createPages, openPage } from "./links/pages.ts";
import { parseOptions, type SmartAuthOptions } from "./options.ts";
import { CONSENT_UNREADABLE, INTERACTION_UNKNOWN } from "./problems.ts";
import { publicInteraction, readInteraction } from "./request.ts";
import { metadataUrl } from "./resource-metadata.ts";
import { createRights, type Rights } from "./rights.ts";
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
  const authorise = createAuthority(settings);
  /** Requests that declared an emergency. */
  const emergencies = new WeakMap<Request, GlassAttempt>();

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

    const job = settings.bulkExport === undefined ? undefined : readJobRequest(context.method, target.path);
    const asked =
      job === undefined ? await readInteraction(req, target, settings) : permit(JOB_ASKED, ["an export job"]);
    if (asked.kind === "deny") return conclude(req, res, asked);
    const { body } = asked.grant;
    context.interaction = asked.grant.interaction;
    const scheme = caller.grant.confirmation?.jkt === undefined ? problems : problems.underDpop;
    const authorised = await authorise({
      caller: caller.grant,
      interaction: asked.grant.interaction,
      rawHeaders: req.rawHeaders,
      address: context.clientAddress ?? context.transport.peerAddress,
      problems: scheme,
      onGlass: (attempt) => emergencies.set(req, attempt),
    });
    if (authorised.kind === "deny") return conclude(req, res, authorised);
    const { caller: principal, rights, rule } = authorised.grant;
    context.principal = principal;
    if (job !== undefined) {
      const refused = rule(JOB_ASKED.interaction);
      if (refused !== undefined) return conclude(req, res, refused);
      return passJob(req, res, target, { asked: job, caller: { principal, rights } });
    }
    const { sealer } = settings;
    const opened = openPage(asked.grant.interaction, sealer, () => bindingsOf(principal, rights.grant, route.baseUrl));
    if (opened?.kind === "deny") return conclude(req, res, opened);
    const page = opened?.grant;
    const { interaction } = page ?? asked.grant;
    const isBundle = interaction.code === "batch" || interaction.code === "transaction";
    const facts: AccessFacts = {
      interaction,
      body: body?.json,
      principal,
      rights,
      route,
      problems: scheme,
      rule: (one) => (isBundle && feedsConsent(one) ? deny(CONSENT_UNREADABLE, ["a Consent in a Bundle"]) : rule(one)),
      ifMatch: req.headers["if-match"],
      store: storeFor(req, settings),
    };
    return isBundle
      ? passBundle(req, res, facts, await decideBundle(facts))
      : passOne(req, res, facts, { decision: await decideAccess(facts), page });
  }

  function passOne(
    req: Request,
    res: Response,
    { rights, principal, body }: AccessFacts,
    { decision, page }: { readonly decision: Decision<Access>; readonly page: AskedPage | undefined },
  ): boolean {
    if (decision.kind === "deny") return conclude(req, res, decision);
    const part = page?.part ?? 0;
    const access = accessToPart(decision.grant, part);
    notePatients(req, access);
    const guard = createGuard(guardFacts(req, { rights, principal, access, part }), refusalOf(req));
    const fed = feedConsent(consentWrite(req, access, body), settings.consent);
    if (typeof fed === "object") return conclude(req, res, fed);
    if (fed !== undefined) beforeAnswer(res, fed);
    addTransform(
      res,
      access.exports === undefined ? guard : kickOff(req, res, { guard, principal, rights, ...access.exports }),
    );
    forward(req, access, page);
    return conclude(req, res, permit(rights.grant, withScopes(decision.because, rights)));
  }

  function passBundle(req: Request, res: Response, facts: AccessFacts, decision: Decision<BundleAccess>): boolean {
    if (decision.kind === "deny") return conclude(req, res, decision);
    const { rights, principal } = facts;
    const { forwarded } = decision.grant;
    conclude(req, res, permit(rights.grant, withScopes(decision.because, rights)));
    if (forwarded === undefined) {
      res
        .status(200)
        .type("application/fhir+json")
        .end(JSON.stringify(batchAnswer(decision.grant, [])));
      return false;
    }
    for (const entry of decision.grant.entries) if (entry.kind === "permit") notePatients(req, entry.grant);
    const entryFacts = (access: Access) => guardFacts(req, { rights, principal, access, part: 0 });
    addTransform(res, createBatchGuard(decision.grant, entryFacts, refusalOf(req)));
    if (forwarded !== facts.body) {
      contextOf(req).rewritten = { body: forwarded };
      req.body = forwarded;
    }
    return true;
  }

  function feedsConsent(interaction: Interaction): boolean {
    return settings.consent.readResources && writesConsent(interaction);
  }

  function consentWrite(req: Request, { interaction, write }: Access, body: Json | undefined): ConsentWrite {
    const { requestId } = contextOf(req);
    return { interaction, body: write?.body ?? body, baseUrls: route.baseUrls, requestId, now: settings.now() };
  }

  function kickOff(req: Request, res: Response, { guard, principal, rights, types }: KickOff): BodyTransform {
    const { bulkExport, now } = settings;
    if (bulkExport === undefined) return guard;
    const request = requestOf(req, route.baseUrl);
    const job = newJob({ types, request }, principal, { settings: bulkExport, now });
    return kickOffGuard(guard, jobFacts(req, res, { job, rights, saves: bulkExport }));
  }

  async function passJob(
    req: Request,
    res: Response,
    target: RequestTarget,
    { asked, caller }: { asked: JobRequest; caller: JobCaller },
  ): Promise<boolean> {
    const { bulkExport } = settings;
    if (bulkExport === undefined) return conclude(req, res, deny(INTERACTION_UNKNOWN, ["exports are not offered"]));
    const found = await findJob(req, target, { asked, caller, settings: bulkExport });
    if (found.kind === "deny") return conclude(req, res, found);
    const job = found.grant;
    const file = asked.kind === "file" ? job.files[asked.at] : undefined;
    const interaction = forwardJob(req, file?.url ?? job.status);
    const { rights } = caller;
    const access: Access = { interaction, bound: true, because: found.because };
    const facts = jobFacts(req, res, { job, rights, saves: asked.kind === "status" ? bulkExport : undefined });
    const lines = createGuard(guardFacts(req, { rights, access, part: 0 }), refusalOf(req));
    addTransform(res, file === undefined ? statusGuard(facts) : fileGuard(file, lines, facts));
    return conclude(req, res, permit(rights.grant, withScopes(found.because, rights)));
  }

  function jobFacts(req: Request, res: Response, { job, rights, saves }: Job): JobFacts {
    const onChange = saves === undefined ? () => undefined : savedBeforeAnswer(res, saves);
    // Where patients may withhold at all, a count would tell of a line that is withheld from now on, too.
    const mayCount = settings.consent.registry === undefined && job.types.every((type) => rights.reachesAll(type, "r"));
    return { job, bases: route, rights, mayCount, onRefusal: refusalOf(req), onChange };
  }

  function permitPublic(req: Request, res: Response, interaction: Interaction): boolean {
    const rights = createRights({ clauses: [] }, route);
    const access: Access = { interaction, bound: true, because: ["public"] };
    const guard = createGuard(guardFacts(req, { rights, access, part: 0 }), refusalOf(req));
    // SMART 2.2, conformance: any origin may read the capabilities.
    const headers = (answer: Parameters<NonNullable<typeof guard.headers>>[0]) => ({
      ...guard.headers?.(answer),
      "Access-Control-Allow-Origin": "*",
    });
    addTransform(res, { ...guard, headers });
    return conclude(req, res, permit(rights.grant, ["public: capabilities"]));
  }

  function guardFacts(
    req: Request,
    { rights, principal, access, part }: Judged & { readonly principal?: Principal },
  ): GuardFacts {
    const context = contextOf(req);
    context.delivered ??= new Set();
    const { delivered } = context;
    const { sealer } = settings;
    const { baseUrl } = route;
    const pages =
      sealer === undefined || principal === undefined || !PAGED.test(access.interaction.code)
        ? undefined
        : createPages({
            sealer,
            bindings: bindingsOf(principal, rights.grant, baseUrl),
            baseUrl,
            access,
            part,
            rights,
          });
    return {
      access,
      interaction: access.interaction,
      bound: access.bound,
      narrowing: access.narrowing,
      rights,
      baseUrl: route.baseUrl,
      baseUrls: route.baseUrls,
      extraParameters: route.extraParameters,
      pages,
      onPatients: (ids, what) => {
        for (const id of ids) {
          context.patients.add(id);
          if (what !== "written") delivered.add(id);
        }
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
    const { kind } = decision;
    const emergency = emergencies.get(req);
    const isBroken = emergency?.kind === "broken";
    const because = isBroken ? ["break-glass", ...decision.because] : decision.because;
    if (emergency !== undefined) {
      settings.onBreakGlass(breakGlassEvent(contextOf(req), emergency, kind, settings.now()));
    }
    recordDecision(req, {
      control: CONTROL,
      kind,
      because,
      ...(decision.kind === "deny" ? { code: decision.problem.code } : {}),
    });
    settings.onDecision(isBroken ? { ...decision, because } : decision, req);
  }
}

interface Judged {
  readonly rights: Rights;
  readonly access: Access;
  /** Which of the searches that together answer it. */
  readonly part: number;
}

interface KickOff {
  readonly guard: BodyTransform;
  readonly principal: Principal;
  readonly rights: Rights;
  readonly types: readonly string[];
}

interface Job {
  readonly job: ExportJob;
  readonly rights: Rights;
  /** Where its changes are stored. Absent: there are none. */
  readonly saves: BulkExportSettings | undefined;
}

/** A15: a write is recorded with its patients whether or not its answer repeats them. */
function notePatients(req: Request, { patients = [] }: Access): void {
  const noted = contextOf(req).patients;
  for (const id of patients) noted.add(id);
}

const PAGED = /^(?:search|history)-/;

function withScopes(because: readonly string[], { grant }: Rights): readonly string[] {
  return [...because, ...grant.clauses.map(({ from }) => from)];
}
