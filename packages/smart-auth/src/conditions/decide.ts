import type { Interaction } from "@wardline/policy-types";
import type { Answer, ConditionFacts, Predicate } from "./facts.ts";
import type { RuleSettings } from "./options.ts";

/** What a stronger or newer sign-in would have to be. */
export interface StepUp {
  readonly acr?: readonly string[];
  readonly maxAgeSeconds?: number;
}

export type ConditionVerdict =
  | { readonly kind: "met" }
  | { readonly kind: "refused"; readonly because: string }
  /** Signing in anew would do (RFC 9470). */
  | { readonly kind: "step-up"; readonly stepUp: StepUp; readonly because: string };

const MET: ConditionVerdict = Object.freeze({ kind: "met" });
const NONE: readonly string[] = Object.freeze([]);

/**
 * Decides a request by rules: one deny is enough, every requirement must be met, and where there are permits one must hold.
 * A rule that throws denies; a fact that is not known never speaks for the caller.
 *
 * Does NOT grant anything: scopes do.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9470#section-3
 */
export function decideConditions(rules: readonly RuleSettings[], facts: ConditionFacts): ConditionVerdict {
  if (rules.length === 0) return MET;
  const inForce = rules.filter((rule) => !(rule.liftedByBreakGlass && facts.brokeGlass));
  const refusals = inForce.flatMap((rule) =>
    rule.effect === "deny" || rule.effect === "require" ? (fault(rule, facts) ?? []) : [],
  );
  const hard = refusals.find(({ kind }) => kind === "refused");
  const permits = inForce.filter(({ effect }) => effect === "permit");
  const unmet = permits.length === 0 ? undefined : permitFault(permits, facts);
  // A challenge is given only where answering it would help.
  if (hard !== undefined) return hard;
  if (unmet?.kind === "refused") return unmet;
  return refusals[0] ?? unmet ?? MET;
}

/** The data categories that stay behind in this request; what one entry of a batch leaves behind, all of them do (A11). */
export function withheldCategories(rules: readonly RuleSettings[], facts: ConditionFacts): readonly string[] {
  if (!rules.some(({ effect }) => effect === "withhold")) return NONE;
  const { interaction } = facts;
  const asked = [interaction, ...interaction.entries.map((entry) => entry.interaction)];
  const inForce = rules.filter(
    (rule) =>
      rule.effect === "withhold" &&
      !(rule.liftedByBreakGlass && facts.brokeGlass) &&
      asked.some((one) => isWithholding(rule, { ...facts, interaction: one })),
  );
  return [...new Set(inForce.flatMap(({ categories }) => categories))];
}

function isWithholding(rule: RuleSettings, facts: ConditionFacts): boolean {
  if (!isAbout(rule, facts.interaction, "some")) return false;
  return !rule.predicates.map((predicate) => ask(predicate, facts)).includes(false);
}

function fault(rule: RuleSettings, facts: ConditionFacts): ConditionVerdict | undefined {
  if (!isAbout(rule, facts.interaction, "some")) return undefined;
  const answers = rule.predicates.map((predicate) => ask(predicate, facts));
  if (rule.effect === "deny") {
    return answers.includes(false) ? undefined : { kind: "refused", because: `rule ${rule.id} denies` };
  }
  return unmetBy(rule, answers);
}

/** All permits failed: a challenge, when for one of them only the sign-in was missing. */
function permitFault(permits: readonly RuleSettings[], facts: ConditionFacts): ConditionVerdict | undefined {
  const unmet = permits.map((rule): ConditionVerdict | undefined =>
    isAbout(rule, facts.interaction, "every")
      ? unmetBy(
          rule,
          rule.predicates.map((predicate) => ask(predicate, facts)),
        )
      : { kind: "refused", because: "" },
  );
  if (unmet.includes(undefined)) return undefined;
  return unmet.find((verdict) => verdict?.kind === "step-up") ?? { kind: "refused", because: "no rule permits" };
}

function unmetBy(rule: RuleSettings, answers: readonly (Answer | "threw")[]): ConditionVerdict | undefined {
  const missing = rule.predicates.filter((_, at) => answers[at] !== true);
  if (missing.length === 0) return undefined;
  const because = `rule ${rule.id} is not met: ${missing.map(({ name }) => name).join(", ")}`;
  if (!missing.every(({ stepUp }) => stepUp)) return { kind: "refused", because };
  const { acr, maxAuthAgeSeconds } = rule;
  return {
    kind: "step-up",
    because,
    stepUp: {
      ...(acr === undefined ? {} : { acr }),
      ...(maxAuthAgeSeconds === undefined ? {} : { maxAgeSeconds: maxAuthAgeSeconds }),
    },
  };
}

function ask(predicate: Predicate, facts: ConditionFacts): Answer | "threw" {
  try {
    const answer: unknown = predicate.ask(facts);
    return answer === true || answer === false ? answer : "unknown";
  } catch {
    return "threw";
  }
}

function isAbout({ interactions, types }: RuleSettings, interaction: Interaction, which: "some" | "every"): boolean {
  if (interactions !== undefined && !interactions.has(interaction.code)) return false;
  if (types === undefined) return true;
  const touched = new Set([
    ...(interaction.type === undefined ? [] : [interaction.type]),
    ...interaction.touches.map(({ type }) => type),
  ]);
  // What may be of any type may be of these; for a permit it may be of others.
  if (touched.size === 0 || touched.has("*")) return which === "some";
  return which === "some"
    ? [...touched].some((type) => types.has(type))
    : [...touched].every((type) => types.has(type));
}
