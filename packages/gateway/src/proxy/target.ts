import { renderQuery } from "@wardline/fhir-r4";
import type { RequestContext } from "@wardline/policy-types/express";

/**
 * The path and query asked of the upstream: written anew from what was judged, so that no two readers of one spelling can
 * differ (S6). `url` is the request's, below the FHIR base, narrowed if smart-auth narrowed it.
 *
 * Requires an interaction in the context; without one nothing was judged and nothing may be asked.
 */
export function upstreamTarget(context: RequestContext, url: string, basePath: string): string {
  const { interaction } = context;
  if (interaction === undefined || interaction.code === "unknown") {
    throw new Error("no interaction in the request context: mount smartAuth() before the proxy");
  }
  const [, query = ""] = (context.rewritten?.url ?? url).split(/\?(.*)/s);
  const path = interaction.path
    .split("/")
    .map((segment) => encodeURIComponent(segment).replace(/^%24/, "$"))
    .join("/");
  const searches = interaction.search !== undefined || interaction.condition !== undefined;
  const pairs = [...new URLSearchParams(query)].filter(
    // The answer is asked for in JSON by header; a second statement could only contradict it.
    ([name]) => name !== "_format" && (searches || READ_PARAMETERS.has(name)),
  );
  const canonical = renderQuery(pairs);
  return `${basePath}${path === "/" ? "" : path}${canonical === "" ? "" : `?${canonical}`}`;
}

/**
 * Path and query of a route that is not FHIR, as received: its document was compared with this spelling, which is the only
 * one a path has. `url` is the request's, below the route's path.
 */
export function documentTarget(_context: RequestContext, url: string, basePath: string): string {
  return url.startsWith("/?") ? `${basePath}${url.slice(1)}` : `${basePath}${url}`;
}

/** What may stand on a read or a write. Anything else there was not judged, so it is not asked. */
const READ_PARAMETERS: ReadonlySet<string> = new Set(["_summary", "_elements", "_pretty"]);
