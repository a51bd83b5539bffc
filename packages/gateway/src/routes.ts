import type { RoutePolicy } from "@wardline/policy-types";

/** Finds the route of a request-target by its raw path: exact segments, case and all; the longest path wins. */
export type FindRoute = (originalUrl: string) => RoutePolicy | undefined;

export function routeFinder(routes: readonly RoutePolicy[]): FindRoute {
  const longestFirst = [...routes].sort((a, b) => b.path.length - a.path.length);
  return (originalUrl) => {
    const path = originalUrl.split("?", 1)[0] ?? "";
    return longestFirst.find((route) => path === route.path || path.startsWith(`${route.path}/`));
  };
}
