import type { CompartmentRule } from "./grant.ts";
import type { InteractionCode } from "./interaction.ts";
import type { RedactionChoicePolicy } from "./policy-data.ts";
import type { RegistryEntryPolicy } from "./policy-edge.ts";
import type { TierChoice } from "./policy-limits.ts";
import type { OpenApiPolicy } from "./policy-open-api.ts";
import type { ApiType, TrustZone } from "./zones.ts";

/**
 * R4 and R4B, as media types name them. What this edge knows of types, parameters and compartments is R4's, which R4B shares;
 * it can judge no other version.
 *
 * @see https://hl7.org/fhir/R4/http.html#version-parameter
 */
export type FhirVersion = (typeof FHIR_VERSIONS)[number];
export const FHIR_VERSIONS = ["4.0", "4.3"] as const;

/** One piece of the API: what may be asked under this path, by which zone, and who answers. */
export interface RoutePolicy {
  readonly id: string;
  /** Path prefix the FHIR base has on this edge: `/fhir`. No trailing slash. */
  readonly path: string;
  readonly zone: TrustZone;
  readonly apiType: ApiType;
  /** Name of the upstream that answers. */
  readonly upstream: string;
  /** Upstreams that answer for some types in place of `upstream`: one FHIR face for several systems. */
  readonly backends?: readonly { readonly types: readonly string[]; readonly upstream: string }[];
  /** What `upstream` and `backends` speak, and who asks for no version gets. Default `4.0`. */
  readonly fhirVersion?: FhirVersion;
  /** Upstreams that answer, for every type, who names another version in the `fhirVersion` of a media type. */
  readonly versions?: readonly { readonly fhirVersion: FhirVersion; readonly upstream: string }[];
  readonly interactions: readonly Exclude<InteractionCode, "unknown" | "operation">[];
  /** Operations allowed by name without `$`. Default none. */
  readonly operations?: readonly string[];
  /**
   * Of `operations`, what callers bound to a patient may submit to on a type, `Claim/$submit`, and by which right on the
   * resources of the type: the whole submission must be about that one patient. Default none.
   */
  readonly memberOperations?: Readonly<Record<string, "c" | "u" | "s">>;
  /** Search parameters beyond R4 that the upstream knows and that widen nothing: its own paging (`_offset`). Default none. */
  readonly extraParameters?: readonly string[];
  /** Resource types served. Default every type of R4. */
  readonly types?: readonly string[];
  /** Ids of the only clients that may call. Default every client the policy lets in. */
  readonly clients?: readonly string[];
  /** Name of the tier that limits it. */
  readonly tier: string;
  /** Other tiers for some callers or classes; the first that fits. */
  readonly tiersFor?: readonly TierChoice[];
  /** Which profile its answers leave under: a preset, one of `redaction.profiles`, or a choice by caller. Default by zone. */
  readonly redaction?: string | readonly RedactionChoicePolicy[];
  /** Scopes for every type (`user/*.rs`) grant nothing. Default false. */
  readonly refuseWildcardScopes?: boolean;
  /** Each token counts once, by its `jti`. Default false. */
  readonly oneTimeTokens?: boolean;
  /** Each token counts for its first holder only, by its `jti`: a key or a client certificate. Default false. */
  readonly bindToFirstHolder?: boolean;
  /** CIDR ranges that may call. Default what the zone's preset says. */
  readonly addresses?: readonly string[];
  /** What the inventory knows of it. */
  readonly registry?: RegistryEntryPolicy;
  readonly compartmentRule?: CompartmentRule;
  /** Types without a patient that a patient's app may read by reference. */
  readonly supportTypes?: readonly string[];
  /** Makes it a route that is not FHIR, judged by this document. Then without `interactions`. */
  readonly openApi?: OpenApiPolicy;
  /** How strictly bodies and queries are checked. Default: everything is refused that is not well-formed FHIR. */
  readonly schema?: SchemaPolicy;
}

/** `refuse` answers 400; `report` lets it pass and tells the operator; `off` does not look. */
export interface SchemaPolicy {
  /** Submitted resources. Default `refuse`. */
  readonly resources?: "refuse" | "report" | "off";
  /** Search parameters and their values. Default `refuse`. */
  readonly queries?: "refuse" | "report" | "off";
  /** Answers of the upstream, to find one that drifts. Default `off`. */
  readonly responses?: "report" | "off";
  /**
   * Heed `Prefer: handling=lenient`: search parameters R4 does not have are left out, and the answer says so. Weakens: the client
   * may get more than it meant to ask for, of what its token covers. Default false.
   */
  readonly allowLenient?: boolean;
  /** What R4 forbids and examples published with it do: tell the operator, or refuse. Default `report`. */
  readonly exampleFaults?: "report" | "refuse";
  /** Largest `_count`. Default 1000. */
  readonly maxCount?: number;
  /** `_include` and `_revinclude` of one search together, 0 for none. Default 10. */
  readonly maxIncludes?: number;
  /** Steps of one chain or `_has`, 0 for none. Default 3. */
  readonly maxChain?: number;
  /** Findings told in one refusal. Default 20. */
  readonly maxIssues?: number;
  /**
   * Files of OperationDefinitions, or of Bundles of them, JSON: what inputs a server's own operations take. Absent: R4's
   * operations alone are known by their inputs.
   */
  readonly operationDefinitions?: readonly string[];
  /** Profiles that what is submitted must meet. Absent: R4 alone. */
  readonly profiles?: {
    /** Files of StructureDefinitions and ValueSets, or of Bundles of them, JSON. */
    readonly files: readonly string[];
    /** By type: the profiles every resource of it must meet, by canonical URL. Default: those it claims itself. */
    readonly required?: Readonly<Record<string, readonly string[]>>;
  };
}

/** A route as people write it: the only upstream and the only tier need not be named, nor what one that is not FHIR has not. */
export type RouteSource = Omit<RoutePolicy, "upstream" | "tier" | "interactions"> &
  Partial<Pick<RoutePolicy, "upstream" | "tier" | "interactions">>;
