import type { Findings } from "@wardline/policy-types";
import { type ElementFacts, readElement } from "./elements.ts";
import { type JsonObject, textOf } from "./json.ts";
import type { ElementRule, Invariant, SliceRule, Slicing } from "./rules.ts";
import type { CodeSet } from "./value-sets.ts";

/** How the parts of a rule that need more than its own element are made. */
export interface RuleParts {
  readonly found: Findings;
  invariantsOf(element: ElementFacts, path: string): readonly Invariant[];
  codesOf(element: ElementFacts): CodeSet | undefined;
  /** Notes a slice that is told apart by what a reference points to, which is not at hand: it is not judged. */
  skipSlice(elementId: string, path: string): void;
  /** Makes the test that tells whether an item belongs to a slice; asked once, when every profile is read. */
  belongs(slice: SliceRule, slicing: Slicing, where: string): SliceRule["belongs"];
}

/** A rule whose place in the tree is still being filled. */
interface Growing extends ElementRule {
  readonly children: Map<string, Growing>;
  readonly slices: GrowingSlice[];
  slicing?: Slicing;
}
interface GrowingSlice extends Growing {
  belongs: SliceRule["belongs"];
}

/** A tree, and what is left to do when every profile is read: telling its slices apart. */
export interface Tree {
  readonly root: ElementRule;
  finish(): void;
}

/**
 * Builds the tree of constraints from the elements of a snapshot, by their ids:
 * `Observation.component:SystolicBP.code.coding`.
 */
export function buildTree(elements: readonly JsonObject[], where: string, parts: RuleParts): Tree | undefined {
  const rules = new Map<string, Growing>();
  const references: [Growing, string][] = [];
  const sliced: [GrowingSlice, Growing][] = [];
  let root: Growing | undefined;

  for (const [index, element] of elements.entries()) {
    const path = `${where}.snapshot.element[${index}]`;
    const id = textOf(element["id"]);
    const parentId = id?.slice(0, Math.max(0, id.lastIndexOf(".")));
    const parent = parentId === undefined || parentId === "" ? undefined : rules.get(parentId);
    if (id === undefined || (parent === undefined && root !== undefined)) {
      parts.found.add(path, "element-id", "an element id whose parent is an element before it");
      continue;
    }
    const facts = readElement(element, id);
    const rule = grow(facts, parent, parts);
    rules.set(id, rule);
    if (facts.sameAs !== undefined) references.push([rule, facts.sameAs]);
    const sliceName = id.slice(id.lastIndexOf(".") + 1).split(":", 2)[1];
    if (parent === undefined) {
      root = rule;
      continue;
    }
    // `x:a/b` is the slice b of the slice `x:a`.
    const end = Math.max(id.lastIndexOf(":"), sliceName?.includes("/") === true ? id.lastIndexOf("/") : 0);
    const base = sliceName === undefined ? undefined : rules.get(id.slice(0, end));
    if (base !== undefined) sliced.push(...placeSlice(rule as GrowingSlice, base, parts));
    // Official profiles name single elements as if they were slices: it is the element that is meant.
    else if (sliceName === undefined || !parent.children.has(rule.name)) parent.children.set(rule.name, rule);
    else parts.found.add(path, "slice-without-base", "a slice of an element that the snapshot does not have");
  }
  for (const [rule, target] of references) {
    for (const [name, child] of rules.get(target)?.children ?? []) rule.children.set(name, child);
  }
  if (root === undefined) return undefined;
  return {
    root,
    finish() {
      for (const [slice, base] of sliced) {
        slice.belongs = parts.belongs(slice, base.slicing ?? OPEN, `${where}.snapshot (${slice.id})`);
      }
    },
  };
}

function grow(facts: ElementFacts, parent: Growing | undefined, parts: RuleParts): Growing {
  const { constraints: _, requiredValueSet: __, sameAs: ___, ...own } = facts;
  const path = parent === undefined ? facts.name : `${parent.path}.${facts.name}`;
  const codes = parts.codesOf(facts);
  return {
    ...own,
    path,
    invariants: parts.invariantsOf(facts, path),
    ...(codes === undefined ? {} : { codes }),
    children: new Map(),
    slices: [],
  };
}

function placeSlice(slice: GrowingSlice, base: Growing, parts: RuleParts): readonly [GrowingSlice, Growing][] {
  base.slicing ??= implied(base);
  const beyond = base.slicing.discriminators.find(({ path }) => path.includes("resolve()"));
  if (beyond === undefined) {
    base.slices.push(slice);
    return [[slice, base]];
  }
  parts.skipSlice(slice.id, beyond.path);
  return [];
}

/** Slicing that R4 lets a profile leave unsaid: a choice by its type, extensions by their URL. */
function implied({ choice, types }: ElementRule): Slicing {
  if (choice) return { ...OPEN, discriminators: [{ type: "type", path: "$this" }] };
  if (types.some(({ code }) => code === "Extension"))
    return { ...OPEN, discriminators: [{ type: "value", path: "url" }] };
  return OPEN;
}

const OPEN: Slicing = Object.freeze({ discriminators: [], rules: "open", ordered: false });
