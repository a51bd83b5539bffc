import type { AccessRecord } from "@wardline/policy-types";
import { createDayOf } from "../cms/calendar.ts";
import { type MountedRoute, mountedRoutes } from "../introspect.ts";
import { type Asked, type Claim, createClaimOf } from "../match.ts";
import type { ParsedOptions } from "../options.ts";
import { createPathPattern, literalSegments } from "../path-pattern.ts";
import { undeclaredRoutes } from "../undeclared.ts";
import { createObservations, observe } from "./observations.ts";
import { DAY_MS, declaresSighting } from "./replay.ts";
import { buildReport, type InventoryReport } from "./report.ts";
import { type Sighted, sightingEntry, sightingOf, sightingsOfEntries } from "./sighting.ts";

/** Where a request was seen, besides its record. */
export interface Seen {
  readonly asked: Asked;
  readonly claim?: Claim;
  /** The route that answered, as it was mounted. */
  readonly routePath?: string;
}

/** The registry and what traffic shows of it, in bounded memory. */
export interface LiveInventory {
  claimOf(asked: Asked): Claim | undefined;
  observe(record: AccessRecord, seen?: Seen): void;
  lookInto(app: unknown): readonly MountedRoute[];
  report(): InventoryReport;
}

export function createLiveInventory(options: ParsedOptions): LiveInventory {
  const { entries, journal, metrics, maxNames, maxUndeclared, unusedDays, now } = options;
  const bounds = { maxNames, maxUndeclared };
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const claimOf = createClaimOf(entries);
  const dayOf = createDayOf("UTC");
  const observations = createObservations(bounds, entries.length);
  const startedAt = now();
  const words = new Set(entries.flatMap(({ path }) => literalSegments(path)));
  let patternOf = createPathPattern(words);
  let mounted: readonly MountedRoute[] = [];

  return {
    claimOf,
    observe(record, seen) {
      const claim = seen?.claim;
      const isKnown = record.routeId !== undefined && byId.has(record.routeId);
      const declared =
        claim !== undefined && (!isKnown || claim.entry.id === record.routeId) ? claim.declared : undefined;
      const shown = declared !== true && seen !== undefined ? shownPath(seen) : {};
      const sighted = sightingOf(record, { ...shown, ...(claim === undefined ? {} : { claim }) });
      const within = sightingsOfEntries(record, sighted.entry);
      see(sighted, record, declared);
      for (const one of within) see(one, record);
      journal?.record(record, sighted, ...within);
      metrics?.record(record);
    },
    lookInto(app) {
      const routes = mountedRoutes(app);
      for (const { path } of routes) for (const word of literalSegments(path)) words.add(word);
      patternOf = createPathPattern(words);
      mounted = undeclaredRoutes(routes, entries);
      return mounted;
    },
    report() {
      return buildReport({
        entries,
        observations,
        now: now(),
        watchedLongEnough: now() - startedAt >= unusedDays * DAY_MS,
        mounted: mounted.map(({ method, path }) => `${method} ${path}`),
      });
    },
  };

  function see(sighted: Sighted, { receivedAt }: AccessRecord, declared?: boolean): void {
    const sighting = sightingEntry(sighted, receivedAt, dayOf);
    observe(observations, sighting, bounds, declared ?? declaresSighting(byId, sighting));
  }

  /** The words of a mounted route come from code, not from the client. */
  function shownPath({ asked, routePath }: Seen): { readonly path: string } {
    const pattern = routePath === undefined ? patternOf : createPathPattern([...words, ...literalSegments(routePath)]);
    return { path: pattern(asked.path) };
  }
}
