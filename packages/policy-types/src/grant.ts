/** The five SMART v2 permissions, always in this order. */
export type ScopeLetter = "c" | "r" | "u" | "d" | "s";

/**
 * How a resource is found to belong to a compartment. `subject`: the element that says whom the record is about.
 * `full`: every parameter of the CompartmentDefinition, authors and performers included.
 */
export type CompartmentRule = "subject" | "full";

/** One thing a caller may do. A request is covered when every part of it is covered by some clause. */
export interface GrantClause {
  /** The scope or policy rule it came from, for `because`. */
  readonly from: string;
  readonly context: "patient" | "user" | "system";
  /** `*` for every type. */
  readonly types: "*" | readonly string[];
  readonly letters: readonly ScopeLetter[];
  /** Resources outside are not covered. Absent: no compartment bound, which only `user/` and `system/` may have. */
  readonly compartment?: { readonly type: "Patient"; readonly id: string; readonly rule: CompartmentRule };
  /** Granular scope parameters, ANDed: `[["category", "…|laboratory"]]`. */
  readonly filter: readonly (readonly [name: string, value: string])[];
  /** Types without a patient that may be read by reference (Practitioner, Organization, ...). */
  readonly supportTypes: readonly string[];
}

/** What a principal may do on one route: the union of its clauses. No clause, no access. */
export interface Grant {
  readonly clauses: readonly GrantClause[];
  /** Names of data categories that stay behind, whoever's they are. */
  readonly deniedCategories?: readonly string[];
}
