import { patientsOf } from "@wardline/fhir-r4";
import type { FhirResource } from "../resource.ts";
import { isMemberType, type Rights } from "../rights.ts";
import { type CategorySettings, isOfCategory } from "./categories.ts";
import type { ConsentView } from "./registry.ts";

/** Says of a resource whether it must stay behind. Asked for every resource that leaves or is written. */
export interface Withholding {
  /** Something may be hidden from this caller, so that nothing may be counted or guessed at (A1, A9). */
  readonly mayHide: boolean;
  isWithheld(resource: FhirResource): boolean;
}

export interface WithholdingFacts {
  /** What patients withhold, as it is at this moment. Absent: no registry. */
  readonly view?: ConsentView;
  /** Categories denied whoever the patient is. */
  readonly denied: readonly string[];
  readonly categories: ReadonlyMap<string, CategorySettings>;
  /** The caller manages consent: what a Consent itself says is not withheld. */
  readonly isManager: boolean;
}

/**
 * The clauses of a guard that consent adds. A resource about several patients stays behind when one of them withholds it;
 * a category that is not known here withholds everything.
 *
 * Does NOT remember: the view is asked each time, for every line of a stream (A10). Throws when the view does.
 */
export function createWithholding(facts: WithholdingFacts, { references }: Rights): Withholding {
  const { view, denied, categories, isManager } = facts;
  const isOf = (resource: FhirResource, name: string) => {
    const category = categories.get(name);
    return category === undefined || isOfCategory(resource, category);
  };
  return {
    mayHide: denied.length > 0 || view?.withholdsAny() === true,
    isWithheld(resource) {
      if (denied.some((name) => isOf(resource, name))) return true;
      if (view === undefined || (isManager && resource.resourceType === "Consent")) return false;
      return patientsOf(resource, references).some((patient) => {
        const withheld = view.withheldBy(patient);
        return withheld === "all" || withheld.some((name) => isOf(resource, name));
      });
    },
  };
}

/**
 * Rights without what is withheld: nothing of it is covered, and where something may be hidden nothing is without bound.
 */
export function withoutWithheld(rights: Rights, withholding: Withholding): Rights {
  const { mayHide } = withholding;
  return {
    ...rights,
    reachesAll: (type, letter) => !mayHide && rights.reachesAll(type, letter),
    // What belongs to no patient is withheld by none.
    isOpen: (type) => rights.isOpen(type) && (!mayHide || (type !== "*" && !isMemberType(type, "full"))),
    covers: (resource, letters) => rights.covers(resource, letters) && !withholding.isWithheld(resource),
  };
}
