import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { withinDeadline } from "./deadline.ts";
import { expiryOf, type JobState } from "./job.ts";
import { renderManifest, renderProgress } from "./manifest.ts";
import type { AsyncSettings } from "./options.ts";
import { createPatience } from "./patience.ts";
import { JOB_FAILED, JOB_UNKNOWN, tooSoon } from "./problems.ts";
import { ANSWERED, type Reply, refused } from "./reply.ts";

/** Answers about a job, to the caller it belongs to. */
export interface Answers {
  status(res: ServerResponse, state: JobState): Reply;
  cancel(res: ServerResponse, state: JobState): Promise<Reply>;
  file(res: ServerResponse, state: JobState, at: number): Promise<Reply>;
}

/** @see https://hl7.org/fhir/uv/bulkdata/STU2/export.html */
export function createAnswers(settings: AsyncSettings): Answers {
  const { queue, files, now, onError } = settings;
  const patience = createPatience(settings);

  return {
    status(res, state) {
      const { job, status } = state;
      if (status.kind === "failed") return refused(JOB_FAILED[status.failure], `the job ended as ${status.failure}`);
      if (status.kind === "done") {
        patience.forget(job.id);
        res.statusCode = 200;
        res.setHeader("Content-Type", "application/json; charset=utf-8");
        res.setHeader("Expires", new Date(expiryOf(state)).toUTCString());
        res.setHeader("Cache-Control", "no-store");
        res.end(JSON.stringify(renderManifest(state, status.result, settings.baseUrl)));
        return ANSWERED;
      }
      const look = patience.look(job.id, now() - job.createdAt);
      if (look.kind === "too-soon") return refused(tooSoon(look.seconds), "the status was asked too early");
      res.statusCode = 202;
      res.setHeader("X-Progress", renderProgress(state));
      res.setHeader("Retry-After", String(look.seconds));
      res.setHeader("Cache-Control", "no-store");
      res.end();
      return ANSWERED;
    },

    async cancel(res, { job }) {
      await withinDeadline(settings.storeDeadlineMs, queue.remove(job.id));
      patience.forget(job.id);
      // Nobody can ask for the files any more; what a worker still writes, the next sweep removes.
      files.remove(job.id).catch(onError);
      res.statusCode = 202;
      res.end();
      return ANSWERED;
    },

    async file(res, { job, status }, at) {
      const file = status.kind === "done" ? status.result.files[at] : undefined;
      if (file === undefined) return refused(JOB_UNKNOWN, "no such file of the job");
      const source = await files.read(job.id, file.name);
      res.statusCode = 200;
      res.setHeader("Content-Type", "application/fhir+ndjson");
      res.setHeader("Cache-Control", "no-store");
      try {
        await pipeline(source, res);
      } catch (error) {
        // A client that left is no fault of ours; a truncated file must not look like a whole one.
        if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") onError(error);
        res.destroy();
      }
      return ANSWERED;
    },
  };
}
