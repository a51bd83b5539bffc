import type { ApiType, InteractionCode, RegistryEntryPolicy, TrustZone } from "@wardline/policy-types";

/**
 * One endpoint. With `interactions` or `operations` it is a FHIR base and everything below `path`; with `methods` it is
 * one route in Express spelling (`/patients/:id`). Dates are `2026-11-01` (from 0:00 UTC) or instants with a time zone.
 */
export interface InventoryEntry extends RegistryEntryPolicy {
  readonly id: string;
  /** `/fhir`, or `/patients/:id`. */
  readonly path: string;
  readonly zone: TrustZone;
  readonly apiType: ApiType;
  readonly summary?: string;
  readonly methods?: readonly HttpMethod[];
  readonly interactions?: readonly Exclude<InteractionCode, "unknown" | "operation">[];
  /** Names without `$`. */
  readonly operations?: readonly string[];
  /** Resource types. Default every type of R4. */
  readonly types?: readonly string[];
}

export const HTTP_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
export type HttpMethod = (typeof HTTP_METHODS)[number];

export function isFhirEntry(entry: InventoryEntry): boolean {
  return entry.methods === undefined;
}
