import { deny, type Principal, permit } from "@wardline/policy-types";
import { addTransform, type BodyTransform, type RequestTarget } from "@wardline/policy-types/express";
import type { Request, Response } from "express";
import type { Access } from "../access.ts";
import { fileGuard, type JobFacts, kickOffGuard, statusGuard } from "../export/guards.ts";
import type { ExportJob, JobRequest } from "../export/job.ts";
import type { BulkExportSettings } from "../export/options.ts";
import { createGuard } from "../guard/answer.ts";
import { INTERACTION_UNKNOWN } from "../problems.ts";
import type { Rights } from "../rights.ts";
import type { SmartAuthSettings } from "../settings.ts";
import type { Conclusions } from "./conclude.ts";
import { findJob, forwardJob, type JobCaller, newJob, requestOf, savedBeforeAnswer } from "./exports.ts";
import { guardFacts, withScopes } from "./judge.ts";

/** The export jobs of one middleware (A8). */
export interface Jobs {
  /** What the answer to a kick-off passes: from then on there is a job. */
  kickOff(req: Request, res: Response, begun: Begun): BodyTransform;
  /** Lets a request about a job through, if it is the caller's own. */
  pass(
    req: Request,
    res: Response,
    target: RequestTarget,
    job: { readonly asked: JobRequest; readonly caller: JobCaller },
  ): Promise<boolean>;
}

interface Begun {
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
  readonly isNew: boolean;
}

export function createJobs(settings: SmartAuthSettings, { conclude, refusalOf }: Conclusions): Jobs {
  const { bulkExport, route, consent, now } = settings;

  function factsOf(req: Request, res: Response, { job, rights, saves, isNew }: Job): JobFacts {
    const onChange = saves === undefined ? () => undefined : savedBeforeAnswer(res, saves, { isNew });
    // Where patients may withhold at all, a count would tell of a line that is withheld from now on, too.
    const mayCount = consent.registry === undefined && job.types.every((type) => rights.reachesAll(type, "r"));
    return { job, bases: route, rights, mayCount, onRefusal: refusalOf(req), onChange };
  }

  return {
    kickOff(req, res, { guard, principal, rights, types }) {
      if (bulkExport === undefined) return guard;
      const request = requestOf(req, route.baseUrl);
      const job = newJob({ types, request }, principal, { settings: bulkExport, now });
      return kickOffGuard(guard, factsOf(req, res, { job, rights, saves: bulkExport, isNew: true }));
    },
    async pass(req, res, target, { asked, caller }) {
      if (bulkExport === undefined) return conclude(req, res, deny(INTERACTION_UNKNOWN, ["exports are not offered"]));
      const found = await findJob(req, target, { asked, caller, settings: bulkExport });
      if (found.kind === "deny") return conclude(req, res, found);
      const job = found.grant;
      const file = asked.kind === "file" ? job.files[asked.at] : undefined;
      const interaction = forwardJob(req, file?.url ?? job.status);
      const { rights } = caller;
      const access: Access = { interaction, bound: true, because: found.because };
      const saves = asked.kind === "status" ? bulkExport : undefined;
      const facts = factsOf(req, res, { job, rights, saves, isNew: false });
      const lines = createGuard(guardFacts(req, { rights, access, part: 0 }, settings), refusalOf(req));
      addTransform(res, file === undefined ? statusGuard(facts) : fileGuard(file, lines, facts));
      return conclude(req, res, permit(rights.grant, withScopes(found.because, rights)));
    },
  };
}
