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
  const canonical = renderQuery([...new URLSearchParams(query)]);
  return `${basePath}${path === "/" ? "" : path}${canonical === "" ? "" : `?${canonical}`}`;
}
