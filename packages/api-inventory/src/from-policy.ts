import type { RoutePolicy } from "@wardline/policy-types";
import type { InventoryEntry } from "./entry.ts";

/** The part of a policy that the registry reads. */
export interface RegisteredRoutes {
  readonly routes: readonly Pick<
    RoutePolicy,
    "id" | "path" | "zone" | "apiType" | "interactions" | "operations" | "types" | "registry"
  >[];
}

/** One entry for each route of a policy: what the edge enforces, with what `registry` says besides. */
export function entriesFromPolicy({ routes }: RegisteredRoutes): readonly InventoryEntry[] {
  return routes.map(({ id, path, zone, apiType, interactions, operations, types, registry }) => ({
    ...registry,
    id,
    path,
    zone,
    apiType,
    interactions,
    ...(operations === undefined ? {} : { operations }),
    ...(types === undefined ? {} : { types }),
  }));
}
