import { Readable } from "node:stream";
import type { Upstream } from "./upstream.ts";

/** @see https://fetch.spec.whatwg.org/#null-body-status */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * `fetch` that asks one upstream over its own connections, with its TLS, its bounds and its circuit. An open circuit looks like
 * an answer 503.
 *
 * Does NOT follow redirects, and takes URLs of the upstream's base and bodies of text only.
 */
export function fetchThrough(upstream: Upstream): typeof fetch {
  return async function fetchThroughUpstream(input, { method = "GET", headers, body, signal } = {}) {
    const { origin, pathname, search } = new URL(input instanceof Request ? input.url : input);
    if (origin !== new URL(upstream.baseUrl).origin || !`${pathname}/`.startsWith(`${upstream.basePath}/`)) {
      throw new Error("the URL lies outside the upstream");
    }
    const decision = await upstream.request({
      method,
      path: pathname + search,
      headers: Object.fromEntries(new Headers(headers)),
      ...(typeof body === "string" ? { body: Buffer.from(body) } : {}),
      ...(signal ? { signal } : {}),
    });
    if (decision.kind === "deny") {
      return new Response(null, { status: decision.problem.status, headers: { ...decision.problem.headers } });
    }
    const answer = decision.grant;
    const given = Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
      typeof value === "string" ? [[name, value]] : [],
    );
    const isEmpty = WITHOUT_BODY.has(answer.statusCode);
    if (isEmpty) await answer.body.dump();
    return new Response(isEmpty ? null : (Readable.toWeb(answer.body) as ReadableStream<Uint8Array>), {
      status: answer.statusCode,
      headers: given,
    });
  };
}
