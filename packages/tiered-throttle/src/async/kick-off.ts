import type { IncomingMessage, ServerResponse } from "node:http";
import type { Problem } from "@wardline/policy-types";
import { announcesBody, contextOf, type MountedRequest, readBody } from "@wardline/policy-types/express";
import { ownerOf } from "./caller.ts";
import { withinDeadline } from "./deadline.ts";
import type { AskedOperation, AsyncJob } from "./job.ts";
import type { AsyncSettings } from "./options.ts";
import { BODY_UNSUPPORTED, CALLER_UNKNOWN, queueFull, storageFull, tooMany } from "./problems.ts";
import { ANSWERED, type Reply, refused } from "./reply.ts";
import type { Storage } from "./storage.ts";

export type KickOff = (req: MountedRequest, res: ServerResponse) => Promise<Reply>;

/** Puts the job in the queue and tells the client where to look; told only what will survive. */
export function createKickOff(settings: AsyncSettings, storage: Storage): KickOff {
  const { queue, baseUrl, now, onError } = settings;

  /** Nobody was told of the job: what a late or broken question wrote all the same must not run for nobody. */
  async function takeBack({ id }: AsyncJob, adding: Promise<unknown>): Promise<void> {
    await adding.catch(() => undefined);
    await queue.remove(id);
  }

  return async function kickOff(req, res) {
    const owner = ownerOf(settings.callerOf(req));
    if (owner === undefined) return refused(CALLER_UNKNOWN, "the caller is not known");
    const read = await readAsked(req, settings.requestBytes);
    if ("status" in read) return refused(read, "the parameters cannot be read");
    if (storage.isFull()) return refused(storageFull(RETRY_SECONDS), "the results kept fill the storage");
    const job: AsyncJob = {
      ...owner,
      id: Buffer.from(settings.randomBytes(24)).toString("base64url"),
      tier: settings.tierOf(req),
      request: requestOf(req, baseUrl),
      asked: read,
      createdAt: now(),
      lifetimeMs: settings.lifetimeSeconds * 1000,
    };
    const adding = queue.add(job);
    const added = await withinDeadline(settings.storeDeadlineMs, adding).catch((error: unknown) => {
      takeBack(job, adding).catch(onError);
      throw error;
    });
    switch (added) {
      case "added":
        res.statusCode = 202;
        res.setHeader("Content-Location", `${baseUrl}/_async/${job.id}`);
        res.setHeader("Cache-Control", "no-store");
        res.end();
        return ANSWERED;
      case "organisation-full":
        return refused(tooMany(RETRY_SECONDS), "the organisation's jobs fill its share of the tier");
      case "full":
        return refused(queueFull(RETRY_SECONDS), "the queue of the tier is full");
    }
  };
}

/** Long operations end in minutes. */
const RETRY_SECONDS = 60;

async function readAsked(req: IncomingMessage, limitBytes: number): Promise<AskedOperation | Problem> {
  const context = contextOf(req);
  const asked = { method: req.method ?? "GET", url: context.rewritten?.url ?? req.url ?? "/" };
  if (context.rewritten?.body !== undefined) return { ...asked, body: context.rewritten.body };
  if (!announcesBody(req)) return asked;
  const body = await readBody(req, { limitBytes });
  if (body.kind === "deny") return body.problem;
  return body.grant.json === undefined ? BODY_UNSUPPORTED : { ...asked, body: body.grant.json };
}

/** The kick-off as the client asked it, under the public base. */
function requestOf(req: MountedRequest, baseUrl: string): string {
  const { originalUrl } = contextOf(req);
  const mount = req.baseUrl ?? "";
  return `${baseUrl}${originalUrl.startsWith(mount) ? originalUrl.slice(mount.length) : originalUrl}`;
}
