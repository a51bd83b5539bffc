import type { ApiType, TrustZone } from "@wardline/policy-types";
import { isPurpose } from "./categories/purposes.ts";
import type { AccessFacts } from "./facts.ts";
import type { PresetName } from "./presets/presets.ts";
import type { RedactionProfile } from "./profile/rules.ts";

/** For whom a profile is. Every part that is given must hold. */
export interface ProfileCondition {
  readonly zones?: readonly TrustZone[];
  readonly apiTypes?: readonly ApiType[];
  readonly clients?: readonly string[];
  readonly roles?: readonly string[];
  /** Codes of v3-ActReason; a narrower purpose counts as the broader one. */
  readonly purposes?: readonly string[];
}

export interface ProfileChoice {
  readonly when: ProfileCondition;
  readonly profile: PresetName | RedactionProfile;
}

/** The first choice whose condition holds. A missing fact fulfils nothing (A5). */
export function selectChoice<Choice extends { readonly when: ProfileCondition }>(
  choices: readonly Choice[],
  facts: AccessFacts,
): Choice | undefined {
  return choices.find(({ when }) => holds(when, facts));
}

function holds({ zones, apiTypes, clients, roles, purposes }: ProfileCondition, facts: AccessFacts): boolean {
  return (
    isOneOf(zones, facts.zone) &&
    isOneOf(apiTypes, facts.apiType) &&
    isOneOf(clients, facts.clientId) &&
    (roles === undefined || roles.some((role) => facts.roles.includes(role))) &&
    (purposes === undefined || purposes.some((wanted) => facts.purposes.some((one) => isPurpose(one, wanted))))
  );
}

function isOneOf(wanted: readonly string[] | undefined, given: string | undefined): boolean {
  return wanted === undefined || (given !== undefined && wanted.includes(given));
}
