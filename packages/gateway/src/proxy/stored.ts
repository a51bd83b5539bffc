import { DependencyError } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
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
    const { statusCode, body } = await upstream.request({
      method: "GET",
      path: `${upstream.basePath}/${reference.type}/${reference.id}`,
      headers: { accept: "application/fhir+json", "accept-encoding": "identity" },
      signal: AbortSignal.timeout(10_000),
    });
    if (statusCode === 404 || statusCode === 410) {
      await body.dump();
      return undefined;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > STORED_LIMIT_BYTES) throw new Error("stored resource is over the limit");
      chunks.push(chunk);
    }
    if (statusCode !== 200) throw new Error("upstream did not give the stored resource");
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as Json;
  } catch (cause) {
    throw new DependencyError("gateway/stored-unreadable", "the stored version could not be read", {
      cause,
      retryable: true,
    });
  }
}
