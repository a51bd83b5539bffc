import { deny, type Interaction, type Principal, permit } from "@wardline/policy-types";
import { asFailure, contextOf, leaveOut, prefersLenient, requestTarget } from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { createAuthenticator } from "./authenticate.ts";
import { type Authorised, type AuthorityFacts, createAuthority } from "./authority.ts";
import { decideBundle } from "./batch.ts";
import type { Rule } from "./conditions/rule.ts";
import { feedsConsent } from "./consent/feed.ts";
import { type AccessFacts, decideAccess } from "./decide.ts";
import { readJobRequest } from "./export/job.ts";
import { createConclusions } from "./express/conclude.ts";
import { createProceeding, type Exchange, goOn, type Identified, type Question } from "./express/exchange.ts";
import { JOB_ASKED, type JobCaller } from "./express/exports.ts";
import { createJobs } from "./express/jobs.ts";
import { createPassing } from "./express/pass.ts";
import { storeFor } from "./express/store.ts";
import { goOnWith, type Later } from "./later.ts";
import { withoutUnknown } from "./lenient.ts";
import { bindingsOf, openPage } from "./links/pages.ts";
import type { Sealer } from "./links/sealer.ts";
import { parseOptions, type SmartAuthOptions } from "./options.ts";
import { CONSENT_UNREADABLE, INTERACTION_UNKNOWN } from "./problems.ts";
import { type Asked, publicInteraction, readInteraction } from "./request.ts";
import { metadataUrl } from "./resource-metadata.ts";
import { createProblems } from "./token-problems.ts";

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
  const { route, sealer } = settings;
  const problems = createProblems(route.baseUrl, {
    ...(settings.dpop === undefined ? {} : { dpopAlgorithms: settings.dpop.algorithms }),
    ...(settings.resourceMetadata ? { resourceMetadata: metadataUrl(route.baseUrl) } : {}),
  });
  const authenticate = createAuthenticator(settings, problems);
  const authorise = createAuthority(settings);
  const conclusions = createConclusions(settings);
  const { conclude } = conclusions;
  const proceed = createProceeding(conclusions);
  const jobs = createJobs(settings, conclusions);
  const pass = createPassing(settings, conclusions, jobs);

  return function smartAuthMiddleware(req, res, next) {
    try {
      return goOn(handle(req, res), next);
    } catch (error) {
      return next(asFailure(error));
    }
  };

  function handle(req: Request, res: Response): Later<boolean> {
    const context = contextOf(req);
    const target = requestTarget(req);
    if (target === undefined) return conclude(req, res, deny(INTERACTION_UNKNOWN, ["the URL was changed before"]));
    const open = publicInteraction(req, target, route);
    if (open !== undefined) {
      context.interaction = open;
      return pass.public(req, res, open);
    }
    const caller = authenticate({
      rawHeaders: req.rawHeaders,
      query: target.query,
      transport: context.transport,
      method: context.method,
      uri: `${route.baseUrl}${target.path}`,
    });
    return proceed({ req, res, context, target }, caller, nameInteraction);
  }

  function nameInteraction({ req, res, context, target }: Exchange, caller: Principal): Later<boolean> {
    context.principal = caller;
    const job = settings.bulkExport === undefined ? undefined : readJobRequest(context.method, target.path);
    const asked = job === undefined ? readInteraction(req, target, settings) : permit(JOB_ASKED, ["an export job"]);
    return proceed({ req, res, context, target, caller, job }, asked, authoriseCaller);
  }

  function authoriseCaller({ req, res, context, target, caller, job }: Identified, asked: Asked): Later<boolean> {
    const { interaction } = asked;
    context.interaction = interaction;
    const authority: AuthorityFacts = {
      caller,
      interaction,
      rawHeaders: req.rawHeaders,
      address: context.clientAddress ?? context.transport.peerAddress,
      problems: caller.confirmation?.jkt === undefined ? problems : problems.underDpop,
      onGlass: settings.breakGlass === undefined ? undefined : conclusions.declarationOf(req),
    };
    return proceed({ req, res, context, target, job, asked, authority }, authorise(authority), openAsked);
  }

  function openAsked(question: Question, authorised: Authorised): Later<boolean> {
    const { req, res, context, target, job, asked, authority } = question;
    const { caller: principal, rights, rule } = authorised;
    context.principal = principal;
    if (job !== undefined) {
      const refused = rule(JOB_ASKED.interaction);
      if (refused !== undefined) return conclude(req, res, refused);
      return jobs.pass(req, res, target, { asked: job, caller: { principal, rights } });
    }
    const opened = sealer === undefined ? undefined : openPageOf(asked.interaction, sealer, { principal, rights });
    if (opened === undefined) return decide(question, authorised);
    if (opened.kind === "deny") return conclude(req, res, opened);
    const page = opened.grant;
    // A3: a link says nothing of what its search touches, by which rules withhold.
    return proceed({ ...question, page }, authorise({ ...authority, interaction: page.interaction }), decide);
  }

  function decide(question: Question, { caller: principal, rights, rule }: Authorised): Later<boolean> {
    const { req, res, asked, authority, page } = question;
    const interaction = page?.interaction ?? leniently(req, res, asked.interaction);
    const isBundle = interaction.code === "batch" || interaction.code === "transaction";
    const facts: AccessFacts = {
      interaction,
      body: asked.body?.json,
      principal,
      rights,
      route,
      problems: authority.problems,
      rule: isBundle ? withoutConsents(rule) : rule,
      ifMatch: req.headers["if-match"],
      store: storeFor(req, settings),
    };
    return isBundle
      ? decideBundle(facts).then((decision) => pass.bundle(req, res, facts, decision))
      : goOnWith(decideAccess(facts), (decision) => pass.one(req, res, facts, { decision, page }));
  }

  /** Before anything is decided: what is left out is not asked of anybody. */
  function leniently(req: Request, res: Response, asked: Interaction): Interaction {
    if (route.allowLenient !== true || !prefersLenient(req.headers["prefer"])) return asked;
    const { interaction, left } = withoutUnknown(asked, route.extraParameters);
    if (left.length === 0) return asked;
    leaveOut(req, left);
    res.setHeader("Preference-Applied", "handling=lenient");
    return interaction;
  }

  function openPageOf(interaction: Interaction, by: Sealer, { principal, rights }: JobCaller) {
    return openPage(interaction, by, () => bindingsOf(principal, rights.grant, route.baseUrl));
  }

  function withoutConsents(rule: Rule): Rule {
    return (one) =>
      feedsConsent(one, settings.consent) ? deny(CONSENT_UNREADABLE, ["a Consent in a Bundle"]) : rule(one);
  }
}
