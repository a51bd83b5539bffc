import { type Decision, deny, permit } from "@wardline/policy-types";
import type { Claim } from "./match.ts";
import { lifeState } from "./observe/state.ts";
import { ENDPOINT_RETIRED, ENDPOINT_UNDECLARED } from "./problems.ts";

export interface RegistryQuestion {
  readonly claim: Claim | undefined;
  readonly now: number;
  readonly undeclared: "report" | "refuse";
  /** Announced with every answer of the endpoint, its refusal too. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Decides whether an endpoint is there: not once it is retired, and not when nobody declared it, if that is refused.
 *
 * Does NOT authenticate, authorise or limit anybody: `consumers` and `approvedScopes` are compared in reports only.
 */
export function decideRegistry({ claim, now, undeclared, headers }: RegistryQuestion): Decision<Claim | undefined> {
  if (claim !== undefined && lifeState(claim.entry, now) === "retired") {
    return deny({ ...ENDPOINT_RETIRED, headers }, [`${claim.entry.id} is retired`]);
  }
  if (claim?.declared === true) return permit(claim, [`${claim.entry.id} declares it`]);
  const because = [claim === undefined ? "no entry has this path" : `${claim.entry.id} does not declare it`];
  return undeclared === "refuse" ? deny(ENDPOINT_UNDECLARED, because) : permit(claim, because);
}
