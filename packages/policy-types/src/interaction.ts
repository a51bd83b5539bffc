/**
 * The codes of FHIR's restful-interaction code system that an HTTP request can be, and `unknown` for a request that
 * could not be named. A search in a compartment is `search-type` (or `search-system` for `*`) with `compartment` set.
 *
 * @see https://hl7.org/fhir/R4/valueset-restful-interaction.html
 */
export const INTERACTION_CODES = [
  "read",
  "vread",
  "update",
  "patch",
  "delete",
  "history-instance",
  "history-type",
  "history-system",
  "create",
  "search-type",
  "search-system",
  "capabilities",
  "batch",
  "transaction",
  "operation",
] as const;
export type InteractionCode = (typeof INTERACTION_CODES)[number] | "unknown";

/** How a request reaches a resource type: what an access decision must look at besides the base type. */
export type TouchVia =
  | "base"
  | "compartment"
  | "include"
  | "revinclude"
  | "chain"
  | "has"
  | "sort"
  | "type-filter"
  | "condition"
  | "operation"
  | "entry";

/** One type the request reaches. `*` means: any type. */
export interface Touch {
  readonly type: string;
  readonly via: TouchVia;
}

/** One step of a chain or `_has` path: `subject:Patient.` or `_has:Observation:subject:`. */
export interface SearchStep {
  readonly kind: "chain" | "has";
  /** The reference parameter followed. */
  readonly parameter: string;
  /** Types the step can reach: one when the request names it, else every target of the parameter. */
  readonly types: readonly string[];
}

export type SearchParameterType =
  | "number"
  | "date"
  | "string"
  | "token"
  | "reference"
  | "composite"
  | "quantity"
  | "uri"
  | "special";

/**
 * One `name=value` of a search, taken apart. Repeats of a name are separate criteria (AND); `values` are the comma
 * parts (OR), with `\,` still escaped inside each.
 */
export interface SearchCriterion {
  /** As sent, decoded: `subject:Patient.name:exact`. */
  readonly raw: string;
  /** Chain and `_has` steps before the final parameter, outermost first. */
  readonly steps: readonly SearchStep[];
  /** The final parameter's code: `name`. */
  readonly parameter: string;
  /** Types the final parameter is evaluated on. */
  readonly on: readonly string[];
  readonly modifier?: string;
  /** Absent when the parameter is not defined for the type: the request is then not `known`. */
  readonly parameterType?: SearchParameterType;
  readonly values: readonly string[];
  /** False when the R4 definitions have no such parameter for the type. */
  readonly known: boolean;
}

/** `_include` or `_revinclude`: `SourceType:searchParam[:TargetType]`. */
export interface SearchInclude {
  readonly kind: "include" | "revinclude";
  readonly iterate: boolean;
  /** `*` for a wildcard. */
  readonly source: string;
  readonly parameter: string;
  /** Types this include can bring into the answer. */
  readonly targets: readonly string[];
}

/**
 * A search, whichever spelling it came in: GET, POST `_search` (URL and body merged), a conditional URL or an
 * `If-None-Exist` header.
 */
export interface SearchQuery {
  readonly criteria: readonly SearchCriterion[];
  readonly includes: readonly SearchInclude[];
  readonly sort: readonly { readonly parameter: string; readonly descending: boolean; readonly known: boolean }[];
  /** Result and control parameters as sent (`_count`, `_summary`, `_elements`, `_total`, `_format`, ...). */
  readonly control: readonly { readonly name: string; readonly modifier?: string; readonly value: string }[];
  /** Every pair as decoded, in order: URL first, then body. */
  readonly pairs: readonly (readonly [name: string, value: string])[];
}

/** What one HTTP request asks of a FHIR server. */
export interface Interaction {
  readonly code: InteractionCode;
  /** Why the request could not be named; set exactly when `code` is `unknown`. A fixed phrase. */
  readonly unknownBecause?: string;
  /** The decoded path below the FHIR base, canonical: `/Patient/1`. */
  readonly path: string;
  readonly type?: string;
  readonly id?: string;
  readonly versionId?: string;
  readonly compartment?: { readonly type: string; readonly id: string };
  /** Name without `$`. */
  readonly operation?: { readonly name: string; readonly level: "system" | "type" | "instance" };
  /** Present for searches (and for history and operations that carry parameters). */
  readonly search?: SearchQuery;
  /** The condition of a conditional create, update, patch or delete. */
  readonly condition?: SearchQuery;
  /** Every type the request reaches, without repeats, base first. */
  readonly touches: readonly Touch[];
  /** Entries of a batch or transaction, in order; empty for everything else. */
  readonly entries: readonly BundleEntryInteraction[];
}

/** One entry of a batch or transaction. An entry that cannot be named has an `interaction` of code `unknown`. */
export interface BundleEntryInteraction {
  readonly index: number;
  readonly fullUrl?: string;
  readonly method: string;
  readonly interaction: Interaction;
}
