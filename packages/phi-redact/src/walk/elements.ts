import type { Json } from "@wardline/policy-types/express";
import { actOn, actOnExtension } from "../actions/act.ts";
import { isMarker, isSpent, maskedElement } from "../actions/masked.ts";
import { isPrimitiveType } from "../definitions.ts";
import type { State, StepKind } from "../profile/machine.ts";
import { isObject, type JsonObject } from "../values.ts";
import { MASKED, REMOVED, type Walk } from "./context.ts";
import { isOwnLabel } from "./labels.ts";
import { type Both, walkPrimitive } from "./primitives.ts";

/**
 * Walks one object. Gives the object itself when nothing in it changes, a copy when something does, and undefined when
 * nothing is left of it. What R4 does not define is removed: no rule can speak about it.
 */
export function walkObject(node: JsonObject, state: State, walk: Walk): JsonObject | undefined {
  const { machine } = walk;
  if (state.type === "Coding" && isOwnLabel(node)) return node;
  if (refuses(node, state, walk)) return removed(walk);
  const outerSystem = walk.system;
  if (state.type === "Identifier") walk.system = typeof node["system"] === "string" ? node["system"] : undefined;

  const names = Object.keys(node);
  let copy: JsonObject | undefined;
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    if (name === "resourceType" && state.isResource) {
      if (copy !== undefined) copy[name] = node[name] as Json;
      continue;
    }
    const isPart = name.charCodeAt(0) === UNDERSCORE;
    const plain = isPart ? name.slice(1) : name;
    const step = state.steps.get(plain) ?? machine.step(state, plain);
    if (step === undefined || (isPart && !step.isPrimitive)) {
      walk.effects |= REMOVED;
      copy ??= copyBefore(node, names, index);
      continue;
    }
    // `_name` is walked together with `name`.
    if (isPart && Object.hasOwn(node, plain)) continue;
    walk.path.push(plain);
    if (step.isPrimitive) {
      const value = node[plain];
      const part = node[step.partName];
      const after = walkPrimitive(value, part, step, walk);
      if (copy === undefined && (after.value !== value || after.part !== part)) copy = copyBefore(node, names, index);
      if (copy !== undefined) putPrimitive(copy, plain, step.partName, after);
    } else {
      const before = node[name] as Json;
      const after = walkItems(before, step, walk);
      if (copy === undefined && after !== before) copy = copyBefore(node, names, index);
      if (copy !== undefined && after !== undefined) copy[name] = after;
    }
    walk.path.pop();
  }
  walk.system = outerSystem;
  if (copy === undefined) return node;
  if (state.required.length > 0) fillRequired(node, copy, state, walk);
  return isEmpty(copy) ? undefined : copy;
}

/** What was walked before the first change, and the marks by which decimals are remembered. */
function copyBefore(node: JsonObject, names: readonly string[], end: number): JsonObject {
  const copy: JsonObject = {};
  for (let index = 0; index < end; index++) {
    const name = names[index] as string;
    copy[name] = node[name] as Json;
  }
  for (const mark of Object.getOwnPropertySymbols(node))
    Object.defineProperty(copy, mark, Object.getOwnPropertyDescriptor(node, mark) ?? {});
  return copy;
}

function putPrimitive(copy: JsonObject, name: string, partName: string, { value, part }: Both): void {
  if (value !== undefined) copy[name] = value;
  if (part !== undefined) copy[partName] = part;
  // It stood before `name`, and was copied as it was.
  else if (partName in copy) delete copy[partName];
}

function isEmpty(object: JsonObject): boolean {
  for (const _name in object) return false;
  return true;
}

const UNDERSCORE = 95;

/** A reference to what does not leave, or a link that asks for what may not be asked. */
function refuses(node: JsonObject, { type }: State, walk: Walk): boolean {
  if (type === "Reference") {
    const { reference } = node;
    return typeof reference === "string" && walk.isWithheld(reference);
  }
  return type === "Bundle.link" && typeof node["url"] === "string" && walk.probes(node["url"]);
}

function removed(walk: Walk): undefined {
  walk.effects |= REMOVED;
  return undefined;
}

/** Arrays of arrays are no FHIR; their members are judged all the same. */
function walkItems(value: Json, step: StepKind, walk: Walk): Json | undefined {
  if (!Array.isArray(value)) return isObject(value) ? walkItem(value, step, walk) : removed(walk);
  let copy: Json[] | undefined;
  for (let index = 0; index < value.length; index++) {
    const item = value[index] as Json;
    const after = walkItems(item, step, walk);
    if (after !== item) copy ??= value.slice(0, index);
    if (copy !== undefined && after !== undefined) copy.push(after);
  }
  if (copy === undefined) return value;
  return copy.length === 0 ? undefined : copy;
}

function walkItem(item: JsonObject, step: StepKind, walk: Walk): Json | undefined {
  switch (step.kind) {
    case "drop":
      return isSpent(item) || isOwnLabel(item) ? item : removed(walk);
    case "walk":
      return walkObject(item, step.state, walk);
    case "resource":
      return walk.resource(item, step.element.name === "contained", walk);
    case "extension":
      return walkExtension(item, step, walk);
    case "act": {
      const outcome = actOn(item, step, walk);
      return outcome.value ?? outcome.element;
    }
    case "keep":
      return item;
  }
}

/**
 * A modifierExtension that nobody lists is emptied and stays: who does not understand it must not use the resource.
 *
 * @see https://hl7.org/fhir/R4/extensibility.html#modifierExtension
 */
function walkExtension(item: JsonObject, step: Extract<StepKind, { kind: "extension" }>, walk: Walk): Json | undefined {
  if (isMarker(item)) return item;
  const { url } = item;
  if (typeof url !== "string") return removed(walk);
  const chosen = step.stepFor(url);
  if (chosen.kind === "drop") {
    if (step.element.name === "extension") return removed(walk);
    return isEmptied(item) ? item : emptied(url, walk);
  }
  if (chosen.kind === "act") return actOnExtension(item, chosen, walk);
  const after = walkItem(item, chosen, walk);
  return isObject(after) && Object.keys(after).length === 1 ? emptied(url, walk) : after;
}

function isEmptied({ url, ...content }: JsonObject): boolean {
  return url !== undefined && isSpent(content);
}

function emptied(url: string, walk: Walk): JsonObject {
  walk.effects |= MASKED;
  return { url, ...maskedElement() };
}

/** What must be there and had to go says so. @see https://hl7.org/fhir/R4/extension-data-absent-reason.html */
function fillRequired(node: JsonObject, copy: JsonObject, { required, elements }: State, walk: Walk): void {
  for (const { name } of required) {
    if (name in copy || `_${name}` in copy) continue;
    const was = Object.keys(node).find((key) => elements.get(unmarked(key))?.name === name);
    if (was === undefined) continue;
    const plain = unmarked(was);
    const element = elements.get(plain);
    if (element === undefined || element.type === "xhtml" || plain in copy || `_${plain}` in copy) continue;
    const masked = Array.isArray(node[was]) ? [maskedElement()] : maskedElement();
    copy[isPrimitiveType(element.type) ? `_${plain}` : plain] = masked;
    walk.effects |= MASKED;
  }
}

function unmarked(name: string): string {
  return name.charCodeAt(0) === UNDERSCORE ? name.slice(1) : name;
}
