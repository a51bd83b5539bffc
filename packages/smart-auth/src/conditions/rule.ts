import { type Decision, deny, type Interaction } from "@wardline/policy-types";
import { POLICY_REFUSED } from "../problems.ts";
import type { Problems } from "../token-problems.ts";
import { decideConditions } from "./decide.ts";
import type { ConditionFacts } from "./facts.ts";
import type { RuleSettings } from "./options.ts";

/** What policy says of an interaction; `undefined`: nothing against it. */
export type Rule = (interaction: Interaction) => Decision<never> | undefined;

/** What is the same for all entries of a batch. */
export type RequestFacts = Omit<ConditionFacts, "interaction">;

export const NO_RULE: Rule = () => undefined;

/**
 * What is said of a batch as a whole is what names it; the rest is said of each of its entries, which are asked about by
 * themselves.
 *
 * @param problems of the scheme the caller used
 */
export function ruleOf(rules: readonly RuleSettings[], facts: RequestFacts, problems: Problems): Rule {
  if (rules.length === 0) return NO_RULE;
  const ofBundles = rules.filter(({ effect, interactions }) => effect !== "permit" && interactions !== undefined);
  return (interaction) => {
    const isBundle = interaction.code === "batch" || interaction.code === "transaction";
    const verdict = decideConditions(isBundle ? ofBundles : rules, { ...facts, interaction });
    switch (verdict.kind) {
      case "met":
        return undefined;
      case "refused":
        return deny(POLICY_REFUSED, [verdict.because]);
      case "step-up":
        return deny(problems.stepUpNeeded(verdict.stepUp), [verdict.because]);
    }
  };
}
