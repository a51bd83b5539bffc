import { type Decision, deny, type Interaction, type Principal, permit } from "@wardline/policy-types";
import { announcesBody, beforeAnswer, contextOf, type RequestTarget } from "@wardline/policy-types/express";
import type { Request, Response } from "express";
import { within } from "../deadline.ts";
import { isGrantedStill } from "../export/decide.ts";
import { type ExportJob, type ExportJobStore, type JobRequest, ownerOf } from "../export/job.ts";
import type { BulkExportSettings } from "../export/options.ts";
import { EXPORT_STORE_UNAVAILABLE, INTERACTION_UNKNOWN, NOT_FOUND } from "../problems.ts";
import type { Asked } from "../request.ts";
import type { Rights } from "../rights.ts";
import { setUrl } from "./forward.ts";

/** F1: how long the job store may take, in milliseconds. */
const DEADLINE_MS = 1000;

/** A job that the client is about to start. */
export function newJob(
  { types, request }: Pick<ExportJob, "types" | "request">,
  principal: Principal,
  { settings, now }: { readonly settings: BulkExportSettings; readonly now: () => number },
): ExportJob {
  const id = Buffer.from(settings.randomBytes(24)).toString("base64url");
  const until = Math.floor(now() / 1000) + settings.lifetimeSeconds;
  return { id, owner: ownerOf(principal), types, request, status: "", files: [], until };
}

/**
 * Stores what the answer changes of a job, before the answer leaves: a client is never told of what is not stored. A job that
 * was there before may have been cancelled meanwhile, and does not come back (A8).
 */
export function savedBeforeAnswer(
  res: Response,
  { store }: BulkExportSettings,
  { isNew }: { readonly isNew: boolean },
): (job: ExportJob) => void {
  let changed: ExportJob | undefined;
  beforeAnswer(res, async () => {
    if (changed === undefined || contextOf(res.req).problem !== undefined) return undefined;
    try {
      const isKept = await within(DEADLINE_MS, isNew ? begin(store, changed) : update(store, changed));
      return isKept ? undefined : NOT_FOUND;
    } catch {
      return EXPORT_STORE_UNAVAILABLE;
    }
  });
  return (job) => {
    changed = job;
  };
}

async function begin(store: ExportJobStore, job: ExportJob): Promise<boolean> {
  await store.save(job);
  return true;
}

async function update(store: ExportJobStore, job: ExportJob): Promise<boolean> {
  if (store.update !== undefined) return store.update(job);
  return (await store.load(job.id)) !== undefined && begin(store, job);
}

export interface JobCaller {
  readonly principal: Principal;
  readonly rights: Rights;
}

/**
 * Finds the job that is asked about, if it is the caller's own and still granted; what is not looks absent (A8, A9). A job
 * that is cancelled is forgotten first, so that its files are closed even when the server fails.
 */
export async function findJob(
  req: Request,
  { query }: RequestTarget,
  { asked, caller, settings }: { asked: JobRequest; caller: JobCaller; settings: BulkExportSettings },
): Promise<Decision<ExportJob>> {
  if (query !== "" || announcesBody(req)) return deny(INTERACTION_UNKNOWN, ["a job takes no parameters and no body"]);
  try {
    const job = await within(DEADLINE_MS, settings.store.load(asked.id));
    const isOwn = job?.id === asked.id && job.owner === ownerOf(caller.principal) && isGrantedStill(job, caller.rights);
    const isThere = isOwn && (asked.kind !== "file" || job.files[asked.at] !== undefined);
    if (!isThere) return deny(NOT_FOUND, ["no such job of the caller's, or no longer granted"]);
    if (asked.kind === "cancel") await within(DEADLINE_MS, settings.store.remove(asked.id));
    return permit(job, [`export ${asked.kind} of the caller's own job`]);
  } catch {
    return deny(EXPORT_STORE_UNAVAILABLE, ["the export job store did not answer"]);
  }
}

/** Whatever is asked of a job is part of the operation that started it. */
export const JOB_ASKED: Asked = Object.freeze({
  interaction: Object.freeze({
    code: "operation",
    operation: Object.freeze({ name: "export", level: "system" }),
    path: "/$export",
    search: Object.freeze({ criteria: [], includes: [], sort: [], control: [], pairs: [] }),
    touches: [],
    entries: [],
  }),
});

/** The request as the server knows it. */
export function forwardJob(req: Request, url: string): Interaction {
  const [path = ""] = url.split("?");
  const interaction: Interaction = { ...JOB_ASKED.interaction, path: `/${path}` };
  const context = contextOf(req);
  context.interaction = interaction;
  context.rewritten = { url: `/${url}` };
  setUrl(req, `/${url}`);
  return interaction;
}

/** The kick-off as the client asked it, which the manifest repeats. */
export function requestOf(req: Request, baseUrl: string): string {
  const { interaction, originalUrl } = contextOf(req);
  const mark = originalUrl.indexOf("?");
  return `${baseUrl}${interaction?.path ?? ""}${mark < 0 ? "" : originalUrl.slice(mark)}`;
}
