import { parseReference } from "@wardline/fhir-r4";
import type { Json } from "@wardline/policy-types/express";
import { AnswerUnreadable } from "../guard/facts.ts";
import { type Bases, belowBase } from "../guard/locations.ts";
import { isFhirResource, isObject, type JsonObject, objectsOf } from "../resource.ts";
import type { Rights } from "../rights.ts";
import type { ExportFile, ExportJob } from "./job.ts";

const KINDS = ["output", "error", "deleted"] as const;
/** What lines of an `error` or `deleted` file are, whatever types are exported. */
const FIXED_TYPES: Readonly<Record<ExportFile["kind"], string | undefined>> = {
  output: undefined,
  error: "OperationOutcome",
  deleted: "Bundle",
};

export interface ManifestFacts {
  readonly job: ExportJob;
  readonly bases: Bases;
  /** No line of a file can be withheld, so that its count tells of nothing hidden (A9). */
  readonly mayCount: boolean;
}

export interface JudgedManifest {
  readonly manifest: JsonObject;
  readonly files: readonly ExportFile[];
}

/**
 * Builds the manifest anew: files of granted types only, each under this server's own address. Throws `AnswerUnreadable`
 * for what is no manifest, and for files kept elsewhere, which nobody could judge.
 *
 * @see https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status
 */
export function judgeManifest(body: Json, { job, bases, mayCount }: ManifestFacts): JudgedManifest {
  if (!isObject(body) || typeof body["transactionTime"] !== "string" || body["output"] === undefined) {
    throw new AnswerUnreadable("the answer is no export manifest");
  }
  const files: ExportFile[] = [];
  const lists = KINDS.map((kind) => {
    const shown = filesOf(body[kind], kind, job, bases).map(({ file, count }) => {
      files.push(file);
      const url = `${bases.baseUrl}/_export/${job.id}/${files.length - 1}`;
      return { type: file.type, url, ...(count === undefined || !mayCount ? {} : { count }) };
    });
    return [kind, shown] as const;
  });
  const manifest: JsonObject = {
    transactionTime: body["transactionTime"],
    request: job.request,
    requiresAccessToken: true,
    ...Object.fromEntries(lists.filter(([kind, shown]) => kind !== "deleted" || shown.length > 0)),
  };
  return { manifest, files };
}

function filesOf(
  list: Json | undefined,
  kind: ExportFile["kind"],
  { types }: ExportJob,
  bases: Bases,
): { readonly file: ExportFile; readonly count?: number }[] {
  const entries = objectsOf(list);
  if (entries === undefined) throw new AnswerUnreadable("a file list is none");
  return entries.flatMap(({ type, url, count }) => {
    const below = typeof url === "string" ? belowBase(url, bases) : undefined;
    if (typeof type !== "string" || below === undefined || below === "") {
      throw new AnswerUnreadable("a file is kept where it cannot be judged");
    }
    const isGranted = kind === "output" ? types.includes(type) : type === FIXED_TYPES[kind];
    if (!isGranted) return [];
    return [{ file: { kind, type, url: below }, ...(typeof count === "number" ? { count } : {}) }];
  });
}

export interface DeletedFacts {
  readonly bases: Bases;
  readonly rights: Rights;
}

/**
 * A line of a `deleted` file: which resources of granted types are gone, and nothing else. `undefined`: none of them.
 *
 * Does NOT know whose a deleted resource was, except of a Patient: that of one who withholds is left out.
 */
export function judgeDeleted(
  body: Json,
  { types }: ExportJob,
  { bases: { baseUrls }, rights }: DeletedFacts,
): JsonObject | undefined {
  const entries = isFhirResource(body) && body.resourceType === "Bundle" ? objectsOf(body["entry"]) : undefined;
  if (entries === undefined) throw new AnswerUnreadable("a line of deletions is no Bundle");
  const kept = entries.flatMap(({ request }): JsonObject[] => {
    const url = isObject(request) && request["method"] === "DELETE" ? request["url"] : undefined;
    const parsed = typeof url === "string" ? parseReference(url, { baseUrls }) : undefined;
    if (parsed?.kind !== "literal" || !types.includes(parsed.type)) return [];
    if (!rights.covers({ resourceType: parsed.type, id: parsed.id }, ["r"])) return [];
    return [{ request: { method: "DELETE", url: `${parsed.type}/${parsed.id}` } }];
  });
  return kept.length === 0 ? undefined : { resourceType: "Bundle", type: "transaction", entry: kept };
}
