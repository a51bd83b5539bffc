import type { SchemaIssue } from "../issues.ts";
import { inSet } from "./discriminators.ts";
import { isOfType, itemsOf, leadsTo } from "./items.ts";
import { equals, isObject, matchesPattern } from "./json.ts";
import { type IssueName, issueOf, type NoteName, noteOf } from "./problems.ts";
import type { ElementRule, Invariant, Item, Profiles } from "./rules.ts";

/** An invariant waiting to be judged, when the structure is known. */
export interface Job {
  readonly invariant: Invariant;
  readonly item: Item;
  /** The nearest resource around it, and the one that contains that, if any. */
  readonly resource: unknown;
  readonly root: unknown;
}

/** What a walk has found. Errors are bounded; the walk ends when there are enough. */
export interface Findings {
  readonly errors: SchemaIssue[];
  readonly notes: SchemaIssue[];
  readonly jobs: Job[];
  readonly maxErrors: number;
  readonly profiles: Profiles;
  /** The resource that is judged, which what it contains may look at. */
  readonly root: unknown;
}

/** Whether an item conforms to a rule, by structure alone: its invariants are judged where the rule applies. */
export function conforms(rule: ElementRule, item: Item, profiles: Profiles): boolean {
  const found: Findings = { errors: [], notes: [], jobs: [], maxErrors: 1, profiles, root: undefined };
  checkItem(rule, item, item.value, found);
  return found.errors.length === 0;
}

/**
 * Judges one value against what a profile says of it and of its parts, and notes its invariants for later.
 *
 * Does NOT judge what R4 itself says of the value: that is for the schema of its type.
 */
export function checkItem(rule: ElementRule, item: Item, resource: unknown, found: Findings): void {
  if (found.errors.length >= found.maxErrors) return;
  const nearest = isObject(item.value) && typeof item.value["resourceType"] === "string" ? item.value : resource;
  checkValue(rule, item, found);
  checkTypeProfiles(rule, item, nearest, found);
  for (const invariant of rule.invariants) found.jobs.push({ invariant, item, resource: nearest, root: found.root });
  for (const child of rule.children.values()) checkChild(child, item, rule, nearest, found);
}

function checkChild(child: ElementRule, parent: Item, rule: ElementRule, resource: unknown, found: Findings): void {
  const items = itemsOf(parent, child, rule.children);
  checkCount(child, items, `${parent.path}.${child.name}`, found);
  for (const item of items) {
    if (found.errors.length >= found.maxErrors) return;
    if (child.choice && !child.types.some(({ code }) => code === item.type)) error(found, "type", item.path);
    else checkItem(child, item, resource, found);
  }
  if (child.slices.length > 0) checkSlices(child, items, { path: `${parent.path}.${child.name}`, resource, found });
}

function checkCount(
  { min, max, mustSupport }: ElementRule,
  items: readonly Item[],
  path: string,
  found: Findings,
): void {
  if (items.length < min) error(found, "missing", path);
  else if (items.length > max) error(found, max === 0 ? "not-allowed" : "too-many", path);
  else if (items.length === 0 && mustSupport && max > 0) note(found, "must-support", path);
}

function checkValue(rule: ElementRule, { value, path }: Item, found: Findings): void {
  if (rule.fixed !== undefined && !equals(value, rule.fixed)) error(found, "fixed", path);
  if (rule.pattern !== undefined && !matchesPattern(value, rule.pattern)) error(found, "pattern", path);
  if (value === undefined) return;
  if (rule.maxLength !== undefined && typeof value === "string" && value.length > rule.maxLength)
    error(found, "length", path);
  if (typeof value === "number" && (value < (rule.minValue ?? value) || value > (rule.maxValue ?? value)))
    error(found, "range", path);
  if (rule.codes !== undefined && !inSet(value, rule.codes)) error(found, "binding", path);
}

/** Profiles that were not supplied are listed when the profile is compiled, not for each resource. */
function checkTypeProfiles(rule: ElementRule, item: Item, resource: unknown, found: Findings): void {
  if (rule.types.length === 0) return;
  const type = rule.types.find(({ code }) => (item.type === undefined ? isOfType(code, item) : code === item.type));
  if (type === undefined) error(found, "type", item.path);
  if (type === undefined) return;
  if (!leadsTo(item, type.targets, found.profiles)) error(found, "target", item.path);
  if (type.profiles.length === 0) return;
  const known = type.profiles.map(found.profiles);
  if (known.includes(undefined)) return;
  const fitting = known.filter((profile) => profile !== undefined && isOfType(profile.type, item));
  const chosen =
    known.length === 1
      ? fitting[0]
      : fitting.find((profile) => profile && conforms(profile.root, item, found.profiles));
  if (chosen === undefined) error(found, "type-profile", item.path);
  else checkItem(chosen.root, item, resource, found);
}

/** @see https://hl7.org/fhir/R4/profiling.html#slicing */
function checkSlices(
  base: ElementRule,
  items: readonly Item[],
  { path, resource, found }: { readonly path: string; readonly resource: unknown; readonly found: Findings },
): void {
  const { rules, ordered } = base.slicing ?? { rules: "open", ordered: false };
  const members = new Map<ElementRule, Item[]>();
  let last = -1;
  let open = false;
  for (const item of items) {
    const index = base.slices.findIndex((slice) => slice.belongs(item));
    const slice = base.slices[index];
    if (slice === undefined) {
      if (rules === "closed") error(found, "slice-closed", item.path);
      open = true;
      continue;
    }
    if ((ordered && index < last) || (rules === "openAtEnd" && open)) error(found, "slice-order", item.path);
    last = Math.max(last, index);
    members.set(slice, [...(members.get(slice) ?? []), item]);
    checkItem(slice, item, resource, found);
  }
  for (const slice of base.slices) {
    const own = members.get(slice) ?? [];
    const count = own.length;
    if (slice.slices.length > 0) checkSlices(slice, own, { path, resource, found });
    if (count < slice.min) error(found, "slice-missing", path);
    else if (count > slice.max) error(found, "slice-too-many", path);
    else if (count === 0 && slice.mustSupport && slice.max > 0) note(found, "must-support", path);
  }
}

function error({ errors, maxErrors }: Findings, name: IssueName, path: string): void {
  if (errors.length < maxErrors) errors.push(issueOf(name, path));
}

/** Notes are bounded like errors. */
export function note({ notes }: Findings, name: NoteName, path: string): void {
  if (notes.length < MAX_NOTES) notes.push(noteOf(name, path));
}

export const MAX_NOTES = 32;
