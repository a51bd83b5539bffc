import { parseInteraction } from "@wardline/fhir-r4";
import { type InventoryEntry, isFhirEntry } from "./entry.ts";
import type { MountedRoute } from "./introspect.ts";
import { declares, declaresMethod } from "./match.ts";

/** Mounted routes that no entry declares. */
export function undeclaredRoutes(
  mounted: readonly MountedRoute[],
  entries: readonly InventoryEntry[],
): readonly MountedRoute[] {
  return mounted.filter((route) => !entries.some((entry) => covers(entry, route)));
}

function covers(entry: InventoryEntry, { method, path }: MountedRoute): boolean {
  if (!isFhirEntry(entry)) return shapeOf(entry.path) === shapeOf(path) && declaresMethod(entry, method);
  const base = entry.path === "/" ? "" : entry.path;
  if (path !== entry.path && !path.startsWith(`${base}/`)) return false;
  const below = path.slice(base.length);
  // A pattern for any type, or for anything, is judged when it is used.
  if (/^\/[:*{(]/.test(below) || method === "ALL") return true;
  const { code, type, operation } = parseInteraction({ method, path: below.replaceAll(/:[A-Za-z0-9_]+/g, "1") });
  return declares(entry, { code, type, operation: operation?.name, level: operation?.level });
}

/** The names of parameters do not matter. */
function shapeOf(path: string): string {
  return path.replaceAll(/:[A-Za-z0-9_]+/g, ":");
}
