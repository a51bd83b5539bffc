import { matches, parseInteraction, renderQuery } from "@wardline/fhir-r4";
import type { Interaction, SearchQuery } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Request, Response } from "express";
import { applyPatch } from "../../src/patch/apply.ts";
import type { FhirResource } from "../../src/resource.ts";
import { UPSTREAM } from "./backend.ts";

export type Stored = FhirResource & { id: string };

/** A FHIR server that guards nothing and keeps every rule of R4 that the side doors are about. */
export interface FhirStore {
  readonly rows: Map<string, Stored>;
  /** `METHOD url` of every request, with the headers that count. */
  readonly seen: string[];
  readonly handle: (req: Request, res: Response) => void;
  readonly read: (reference: { type: string; id: string }) => Promise<Json | undefined>;
  readonly search: (search: { type: string; query: string }) => Promise<Json>;
  /** Forgets everything, and holds these. */
  readonly reset: (resources: readonly Stored[]) => void;
}

type Answer = { readonly status: number; readonly body?: Json; readonly location?: string };
const OUTCOME: Json = { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "processing" }] };
const failed = (status: number): Answer => ({ status, body: OUTCOME });

export function createFhirStore(resources: readonly Stored[]): FhirStore {
  const rows = new Map<string, Stored>();
  const cursors = new Map<string, { readonly found: Stored[]; readonly count: number; readonly self: string }>();
  const deleted = new Set<string>();
  let serial = 0;
  const put = (resource: Stored): Stored => {
    const key = `${resource.resourceType}/${resource.id}`;
    const before = rows.get(key)?.["meta"] as { versionId?: string } | undefined;
    const stored = {
      ...resource,
      meta: { versionId: String(Number(before?.versionId ?? 0) + 1) },
    } as unknown as Stored;
    rows.set(key, stored);
    return stored;
  };
  const reset = (all: readonly Stored[]): void => {
    rows.clear();
    cursors.clear();
    deleted.clear();
    serial = 0;
    for (const resource of all) put(resource);
  };
  reset(resources);

  const select = (type: string | undefined, search: SearchQuery | undefined): Stored[] =>
    [...rows.values()].filter(
      (row) =>
        (type === undefined || row.resourceType === type) &&
        (search?.criteria ?? []).every((criterion) => matches(row, [criterion], { baseUrls: [UPSTREAM] }) === true),
    );

  function page(found: Stored[], count: number, self: string): Json {
    const [shown, rest] = [found.slice(0, count), found.slice(count)];
    const token = `c${++serial}`;
    if (rest.length > 0) cursors.set(token, { found: rest, count, self });
    return {
      resourceType: "Bundle",
      type: "searchset",
      total: found.length,
      link: [
        { relation: "self", url: `${UPSTREAM}${self}` },
        ...(rest.length > 0 ? [{ relation: "next", url: `${UPSTREAM}?_getpages=${token}` }] : []),
      ],
      entry: shown.map((resource) => ({
        fullUrl: `${UPSTREAM}/${resource.resourceType}/${resource.id}`,
        resource,
        search: { mode: "match" },
      })),
    };
  }

  function search(interaction: Interaction): Answer {
    const token = interaction.search?.pairs.find(([name]) => name === "_getpages")?.[1];
    const cursor = cursors.get(token ?? "");
    if (token !== undefined && cursor === undefined) return failed(410);
    if (cursor !== undefined) return { status: 200, body: page(cursor.found, cursor.count, cursor.self) };
    const { type, path, search: asked } = interaction;
    const count = Number(asked?.control.find(({ name }) => name === "_count")?.value ?? 50);
    return { status: 200, body: page(select(type, asked), count, `${path}?${renderQuery(asked?.pairs ?? [])}`) };
  }

  function write(interaction: Interaction, body: Json | undefined, ifMatch: string | undefined): Answer {
    const { code, type = "", condition } = interaction;
    const found = condition === undefined ? [] : select(type, condition);
    if (found.length > 1) return failed(412);
    const id = interaction.id ?? found[0]?.id;
    const existing = id === undefined ? undefined : rows.get(`${type}/${id}`);
    const version = (existing?.["meta"] as { versionId?: string } | undefined)?.versionId;
    if (ifMatch !== undefined && ifMatch !== `W/"${version}"`) return failed(412);
    if (code === "create") {
      if (existing !== undefined) return { status: 200, body: existing, location: `${type}/${existing.id}` };
      return saved(201, { ...(body as FhirResource), id: `new${++serial}` });
    }
    if (code === "update") {
      if (existing !== undefined) return saved(200, { ...(body as FhirResource), id: existing.id });
      return saved(201, { ...(body as FhirResource), id: id ?? `new${++serial}` });
    }
    if (existing === undefined) return failed(404);
    if (code === "delete") {
      rows.delete(`${type}/${existing.id}`);
      deleted.add(`${type}/${existing.id}`);
      return { status: 204 };
    }
    const patched = applyPatch(existing, body);
    return patched.kind === "permit" ? saved(200, patched.grant as Stored) : failed(422);
  }

  function saved(status: number, resource: Stored): Answer {
    const stored = put(resource);
    const { versionId } = stored["meta"] as { versionId: string };
    return { status, body: stored, location: `${stored.resourceType}/${stored.id}/_history/${versionId}` };
  }

  /** Versions before the current one are forgotten. */
  function past({ code, type, id, versionId }: Interaction): Answer {
    const row = rows.get(`${type}/${id}`);
    const current = (row?.["meta"] as { versionId?: string } | undefined)?.versionId;
    if (code === "vread") return row !== undefined && versionId === current ? { status: 200, body: row } : failed(404);
    const request = { method: row === undefined ? "DELETE" : "PUT", url: `${type}/${id}` };
    const isKnown = row !== undefined || deleted.has(`${type}/${id}`);
    const entry = [{ ...(row === undefined ? {} : { resource: row }), request, response: { status: "200" } }];
    return isKnown ? { status: 200, body: { resourceType: "Bundle", type: "history", entry } } : failed(404);
  }

  /** `$everything` answers with all there is, whomever it is asked about; any other with what is submitted, and all of its type. */
  function operation({ type, operation: asked }: Interaction, body: Json | undefined): Answer {
    const isAll = asked?.name === "everything";
    const found = [...rows.values()].filter((row) => isAll || row.resourceType === type);
    const entry = [...(body === undefined ? [] : [body]), ...found].map((resource) => ({ resource }));
    return { status: 200, body: { resourceType: "Bundle", type: "collection", total: entry.length, entry } };
  }

  function answer(interaction: Interaction, body: Json | undefined, ifMatch?: string): Answer {
    const { code, type, id } = interaction;
    if (code === "read") {
      const row = rows.get(`${type}/${id}`);
      if (row !== undefined) return { status: 200, body: row };
      return failed(deleted.has(`${type}/${id}`) ? 410 : 404);
    }
    if (code === "vread" || code === "history-instance") return past(interaction);
    if (code === "operation") return operation(interaction, body);
    if (code === "search-type" || code === "search-system") return search(interaction);
    if (["create", "update", "patch", "delete"].includes(code)) return write(interaction, body, ifMatch);
    return failed(400);
  }

  function answerBundle(interaction: Interaction, bundle: Json): Answer {
    const given = (bundle as { entry: { resource?: Json; request: { ifMatch?: string } }[] }).entry;
    const entry = interaction.entries.map((one, at): Json => {
      const done = answer(one.interaction, given[at]?.resource, given[at]?.request.ifMatch);
      return {
        ...(done.body === undefined ? {} : { resource: done.body }),
        response: {
          status: String(done.status),
          ...(done.location === undefined ? {} : { location: done.location }),
        },
      };
    });
    return { status: 200, body: { resourceType: "Bundle", type: `${interaction.code}-response`, entry } };
  }

  return {
    rows,
    seen: [],
    reset,
    handle(req, res) {
      const [path = "", query = ""] = req.url.split(/\?(.*)/s);
      const body = req.body as Json | undefined;
      const isForm = req.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
      const interaction = parseInteraction({
        method: req.method,
        path,
        query,
        headers: req.headers,
        body,
        ...(isForm ? { form: new URLSearchParams(body as unknown as Record<string, string>).toString() } : {}),
      });
      const { "if-match": ifMatch, "if-none-exist": ifNoneExist } = req.headers;
      this.seen.push([req.method, req.url, ifMatch, ifNoneExist].filter((part) => part !== undefined).join(" "));
      const isBundle = interaction.code === "batch" || interaction.code === "transaction";
      const done = isBundle ? answerBundle(interaction, body ?? null) : answer(interaction, body, ifMatch);
      res.status(done.status).type("application/fhir+json");
      const version = ((done.body as FhirResource | undefined)?.["meta"] as { versionId?: string } | undefined)
        ?.versionId;
      if (version !== undefined) res.set("ETag", `W/"${version}"`);
      if (done.location !== undefined) res.set("Location", `${UPSTREAM}/${done.location}`);
      if (done.body === undefined) res.end();
      else res.json(done.body);
    },
    read: async ({ type, id }) => rows.get(`${type}/${id}`),
    search: async ({ type, query }) => {
      const done = search(parseInteraction({ method: "GET", path: `/${type}`, query }));
      return done.body ?? null;
    },
  };
}
