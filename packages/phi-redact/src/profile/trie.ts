import { type Findings, join } from "@wardline/policy-types";
import { isPrimitiveType } from "../definitions.ts";
import { ABSTRACT_TYPES, parsePath } from "./paths.ts";
import { DEFAULT_RULES, type RedactionProfile, type RuleAction } from "./rules.ts";

/** The rules as a tree of steps: a node for each place some rule names. */
export interface TrieNode {
  readonly id: number;
  /** Which rule wins where several speak: the longer path, then the concrete type. */
  readonly rank: number;
  readonly children: Map<string, TrieNode>;
  action?: RuleAction;
}

export interface RuleTrie {
  readonly roots: ReadonlyMap<string, TrieNode>;
  /** Types that may leave; undefined when all may. */
  readonly only: ReadonlySet<string> | undefined;
}

/** Builds the tree of a profile's rules; what is wrong with them goes to `found`. */
export function buildTrie(profile: RedactionProfile, found: Findings): RuleTrie {
  const roots = new Map<string, TrieNode>();
  let count = 0;

  function node(steps: readonly string[]): TrieNode {
    let level: Map<string, TrieNode> = roots;
    let current: TrieNode | undefined;
    for (const [index, step] of steps.entries()) {
      const concrete = ABSTRACT_TYPES.has(steps[0] ?? "") ? 0 : 1;
      current = level.get(step);
      if (current === undefined) {
        current = { id: count++, rank: (index + 1) * 2 + concrete, children: new Map() };
        level.set(step, current);
      }
      level = current.children;
    }
    if (current === undefined) throw new TypeError("a path has at least one step");
    return current;
  }

  function add(path: string, action: RuleAction, where: string): void {
    const parsed = parsePath(path);
    if (typeof parsed === "string") return found.add(where, "invalid-path", parsed);
    const fault = faultOf(action, parsed.steps, parsed.leaf);
    if (fault !== undefined) return found.add(where, "invalid-action", fault);
    const place = node(parsed.steps);
    if (place.action !== undefined) return found.add(where, "duplicate-path", "two rules name the same path");
    place.action = action;
  }

  for (const [index, path] of (profile.only ?? []).entries()) add(path, "keep", join("only", index));
  for (const [index, rule] of (profile.rules ?? []).entries()) add(rule.path, rule.action, join("rules", index));
  for (const { path, action } of DEFAULT_RULES) {
    const parsed = parsePath(path);
    if (typeof parsed === "string") throw new TypeError(`default rule ${path}: ${parsed}`);
    node(parsed.steps).action ??= action;
  }
  const only = profile.only && new Set(profile.only.map((path) => path.split(".")[0] ?? ""));
  return { roots, only };
}

/** Why an action cannot be done there, if it cannot. */
function faultOf(action: RuleAction, steps: readonly string[], leaf: readonly string[]): string | undefined {
  const last = steps.at(-1) ?? "";
  const isWhole = steps.length === 1 && !leaf.every(isPrimitiveType);
  const resource = isWhole && /^[A-Z]/.test(last) && action !== "keep";
  if (last === "url" && steps[0] === "Extension") return "the URL of an extension cannot be changed";
  if (action !== "keep" && leaf.includes("Meta") && steps.length < 3) {
    return "the labels of what was done stand in meta: name its elements";
  }
  switch (action) {
    case "keep":
    case "remove":
      return undefined;
    case "generalise":
      return leaf.some((type) => GENERALISED.has(type)) || last === "postalCode"
        ? undefined
        : "only dates, ages and postal codes can be generalised";
    case "pseudonymise":
      return leaf.every((type) => TEXTUAL.has(type)) ? undefined : "only text can be pseudonymised: name its element";
    case "mask":
    case "encrypt":
      return leaf.includes("Resource") || leaf.includes("xhtml") || last === "id"
        ? "this cannot be masked or encrypted: remove or pseudonymise it"
        : undefined;
    default:
      if (action === null || typeof action !== "object")
        return "known actions are keep, remove, mask, generalise, pseudonymise, encrypt";
      if ("replace" in action) return resource ? "a type cannot be replaced: name its elements" : undefined;
      if (!Number.isInteger(action.mask?.last) || action.mask.last < 1 || action.mask.last > 8) {
        return "`last` is a whole number of 1 to 8";
      }
      return leaf.every((type) => TEXTUAL.has(type)) ? undefined : "only text can be shown in part";
  }
}

const GENERALISED: ReadonlySet<string> = new Set(["date", "dateTime", "instant", "Age", "Quantity"]);
const TEXTUAL: ReadonlySet<string> = new Set([
  "string",
  "id",
  "uri",
  "url",
  "uuid",
  "oid",
  "markdown",
  "canonical",
  "code",
]);
