import type { SightingEntry } from "../cms/journal-entry.ts";
import { type BoundedMap, boundedMap } from "./bounded-map.ts";

/** How often, how it ended, and when last. */
export interface Use {
  answered: number;
  refused: number;
  absent: number;
  lastAt: number;
}

export interface EntryUse extends Use {
  /** `read`, `operation $everything`, `GET`. */
  readonly actions: BoundedMap<Use>;
  readonly types: BoundedMap<Use>;
  readonly clients: BoundedMap<Use>;
  readonly scopes: BoundedMap<Use>;
}

/** What traffic has shown. Every part is bounded by configuration: clients, scopes and paths come from outside. */
export interface Observations {
  readonly entries: BoundedMap<EntryUse>;
  /** `METHOD path` of requests nobody declared. */
  readonly undeclared: BoundedMap<Use>;
  /** Requests counted. */
  total: number;
  firstAt?: number;
}

export interface Bounds {
  readonly maxNames: number;
  readonly maxUndeclared: number;
}

export function createObservations({ maxUndeclared }: Bounds, maxEntries: number): Observations {
  return { entries: boundedMap(maxEntries), undeclared: boundedMap(maxUndeclared), total: 0 };
}

/** @param declared whether the entry says that this may be asked; undefined when there is no entry */
export function observe(
  observations: Observations,
  sighting: SightingEntry,
  bounds: Bounds,
  declared: boolean | undefined,
): void {
  const { entry, client, scopes, resourceType } = sighting;
  observations.total += sighting.count;
  observations.firstAt = Math.min(observations.firstAt ?? sighting.lastAt, sighting.lastAt);
  if (declared !== true) count(observations.undeclared, nameOfUndeclared(sighting), sighting);
  // Names of routes that are not in the registry take no room in it.
  if (entry === undefined || declared === undefined) return;
  const use = observations.entries.take(entry, () => openEntry(bounds));
  if (use === undefined) return;
  add(use, sighting);
  if (declared === true) count(use.actions, actionOf(sighting), sighting);
  if (resourceType !== undefined) count(use.types, resourceType, sighting);
  if (client !== undefined) count(use.clients, client, sighting);
  for (const scope of scopes) count(use.scopes, scope, sighting);
}

/** How a use of an endpoint is called in reports. */
function actionOf({ interaction, operation, method }: SightingEntry): string {
  if (interaction === "operation") return `operation $${operation ?? "{}"}`;
  return interaction === "unknown" ? method : interaction;
}

/** Without a path the interaction says what was asked. */
function nameOfUndeclared({ method, path, interaction, resourceType = "", entry }: SightingEntry): string {
  return `${method} ${path ?? `${entry ?? "(no route)"} ${interaction} ${resourceType}`.trim()}`;
}

function openEntry({ maxNames }: Bounds): EntryUse {
  const open = <Value>() => boundedMap<Value>(maxNames);
  return { ...nothing(), actions: open(), types: open(), clients: open(), scopes: open() };
}

function count(uses: BoundedMap<Use>, name: string, sighting: SightingEntry): void {
  const use = uses.take(name, nothing);
  if (use !== undefined) add(use, sighting);
}

function add(use: Use, { outcome, count: times, lastAt }: SightingEntry): void {
  use[outcome] += times;
  use.lastAt = Math.max(use.lastAt, lastAt);
}

function nothing(): Use {
  return { answered: 0, refused: 0, absent: 0, lastAt: 0 };
}
