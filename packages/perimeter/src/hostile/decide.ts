import { type Decision, deny, permit } from "@wardline/policy-types";
import { problemOf } from "../problems.ts";
import type { HostileFinding } from "./inspect.ts";
import type { ParsedHostileOptions } from "./options.ts";

export interface HostileVerdict {
  readonly decision: Decision<undefined>;
  /** What was found and stands behind no exception. */
  readonly standing: readonly HostileFinding[];
}

/**
 * Decides about what the rules found at a path. `because` names rules and where they spoke, no value.
 *
 * Does NOT make a query safe: a server that builds statements from values needs parameters, not this.
 */
export function decideHostile(
  found: readonly HostileFinding[],
  path: string,
  { mode, excepted }: Pick<ParsedHostileOptions, "mode" | "excepted">,
): HostileVerdict {
  if (found.length === 0) return { decision: CLEAN_INPUT, standing: [] };
  const standing = found.filter(({ rule, parameter }) => !excepted(path, rule, parameter));
  if (standing.length === 0) return EXCEPTED;
  const because = [...new Set(standing.map(({ rule, surface }) => `hostile:${rule} in ${surface}`))];
  const decision = mode === "refuse" ? deny(problemOf("hostile-input"), because) : permit(undefined, because);
  return { decision, standing };
}

/** What is decided where nothing was found. */
export const CLEAN_INPUT: Decision<undefined> = permit(undefined, ["no hostile input"]);

const EXCEPTED: HostileVerdict = Object.freeze({
  decision: permit(undefined, ["hostile input excepted on this route"]),
  standing: [],
});
