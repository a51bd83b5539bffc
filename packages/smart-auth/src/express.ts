import { deny, type Interaction, permit } from "@wardline/policy-types";
import { contextOf, leaveOut, prefersLenient, requestTarget } from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { createAuthenticator } from "./authenticate.ts";
import { createAuthority } from "./authority.ts";
import { decideBundle } from "./batch.ts";
import { writesConsent } from "./consent/feed.ts";
import { type AccessFacts, decideAccess } from "./decide.ts";
import { readJobRequest } from "./export/job.ts";
import { createConclusions } from "./express/conclude.ts";
import { JOB_ASKED } from "./express/exports.ts";
import { createJobs } from "./express/jobs.ts";
import { createPassing } from "./express/pass.ts";
import { storeFor } from "./express/store.ts";
import { withoutUnknown } from "./lenient.ts";
import { bindingsOf, openPage } from "./links/pages.ts";
import { parseOptions, type SmartAuthOptions } from "./options.ts";
import { CONSENT_UNREADABLE, INTERACTION_UNKNOWN } from "./problems.ts";
import { publicInteraction, readInteraction } from "./request.ts";
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
  const jobs = createJobs(settings, conclusions);
  const pass = createPassing(settings, conclusions, jobs);

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
      return pass.public(req, res, open);
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
    context.interaction = asked.grant.interaction;
    const scheme = caller.grant.confirmation?.jkt === undefined ? problems : problems.underDpop;
    const authorised = await authorise({
      caller: caller.grant,
      interaction: asked.grant.interaction,
      rawHeaders: req.rawHeaders,
      address: context.clientAddress ?? context.transport.peerAddress,
      problems: scheme,
      onGlass: (attempt) => conclusions.declare(req, attempt),
    });
    if (authorised.kind === "deny") return conclude(req, res, authorised);
    const { caller: principal, rights, rule } = authorised.grant;
    context.principal = principal;
    if (job !== undefined) {
      const refused = rule(JOB_ASKED.interaction);
      if (refused !== undefined) return conclude(req, res, refused);
      return jobs.pass(req, res, target, { asked: job, caller: { principal, rights } });
    }

    const opened = openPage(asked.grant.interaction, sealer, () => bindingsOf(principal, rights.grant, route.baseUrl));
    if (opened?.kind === "deny") return conclude(req, res, opened);
    const page = opened?.grant;
    const interaction = page?.interaction ?? leniently(req, res, asked.grant.interaction);
    const isBundle = interaction.code === "batch" || interaction.code === "transaction";
    const facts: AccessFacts = {
      interaction,
      body: asked.grant.body?.json,
      principal,
      rights,
      route,
      problems: scheme,
      rule: (one) => (isBundle && feedsConsent(one) ? deny(CONSENT_UNREADABLE, ["a Consent in a Bundle"]) : rule(one)),
      ifMatch: req.headers["if-match"],
      store: storeFor(req, settings),
    };
    return isBundle
      ? pass.bundle(req, res, facts, await decideBundle(facts))
      : pass.one(req, res, facts, { decision: await decideAccess(facts), page });
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

  function feedsConsent(interaction: Interaction): boolean {
    return settings.consent.readResources && writesConsent(interaction);
  }
}
