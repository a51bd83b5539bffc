import { isResourceType } from "@wardline/fhir-r4";
import {
  type Findings,
  INTERACTION_CODES,
  type InteractionCode,
  join,
  refuseUnknownKeys,
} from "@wardline/policy-types";
import { checkBooleans, isWithin } from "../checks.ts";
import { parseRanges } from "../network.ts";
import type { Predicate } from "./facts.ts";
import { hoursFault } from "./hours.ts";
import { attributePredicates, listPredicate, otherPredicates } from "./predicates.ts";
import type { AccessRule, ConditionFactsWanted } from "./rules.ts";

/** A rule, ready to be asked. */
export interface RuleSettings {
  readonly id: string;
  readonly effect: AccessRule["effect"];
  readonly interactions?: ReadonlySet<InteractionCode>;
  readonly types?: ReadonlySet<string>;
  readonly predicates: readonly Predicate[];
  readonly categories: readonly string[];
  readonly liftedByBreakGlass: boolean;
  /** What a challenge asks for, where a sign-in could help. */
  readonly acr?: readonly string[];
  readonly maxAuthAgeSeconds?: number;
}

const RULE = [
  "id",
  "effect",
  "categories",
  "on",
  "when",
  "liftedByBreakGlass",
] as const satisfies readonly (keyof AccessRule)[];
const LISTS = ["roles", "purposeOfUse", "acr", "amr", "departments", "organisations", "clients", "issuers"] as const;
const WANTED = [
  ...LISTS,
  "maxAuthAgeSeconds",
  "attributes",
  "networks",
  "hours",
  "test",
] as const satisfies readonly (keyof ConditionFactsWanted)[];
/** Shown in challenges and records, so they hold nothing that needs escaping. */
const ID = /^[A-Za-z0-9._:-]{1,64}$/;
export const ACR: RegExp = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;

/** @param known names of data categories */
export function parseConditions(
  found: Findings,
  rules: readonly AccessRule[],
  path: string,
  known: ReadonlySet<string>,
): readonly RuleSettings[] {
  if (!Array.isArray(rules)) {
    found.add(path, "not-a-list", "must be a list of rules");
    return [];
  }
  const parsed = (rules as readonly AccessRule[]).flatMap(
    (rule, at) => parseRule(found, rule, join(path, at), known) ?? [],
  );
  parsed.forEach(({ id }, at) => {
    if (parsed.findIndex((other) => other.id === id) !== at) {
      found.add(join(path, at), "repeated", "two rules have the same id");
    }
  });
  return Object.freeze(parsed);
}

function parseRule(
  found: Findings,
  rule: AccessRule,
  path: string,
  known: ReadonlySet<string>,
): RuleSettings | undefined {
  if (rule === null || typeof rule !== "object" || rule.when === null || typeof rule.when !== "object") {
    found.add(path, "not-a-rule", "must have `id`, `effect` and `when`");
    return undefined;
  }
  refuseUnknownKeys(found, rule, RULE, path);
  const { id, effect, on = {}, when } = rule;
  if (typeof id !== "string" || !ID.test(id)) {
    found.add(join(path, "id"), "not-a-name", "must be 1 to 64 letters, digits, dots, colons, hyphens, underscores");
  }
  if (!["deny", "require", "withhold", "permit"].includes(effect)) {
    found.add(join(path, "effect"), "unknown-value", 'must be "deny", "require", "withhold" or "permit"');
  }
  checkBooleans(found, rule, ["liftedByBreakGlass"], path);
  const categories = listOf(found, rule.categories, join(path, "categories"), (name) => known.has(name));
  if ((categories !== undefined) !== (effect === "withhold")) {
    found.add(join(path, "categories"), "mismatch", "belongs to rules that withhold, and only to them");
  }
  refuseUnknownKeys(found, on, ["interactions", "types"], join(path, "on"));
  const interactions = listOf(found, on.interactions, join(path, "on.interactions"), (code) =>
    (INTERACTION_CODES as readonly string[]).includes(code),
  );
  const types = listOf(found, on.types, join(path, "on.types"), isResourceType);
  return Object.freeze({
    id,
    effect,
    ...(interactions === undefined ? {} : { interactions: new Set(interactions as InteractionCode[]) }),
    ...(types === undefined ? {} : { types: new Set(types) }),
    categories: categories ?? [],
    predicates: parseWanted(found, when, join(path, "when")),
    liftedByBreakGlass: rule.liftedByBreakGlass === true,
    ...(when.acr === undefined ? {} : { acr: when.acr }),
    ...(when.maxAuthAgeSeconds === undefined ? {} : { maxAuthAgeSeconds: when.maxAuthAgeSeconds }),
  });
}

function parseWanted(found: Findings, when: ConditionFactsWanted, path: string): readonly Predicate[] {
  refuseUnknownKeys(found, when, WANTED, path);
  const predicates: Predicate[] = [];
  for (const name of LISTS) {
    const values = listOf(found, when[name], join(path, name), (value) => name !== "acr" || ACR.test(value));
    if (values !== undefined) predicates.push(listPredicate(name, values));
  }
  if (
    when.maxAuthAgeSeconds !== undefined &&
    !(isWithin(when.maxAuthAgeSeconds, 0, Number.MAX_SAFE_INTEGER) && when.maxAuthAgeSeconds > 0)
  ) {
    found.add(join(path, "maxAuthAgeSeconds"), "not-positive", "must be a positive number of seconds");
  }
  const attributes = Object.entries(when.attributes ?? {}).map(
    ([name, values]) => [name, listOf(found, values, join(join(path, "attributes"), name), () => true) ?? []] as const,
  );
  const ranges = listOf(found, when.networks, join(path, "networks"), () => true);
  const networks = ranges === undefined ? undefined : parseRanges(found, ranges, join(path, "networks"));
  const fault = when.hours === undefined ? undefined : hoursFault(when.hours);
  if (fault !== undefined) found.add(join(path, "hours"), "not-hours", fault);
  if (when.test !== undefined && typeof when.test !== "function") {
    found.add(join(path, "test"), "not-a-function", "must be a function");
  }
  const { maxAuthAgeSeconds, test } = when;
  const hours = fault === undefined ? when.hours : undefined;
  return [
    ...predicates,
    ...attributePredicates(attributes),
    ...otherPredicates({ maxAuthAgeSeconds, networks, hours, test }),
  ];
}

/** An empty list is a mistake: no caller could ever be meant by it. */
export function listOf(
  found: Findings,
  value: unknown,
  path: string,
  isGood: (item: string) => boolean,
): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const isList = Array.isArray(value) && value.length > 0;
  if (isList && value.every((item): item is string => typeof item === "string" && isGood(item))) return value;
  found.add(path, "not-a-list", "must be a list of known values, with at least one");
  return [];
}
