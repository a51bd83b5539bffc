import { type AccessRecord, accessOfEntry } from "@wardline/policy-types";
import type { DayOf } from "../cms/calendar.ts";
import type { SightingEntry } from "../cms/journal-entry.ts";
import type { Claim } from "../match.ts";

/** A sighting without its count. */
export type Sighted = Omit<SightingEntry, "kind" | "day" | "lastAt" | "count">;

const MAX_NAME_CHARS = 200;

/**
 * What the inventory keeps of a finished request. `claim` and `path` come from the request itself, where it was seen; a
 * record alone names its route.
 */
export function sightingOf(
  record: AccessRecord,
  seen: { readonly claim?: Claim; readonly path?: string } = {},
): Sighted {
  const { method, interaction, operation, resourceType, zone, routeId, principal } = record;
  const entry = routeId ?? seen.claim?.entry.id;
  const kind = interaction === "unknown" ? (seen.claim?.interaction ?? interaction) : interaction;
  const client = principal?.clientId;
  return {
    method: /^[A-Z]{1,16}$/.test(method) ? method : "OTHER",
    interaction: kind,
    outcome: outcomeOf(record),
    scopes: [...new Set(principal?.scopes.map(shownScope))].sort(),
    ...(entry === undefined ? {} : { entry }),
    ...(seen.path === undefined ? {} : { path: seen.path }),
    ...(operation === undefined ? {} : { operation }),
    ...(resourceType === undefined ? {} : { resourceType }),
    ...(zone === undefined ? {} : { zone }),
    ...(client === undefined ? {} : { client: client.slice(0, MAX_NAME_CHARS) }),
  };
}

/**
 * Each entry of a batch does what it does, wherever it is asked: else nobody would see what is done in batches alone. Its endpoint
 * is that of the whole.
 */
export function sightingsOfEntries(
  record: AccessRecord,
  endpoint: string | undefined = record.routeId,
): readonly Sighted[] {
  const at = endpoint === undefined ? {} : { routeId: endpoint };
  return (record.entries ?? []).map((entry) => sightingOf({ ...accessOfEntry(record, entry), ...at }));
}

function outcomeOf({ outcome, status }: AccessRecord): Sighted["outcome"] {
  if (outcome === "deny") return "refused";
  return status === 404 || status === 405 || status === 501 ? "absent" : "answered";
}

/** A granular scope's query may hold a value that says something about somebody. */
function shownScope(scope: string): string {
  const [bare = "", query] = scope.split("?", 2);
  return (query === undefined ? bare : `${bare}?{}`).slice(0, MAX_NAME_CHARS);
}

/** The day and the time make a sighting an entry of the journal. */
export function sightingEntry(sighted: Sighted, at: number, dayOf: DayOf): SightingEntry {
  return { kind: "sighting", day: dayOf(at), lastAt: at, count: 1, ...sighted };
}
