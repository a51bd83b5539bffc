import type { RoutePolicy } from "@wardline/policy-types";

/** Finds the route of a request-target by its raw path: exact segments, case and all; the longest path wins. */
export type FindRoute = (originalUrl: string) => RoutePolicy | undefined;

/** Looks once for each segment of the longest route, however many routes there are and however long what was sent is (S5). */
export function routeFinder(routes: readonly RoutePolicy[]): FindRoute {
  const byPath = new Map(routes.map((route) => [route.path, route]));
  const longest = Math.max(0, ...routes.map(({ path }) => path.length));
  return (originalUrl) => {
    const path = originalUrl.split("?", 1)[0] ?? "";
    let end = path.length <= longest ? path.length : path.lastIndexOf("/", longest);
    while (end >= 0) {
      const route = byPath.get(path.slice(0, end));
      if (route !== undefined) return route;
      end = path.lastIndexOf("/", end - 1);
      // From the beginning `lastIndexOf` would find the first slash again.
      if (end === 0) return byPath.get("");
    }
    return undefined;
  };
}
