import { addMonths, parseDate } from "../dates.ts";
import type { InventoryEntry } from "../entry.ts";

/** Where an endpoint stands in its life. */
export type LifeState = "planned" | "active" | "deprecated" | "retired";

export function lifeState({ introduced, deprecated, retired }: InventoryEntry, now: number): LifeState {
  const isPast = (text: string | undefined): boolean => {
    const at = parseDate(text);
    return at !== undefined && at <= now;
  };
  if (isPast(retired)) return "retired";
  if (isPast(deprecated)) return "deprecated";
  return introduced === undefined || isPast(introduced) ? "active" : "planned";
}

const DEFAULT_REVIEW_MONTHS = 12;

/** When the vendor is to be reviewed again; undefined when there is none or nobody has reviewed it yet. */
export function reviewDue({ vendor }: InventoryEntry): number | undefined {
  const reviewed = parseDate(vendor?.reviewed);
  return reviewed === undefined ? undefined : addMonths(reviewed, vendor?.reviewMonths ?? DEFAULT_REVIEW_MONTHS);
}
