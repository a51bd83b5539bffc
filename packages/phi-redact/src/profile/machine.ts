import { isResourceType } from "@wardline/fhir-r4";
import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { type ElementDefinition, isPrimitiveType, typeDefinition } from "../definitions.ts";
import type { RedactionProfile, RuleAction } from "./rules.ts";
import { isSpecial, requiredOf, type State, type Step, type StepKind, stepOf } from "./steps.ts";
import { buildTrie, type RuleTrie, type TrieNode } from "./trie.ts";

/** A profile, compiled. */
export interface Machine {
  readonly profile: RedactionProfile;
  /** Where the walk of a resource begins: `drop` for a type that may not leave, undefined for no type of R4. */
  root(resourceType: string): State | "drop" | undefined;
  /** Undefined for an element R4 does not have. */
  step(state: State, name: string): Step | undefined;
  /** `_birthDate` and its like: `id` and `extension`. */
  readonly element: State;
  /** Resources of some types do not leave. */
  readonly hidesTypes: boolean;
}

/** These carry others' resources or tell of faults; a projection leaves them in place and looks inside. */
const CONTAINERS: ReadonlySet<string> = new Set(["Bundle", "OperationOutcome"]);
/** What a resource cannot be understood without. */
const ALWAYS: ReadonlySet<string> = new Set(["id", "meta", "implicitRules", "language"]);
const PARAMETER_FRAME: ReadonlySet<string> = new Set(["name", "resource", "part", "parameter"]);

/**
 * Compiles a profile: its rules become a tree, and the tree with the definitions of R4 becomes a machine whose states are
 * made when first met, so that a walk looks up one name for each element whatever the number of rules.
 *
 * @throws {ConfigurationError} naming every fault of the profile
 */
export function compileProfile(profile: RedactionProfile): Machine {
  const found = findings();
  refuseUnknownKeys(found, profile, ["name", "only", "rules", "sensitive"]);
  const trie = buildTrie(profile, found);
  found.throwIfAny(`redaction profile ${profile.name}`);
  return machineOf(profile, trie);
}

