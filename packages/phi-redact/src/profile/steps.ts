import { type ElementDefinition, isPrimitiveType, type TypeDefinition } from "../definitions.ts";
import type { RuleAction } from "./rules.ts";
import type { TrieNode } from "./trie.ts";

export type ActiveAction = Exclude<RuleAction, "keep" | "remove">;

/** What the walk does with one element. */
export type Step = StepKind & {
  readonly isPrimitive: boolean;
  /** `_birthDate` for `birthDate`. */
  readonly partName: string;
};

export type StepKind =
  | { readonly kind: "keep"; readonly element: ElementDefinition }
  | { readonly kind: "drop"; readonly element: ElementDefinition }
  | { readonly kind: "walk"; readonly element: ElementDefinition; readonly state: State }
  | { readonly kind: "resource"; readonly element: ElementDefinition }
  | { readonly kind: "extension"; readonly element: ElementDefinition; readonly stepFor: (url: string) => StepKind }
  | {
      readonly kind: "act";
      readonly element: ElementDefinition;
      readonly action: ActiveAction;
      /** Type of the object the element is in: `Identifier`, `Patient`. */
      readonly owner: string;
    };

/** A place in the walk: a type of R4, and which rules speak there. */
export interface State {
  readonly type: string;
  readonly elements: TypeDefinition;
  readonly isResource: boolean;
  /** Elements that must be there: the names JSON may have for each. */
  readonly required: readonly (readonly string[])[];
  /** More is asked of these than of their members: `walkObject`. */
  readonly isSpecial: boolean;
  /** May hold numbers whose writing counts: `2.00`. */
  readonly hasDecimals: boolean;
  /** By JSON name. Holds names of R4 only, so it cannot grow with what is sent. */
  readonly steps: Map<string, Step>;
  /** Members in the order in which they came last, and their steps: they mostly come so again, and then nothing is looked up. */
  readonly lastNames: string[];
  readonly lastSteps: Step[];
  readonly active: readonly TrieNode[];
  readonly removing: boolean;
}

/** Written out, so that steps of every kind have one shape: the walk looks at one for each element. */
export function stepOf(kind: StepKind, name: string): Step {
  const { state, stepFor, action, owner } = kind as Partial<Record<"state" | "stepFor" | "action" | "owner", unknown>>;
  return {
    kind: kind.kind,
    element: kind.element,
    state,
    stepFor,
    action,
    owner,
    isPrimitive: isPrimitiveType(kind.element.type),
    partName: `_${name}`,
  } as Step;
}

/** See `walkObject`. */
const SPECIAL: ReadonlySet<string> = new Set([
  "Coding",
  "Reference",
  "Identifier",
  "Bundle.link",
  "Bundle.entry.request",
]);

export function isSpecial(type: string): boolean {
  return SPECIAL.has(type);
}

/** Elements that must be there: the names JSON may have for each. */
export function requiredOf(elements: TypeDefinition): readonly (readonly string[])[] {
  const names = new Map<string, string[]>();
  for (const [json, { name, required }] of elements) if (required) names.set(name, [...(names.get(name) ?? []), json]);
  return [...names.values()];
}
