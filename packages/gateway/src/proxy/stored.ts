import { DependencyError } from "@wardline/policy-types";
import { type Json, Pieces, readJson } from "@wardline/policy-types/express";
import type { Upstream } from "./upstream.ts";

const STORED_LIMIT_BYTES = 5 * 1024 * 1024;

/**
 * Reads the stored version of a resource, so that a write can be judged by what it would replace (A11). `undefined` when
 * there is none. Throws a `DependencyError` when the upstream cannot say.
 */
export async function readStored(
  upstream: Upstream,
  reference: { readonly type: string; readonly id: string },
): Promise<Json | undefined> {
  try {
    const { status, json } = await getJson(upstream, `/${reference.type}/${reference.id}`);
    if (status === 404 || status === 410) return undefined;
    if (status !== 200) throw new Error("upstream did not give the stored resource");
    return json;
  } catch (cause) {
    throw new DependencyError("gateway/stored-unreadable", "the stored version could not be read", {
      cause,
      retryable: true,
    });
  }
}

/** The first page of a search, to find what a condition means. Throws a `DependencyError` when the upstream cannot say. */
export async function searchStored(
  upstream: Upstream,
  { type, query }: { readonly type: string; readonly query: string },
): Promise<Json> {
  try {
    const { status, json } = await getJson(upstream, `/${type}?${query}`);
    if (status !== 200 || json === undefined) throw new Error("upstream did not answer the search");
    return json;
  } catch (cause) {
    throw new DependencyError("gateway/stored-unreadable", "the stored resources could not be searched", {
      cause,
      retryable: true,
    });
  }
}

async function getJson(upstream: Upstream, path: string): Promise<{ readonly status: number; readonly json?: Json }> {
  const decision = await upstream.request({
    method: "GET",
    path: upstream.basePath + path,
    headers: { accept: "application/fhir+json", "accept-encoding": "identity" },
    signal: AbortSignal.timeout(10_000),
  });
  if (decision.kind === "deny") throw new Error(decision.problem.code);
  const { statusCode: status, body } = decision.grant;
  if (status !== 200) {
    await body.dump();
    return { status };
  }
  const pieces = new Pieces();
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (pieces.size + chunk.length > STORED_LIMIT_BYTES) throw new Error("stored resource is over the limit");
    pieces.add(chunk);
  }
  return { status, json: readJson(pieces.take().toString("utf8")) as Json };
}
