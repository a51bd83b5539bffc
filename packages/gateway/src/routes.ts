import type { RoutePolicy } from "@wardline/policy-types";

/** Finds the route of a request-target by its raw path: exact segments, case and all; the longest path wins. */
export type FindRoute = (originalUrl: string) => RoutePolicy | undefined;

/** Looks once for each segment of the path, however many routes there are. */
export function routeFinder(routes: readonly RoutePolicy[]): FindRoute {
  const byPath = new Map(routes.map((route) => [route.path, route]));
  return (originalUrl) => {
    let path = originalUrl.split("?", 1)[0] ?? "";
    for (;;) {
      const route = byPath.get(path);
      if (route !== undefined) return route;
      const cut = path.lastIndexOf("/");
      if (cut < 0) return undefined;
      path = path.slice(0, cut);
    }
  };
}
