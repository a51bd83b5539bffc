import { FILE_KINDS, type FileKind, type JobResult, type JobState } from "./job.ts";

/**
 * The manifest of a finished job.
 *
 * @see https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status
 */
export function renderManifest({ job }: JobState, { transactionTime, files }: JobResult, baseUrl: string): object {
  const list = (kind: FileKind): object[] =>
    files.flatMap((file, at) =>
      file.kind === kind ? [{ type: file.type, url: `${baseUrl}/_async/${job.id}/${at}`, count: file.count }] : [],
    );
  const lists = FILE_KINDS.map((kind) => [kind, list(kind)] as const);
  return {
    transactionTime,
    request: job.request,
    requiresAccessToken: true,
    // `output` and `error` are there even when empty.
    ...Object.fromEntries(lists.filter(([kind, shown]) => kind !== "deleted" || shown.length > 0)),
  };
}

/** R4 async.html: below 100 characters; ours says nothing of the data. */
export function renderProgress(state: JobState): string {
  const { status } = state;
  if (status.kind !== "running") return "queued";
  return status.fraction === undefined ? "in progress" : `${Math.floor(status.fraction * 100)}%`;
}
