import {
  compartmentParameters,
  inCompartment,
  isResourceType,
  matches,
  parseSearch,
  type ReferenceOptions,
} from "@wardline/fhir-r4";
import type { Grant, GrantClause, ScopeLetter, SearchCriterion } from "@wardline/policy-types";
import type { FhirResource } from "./resource.ts";

/** A grant, asked about types and resources. Kept with the grant, so that it is worked out once for a token. */
export interface Rights {
  readonly grant: Grant;
  readonly references: ReferenceOptions;
  /** Clauses by which resources of the type can be reached at all with the letter. `*`: of any type. */
  clausesFor(type: string, letter: ScopeLetter): readonly GrantClause[];
  /** Some resources of the type can be reached with one of the letters. */
  reaches(type: string, letters: readonly ScopeLetter[]): boolean;
  /** All resources of the type can be reached with the letter. */
  reachesAll(type: string, letter: ScopeLetter): boolean;
  /** As `reachesAll`, whatever single patients or rules withhold: for answers of which each resource is judged. */
  grantsAll(type: string, letter: ScopeLetter): boolean;
  /** Everything of the type may be known: searched without bound, or read as a support type. */
  isOpen(type: string): boolean;
  /** The resource may be reached with one of the letters. What cannot be decided is not covered. */
  covers(resource: FhirResource, letters: readonly ScopeLetter[]): boolean;
}

export interface RightsSettings extends ReferenceOptions {
  /** Absent: every type. */
  readonly types?: ReadonlySet<string>;
}

export function createRights(grant: Grant, settings: RightsSettings): Rights {
  const { baseUrls = [], types } = settings;
  const references: ReferenceOptions = { baseUrls };
  const parsedFilters = new Map<string, readonly SearchCriterion[]>();

  /** By letter, then by type; R4's own types only, so that no answer can make it grow. */
  const found = new Map<ScopeLetter, Map<string, readonly GrantClause[]>>();

  function clausesFor(type: string, letter: ScopeLetter): readonly GrantClause[] {
    return found.get(letter)?.get(type) ?? findClauses(type, letter);
  }

  function findClauses(type: string, letter: ScopeLetter): readonly GrantClause[] {
    const isServed = type === "*" || types?.has(type) !== false;
    const clauses = isServed ? grant.clauses.filter((clause) => clauseReaches(clause, type, letter)) : [];
    if (type === "*" || isResourceType(type)) {
      const byType = found.get(letter) ?? new Map<string, readonly GrantClause[]>();
      found.set(letter, byType.set(type, clauses));
    }
    return clauses;
  }

  function passesFilter({ filter, from }: GrantClause, resource: FhirResource): boolean {
    if (filter.length === 0) return true;
    const key = `${from} ${resource.resourceType}`;
    let criteria = parsedFilters.get(key);
    if (criteria === undefined) {
      ({ criteria } = parseSearch([resource.resourceType], filter));
      if (isResourceType(resource.resourceType)) parsedFilters.set(key, criteria);
    }
    // A pair that is no criterion (a control, an include) would filter nothing.
    return criteria.length === filter.length && matches(resource, criteria, references) === true;
  }

  function isWithin({ compartment }: GrantClause, resource: FhirResource): boolean {
    // A13: bytes say nothing of whose they are; `decideBinary` asks what speaks for them.
    if (compartment !== undefined && resource.resourceType === "Binary") return false;
    if (compartment === undefined || !isMemberType(resource.resourceType, compartment.rule)) return true;
    return inCompartment(resource, compartment, compartment.rule, references);
  }

  return {
    grant,
    references,
    clausesFor,
    reaches: (type, letters) => letters.some((letter) => clausesFor(type, letter).length > 0),
    reachesAll: (type, letter) => clausesFor(type, letter).some(isWithoutBound),
    grantsAll: (type, letter) => clausesFor(type, letter).some(isWithoutBound),
    isOpen: (type) =>
      clausesFor(type, "s").some(isWithoutBound) ||
      clausesFor(type, "r").some(
        ({ compartment, filter }) =>
          compartment !== undefined &&
          !UNDECLARED.has(type) &&
          !isMemberType(type, compartment.rule) &&
          filter.length === 0,
      ),
    covers(resource, letters) {
      for (const letter of letters) {
        for (const clause of clausesFor(resource.resourceType, letter)) {
          if (isWithin(clause, resource) && passesFilter(clause, resource)) return true;
        }
      }
      return false;
    },
  };
}

/**
 * Under a compartment, a type is reached when it belongs to the compartment, or, by `r` alone, when it is a support type
 * or Binary, which is judged by what speaks for it.
 */
function clauseReaches(clause: GrantClause, type: string, letter: ScopeLetter): boolean {
  const { compartment, types, letters, supportTypes } = clause;
  if (!letters.includes(letter)) return false;
  if (types !== "*" && !types.includes(type)) return false;
  if (compartment === undefined || type === "*") return true;
  if (type === "Binary") return letter === "r" && clause.filter.length === 0;
  return isMemberType(type, compartment.rule) || (letter === "r" && supportTypes.includes(type));
}

/** Nothing can be said of what these hold by their type. */
const UNDECLARED: ReadonlySet<string> = new Set(["*", "Binary"]);

function isWithoutBound({ compartment, filter }: GrantClause): boolean {
  return compartment === undefined && filter.length === 0;
}

export function isMemberType(type: string, rule: "subject" | "full"): boolean {
  return compartmentParameters(type, rule).length > 0;
}
