import { type Decision, type Interaction, permit } from "@wardline/policy-types";
import {
  addTransform,
  type BodyTransform,
  beforeAnswer,
  contextOf,
  type EntryContext,
  type Json,
} from "@wardline/policy-types/express";
import type { Request, Response } from "express";
import type { Access } from "../access.ts";
import type { BundleAccess } from "../batch.ts";
import { type ConsentWrite, feedConsent, feedsConsent } from "../consent/feed.ts";
import type { AccessFacts } from "../decide.ts";
import { createGuard, type Guard } from "../guard/answer.ts";
import { batchAnswer, createBatchGuard, withoutHeadBodies } from "../guard/batch-answer.ts";
import { type AskedPage, accessToPart } from "../links/pages.ts";
import { NOT_FOUND } from "../problems.ts";
import { createRights } from "../rights.ts";
import type { SmartAuthSettings } from "../settings.ts";
import type { Conclusions } from "./conclude.ts";
import { noteEntries, notingJudge } from "./entries.ts";
import { forward } from "./forward.ts";
import type { Jobs } from "./jobs.ts";
import { guardFacts, notePatients, withScopes } from "./judge.ts";

/** What follows from a decision: the guard on the answer, what is forwarded, the record. True: the request goes on. */
export interface Passing {
  public(req: Request, res: Response, interaction: Interaction): boolean;
  one(req: Request, res: Response, facts: AccessFacts, decided: Decided): boolean;
  bundle(req: Request, res: Response, facts: AccessFacts, decision: Decision<BundleAccess>): boolean;
}

interface Decided {
  readonly decision: Decision<Access>;
  /** The page of a search that was asked for by its sealed link. */
  readonly page: AskedPage | undefined;
}

export function createPassing(settings: SmartAuthSettings, { conclude, refusalOf }: Conclusions, jobs: Jobs): Passing {
  const { route, consent, now } = settings;

  function consentWrite(req: Request, { interaction, write }: Access, body: Json | undefined): ConsentWrite {
    const { requestId } = contextOf(req);
    return { interaction, body: write?.body ?? body, baseUrls: route.baseUrls, requestId, now: now() };
  }

  return {
    public(req, res, interaction) {
      const rights = createRights({ clauses: [] }, route);
      const access: Access = { interaction, bound: true, because: ["public"] };
      const guard = createGuard(guardFacts(req, { rights, access, part: 0 }, settings), refusalOf(req));
      addTransform(res, forAnyOrigin(guard));
      return conclude(req, res, permit(rights.grant, ["public: capabilities"]));
    },
    one(req, res, { rights, principal, body }, { decision, page }) {
      if (decision.kind === "deny") return conclude(req, res, decision);
      const part = page?.part ?? 0;
      const access = accessToPart(decision.grant, part);
      notePatients(req, access);
      if (access.bound) contextOf(req).absent = NOT_FOUND;
      const guard = createGuard(guardFacts(req, { rights, principal, access, part }, settings), refusalOf(req));
      const fed = feedsConsent(access.interaction, consent)
        ? feedConsent(consentWrite(req, access, body), consent)
        : undefined;
      if (typeof fed === "object") return conclude(req, res, fed);
      if (fed !== undefined) beforeAnswer(res, fed);
      const { exports } = access;
      addTransform(
        res,
        exports === undefined ? guard : jobs.kickOff(req, res, { guard, principal, rights, ...exports }),
      );
      forward(req, access, page);
      return conclude(req, res, permit(rights.grant, withScopes(decision.because, rights)));
    },
    bundle(req, res, { rights, principal, body }, decision) {
      if (decision.kind === "deny") return conclude(req, res, decision);
      const { forwarded, entries } = decision.grant;
      conclude(req, res, permit(rights.grant, withScopes(decision.because, rights)));
      const noted = noteEntries(req, decision.grant);
      if (forwarded === undefined) {
        res
          .status(200)
          .type("application/fhir+json")
          .end(JSON.stringify(batchAnswer(decision.grant, [])));
        return false;
      }
      for (const entry of entries) if (entry.kind === "permit") notePatients(req, entry.grant);
      const onRefusal = refusalOf(req);
      const judging = (access: Access, at: number) => {
        const entryFacts = guardFacts(req, { rights, principal, access, part: 0 }, settings);
        return notingJudge(noted[at] as EntryContext, entryFacts, onRefusal);
      };
      addTransform(res, createBatchGuard(decision.grant, judging, onRefusal));
      const bodiless = withoutHeadBodies(decision.grant.interaction);
      if (bodiless !== undefined) addTransform(res, bodiless);
      if (forwarded !== body) {
        contextOf(req).rewritten = { body: forwarded };
        req.body = forwarded;
      }
      return true;
    },
  };
}

/** SMART 2.2, conformance: any origin may read the capabilities. */
function forAnyOrigin(guard: Guard): BodyTransform {
  return {
    name: guard.name,
    stage: guard.stage,
    json: (body, answer) => guard.json(body, answer),
    opaque: (answer) => guard.opaque(answer),
    empty: (answer) => guard.empty(answer),
    headers: (answer) => ({ ...guard.headers(answer), "Access-Control-Allow-Origin": "*" }),
  };
}