function machineOf(profile: RedactionProfile, { roots, only }: RuleTrie): Machine {
  const states = new Map<string, State>();
  const rootStates = new Map<string, State | "drop">();

  function state(type: string, active: readonly TrieNode[], removing: boolean): State | undefined {
    const isResource = isResourceType(type);
    const unique = [...new Set(active)].sort((a, b) => a.id - b.id);
    const key = `${type} ${removing} ${unique.map(({ id }) => id).join(",")}`;
    const known = states.get(key);
    if (known !== undefined) return known;
    const elements = typeDefinition(type, isResource);
    if (elements === undefined) return undefined;
    const made: State = {
      type,
      elements,
      isResource,
      required: requiredOf(elements),
      isSpecial: isSpecial(type),
      hasDecimals: [...elements.values()].some((one) => one.type === "decimal"),
      steps: new Map(),
      lastNames: [],
      lastSteps: [],
      active: unique,
      removing,
    };
    states.set(key, made);
    return made;
  }

  /** Rules that speak about a type wherever it stands. */
  function rulesOf(type: string): readonly TrieNode[] {
    const place = type.split(".");
    let node = roots.get(place[0] ?? "");
    for (const name of place.slice(1)) node = node?.children.get(name);
    return [node, roots.get("Element")].filter((one) => one !== undefined);
  }

  function kept(type: string, matched: readonly TrieNode[]): State | undefined {
    return state(type, [...matched, ...rulesOf(type)], false);
  }

  function rootOf(type: string): State | "drop" | undefined {
    const known = rootStates.get(type);
    if (known !== undefined) return known;
    if (!isResourceType(type)) return undefined;
    const shared = [roots.get("Resource"), roots.get("DomainResource")].filter((one) => one !== undefined);
    const own = roots.get(type);
    const framed = CONTAINERS.has(type) || type === "Parameters";
    const may = only === undefined || only.has(type) || framed;
    const removing = only !== undefined && !CONTAINERS.has(type) && own?.action !== "keep";
    const made =
      !may || own?.action === "remove"
        ? "drop"
        : removing
          ? state(type, own === undefined ? [] : [own], true)
          : kept(type, shared);
    if (made !== undefined) rootStates.set(type, made);
    return made;
  }

  function decide(place: State, name: string, element: ElementDefinition): StepKind {
    // An extension without its URL means nothing.
    if (place.type === "Extension" && name === "url") return { kind: "keep", element };
    const names = element.name === name ? [name] : [element.name, name];
    const matched = place.active.flatMap((one) => names.flatMap((step) => one.children.get(step) ?? []));
    const typed = place.removing ? [] : [roots.get(element.type)].filter((one) => one !== undefined);
    const ruling = strongest([...matched, ...typed]);
    const removing = isFrame(place, name) ? false : place.removing;
    const action = ruling?.action ?? (removing ? "remove" : "keep");
    const isAlways = place.isResource && ALWAYS.has(name) && ruling === undefined;
    if (element.type === "Extension") return extensionStep(place, name, element, isAlways ? "keep" : action);
    if (action === "keep" || isAlways) return keepStep(element, isFrame(place, name) && place.removing, matched);
    if (action === "remove") {
      const inner = ruling === undefined ? matched : [ruling];
      const survivors = isPrimitiveType(element.type) ? [] : inner.filter(hasSurvivor);
      const next = survivors.length === 0 ? undefined : state(element.type, survivors, true);
      return next === undefined ? { kind: "drop", element } : { kind: "walk", element, state: next };
    }
    return { kind: "act", element, action, owner: place.type };
  }

  function keepStep(element: ElementDefinition, framed: boolean, matched: readonly TrieNode[]): StepKind {
    if (element.type === "Resource") return { kind: "resource", element };
    if (isPrimitiveType(element.type)) return { kind: "keep", element };
    const next = framed ? state(element.type, matched, true) : kept(element.type, matched);
    return next === undefined ? { kind: "drop", element } : { kind: "walk", element, state: next };
  }

  /** Extensions are ruled by their URL first. One that is kept by its URL is kept with the extensions inside it. */
  function extensionStep(place: State, name: string, element: ElementDefinition, rest: RuleAction): StepKind {
    const byUrl = new Map<string, StepKind>();
    const stepOf = (action: RuleAction, named: boolean): StepKind => {
      if (action === "remove") return { kind: "drop", element };
      if (action !== "keep") return { kind: "act", element, action, owner: place.type };
      const inner = kept("Extension", named ? [KEPT_WITHIN] : []);
      return inner === undefined ? { kind: "drop", element } : { kind: "walk", element, state: inner };
    };
    for (const node of [...place.active].sort((a, b) => a.rank - b.rank)) {
      for (const [step, child] of node.children) {
        const url = step.startsWith(`${name}('`) ? step.slice(name.length + 2, -2) : undefined;
        if (url !== undefined && child.action !== undefined) byUrl.set(url, stepOf(child.action, true));
      }
    }
    const other = stepOf(rest, rest === "keep");
    return { kind: "extension", element, stepFor: (url) => byUrl.get(url) ?? other };
  }

  const element = state("Element", rulesOf("Element"), false);
  if (element === undefined) throw new TypeError("the definitions are incomplete");
  return {
    profile,
    element,
    hidesTypes:
      only !== undefined || [...roots].some(([type, { action }]) => action === "remove" && isResourceType(type)),
    root: rootOf,
    step(place, name) {
      const known = place.steps.get(name);
      if (known !== undefined) return known;
      const definition = place.elements.get(name);
      if (definition === undefined) return undefined;
      const made = stepOf(decide(place, name, definition), name);
      place.steps.set(name, made);
      return made;
    },
  };
}

function strongest(nodes: readonly TrieNode[]): TrieNode | undefined {
  let best: TrieNode | undefined;
  for (const node of nodes) {
    if (node.action !== undefined && (best === undefined || node.rank > best.rank)) best = node;
  }
  return best;
}

/** Is anything below kept, or changed in another way than removed? */
function hasSurvivor(node: TrieNode): boolean {
  return [...node.children.values()].some(
    (child) => (child.action !== undefined && child.action !== "remove") || hasSurvivor(child),
  );
}

/** In a projection, Parameters stay as a frame for the resources in them. */
function isFrame({ type, removing }: State, name: string): boolean {
  return removing && type.startsWith("Parameters") && PARAMETER_FRAME.has(name);
}

const KEPT_WITHIN: TrieNode = {
  id: -1,
  rank: 1000,
  children: new Map([["extension", { id: -2, rank: 1000, children: new Map(), action: "keep" }]]),
};
