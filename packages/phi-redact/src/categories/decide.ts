import type { AccessFacts } from "../facts.ts";
import type { JsonObject } from "../values.ts";
import type { Detector } from "./detect.ts";
import { isPurpose } from "./purposes.ts";
import type { ConsentView, Fate, Ruling, SensitiveCondition, SensitiveRule } from "./rules.ts";

export interface SensitiveFacts {
  readonly facts: AccessFacts;
  readonly consent: ConsentView | undefined;
  readonly patientsOf: (resource: JsonObject) => readonly string[];
}

/** Categories this caller may not have whatever the consent says, and those that need it. */
export function withheldRules(rules: readonly SensitiveRule[], facts: AccessFacts): readonly SensitiveRule[] {
  return rules.filter(({ unless = [] }) => !unless.some((condition) => !condition.consent && isMet(condition, facts)));
}

/** May something leave to this caller by consent that has to carry a notice? */
export function mayNeedNotice(rules: readonly SensitiveRule[], facts: AccessFacts): boolean {
  return rules.some(
    ({ notice, unless = [] }) =>
      notice !== undefined && unless.some((condition) => condition.consent === true && isMet(condition, facts)),
  );
}

const KEPT: Ruling = Object.freeze({ fate: "keep", isNoticed: false });

/** The strictest fate of a resource under the rules that are in force for this caller. */
export function decideFate(
  resource: JsonObject,
  rules: readonly SensitiveRule[],
  detect: Detector,
  { facts, consent, patientsOf }: SensitiveFacts,
): Ruling {
  if (rules.length === 0) return KEPT;
  const found = detect(resource);
  if (found.size === 0) return KEPT;
  let fate: Fate = "keep";
  let isNoticed = false;
  for (const rule of rules) {
    if (!found.has(rule.category)) continue;
    const may = (rule.unless ?? []).some(
      (condition) => condition.consent === true && isMet(condition, facts) && consents(rule.category, resource),
    );
    if (may) isNoticed ||= rule.notice !== undefined;
    else if (STRICTNESS[rule.fate] > STRICTNESS[fate]) fate = rule.fate;
  }
  return { fate, isNoticed: isNoticed && fate === "keep" };

  /** Nobody to consent is no consent. */
  function consents(category: string, about: JsonObject): boolean {
    const patients = patientsOf(about);
    return (
      consent !== undefined && patients.length > 0 && patients.every((one) => consent.permits(one, category) === true)
    );
  }
}

function isMet({ roles, purposes, consent }: SensitiveCondition, facts: AccessFacts): boolean {
  if (roles === undefined && purposes === undefined && consent !== true) return false;
  const hasRole = roles === undefined || roles.some((role) => facts.roles.includes(role));
  const hasPurpose =
    purposes === undefined || purposes.some((wanted) => facts.purposes.some((purpose) => isPurpose(purpose, wanted)));
  return hasRole && hasPurpose;
}

const STRICTNESS: Readonly<Record<Fate, number>> = { keep: 0, encrypt: 1, redact: 2, drop: 3 };
