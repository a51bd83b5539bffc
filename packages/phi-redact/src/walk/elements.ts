import type { Json } from "@wardline/policy-types/express";
import { actOn, actOnExtension } from "../actions/act.ts";
import { isMarker, isSpent, maskedElement } from "../actions/masked.ts";
import type { Machine } from "../profile/machine.ts";
import type { State, Step, StepKind } from "../profile/steps.ts";
import { isObject, type JsonObject, textOf } from "../values.ts";
import { MASKED, REMOVED, type Walk } from "./context.ts";
import { copyBefore, copyMarks, isEmpty, putPair } from "./copies.ts";
import { isOwnLabel } from "./labels.ts";
import { type Both, isPlainList, walkPair, walkPart } from "./primitives.ts";
import { fillRequired } from "./required.ts";

/**
 * Walks one object. Gives the object itself when nothing in it changes, a copy when something does, and undefined when
 * nothing is left of it. What R4 does not define is removed: no rule can speak about it.
 */
export function walkObject(node: JsonObject, state: State, walk: Walk): JsonObject | undefined {
  if (!state.isSpecial) return walkMembers(node, state, walk);
  switch (state.type) {
    case "Coding":
      return walkCoding(node, state, walk);
    case "Identifier":
      return walkIdentifier(node, state, walk);
    case "Reference":
      return walk.withholds && walk.isWithheld(textOf(node["reference"]))
        ? removed(walk)
        : walkMembers(node, state, walk);
    case "Bundle.link":
      return walk.probes(textOf(node["url"])) ? removed(walk) : walkMembers(node, state, walk);
    default:
      return walkMembers(withoutQuery(node), state, walk);
  }
}

/** Labels of ours stay whatever the rules say. They are rare, so they are looked for where something was to change. */
function walkCoding(node: JsonObject, state: State, walk: Walk): JsonObject | undefined {
  const { effects } = walk;
  const after = walkMembers(node, state, walk);
  if (after === node || !isOwnLabel(node)) return after;
  walk.effects = effects;
  return node;
}

function walkIdentifier(node: JsonObject, state: State, walk: Walk): JsonObject | undefined {
  const outer = walk.system;
  walk.system = typeof node["system"] === "string" ? node["system"] : undefined;
  const after = walkMembers(node, state, walk);
  walk.system = outer;
  return after;
}

/** A condition that a history entry was made under is a search, with whatever was searched for. */
function withoutQuery(request: JsonObject): JsonObject {
  const url = textOf(request["url"]);
  const end = url.indexOf("?");
  return end < 0 ? request : { ...request, url: url.slice(0, end) };
}

/**
 * Runs for every object of every answer: no list of members, no look-up where they come as they came last. An object in which
 * something changes is copied whole, which is quick; one that loses something is copied member by member, which costs less
 * than to copy and delete.
 */
function walkMembers(node: JsonObject, state: State, walk: Walk): JsonObject | undefined {
  const { lastNames, lastSteps } = state;
  let copy: JsonObject | undefined;
  let isWhole = false;
  let at = -1;
  for (const name in node) {
    at++;
    const value = node[name] as Json;
    const step = lastNames[at] === name ? lastSteps[at] : stepAt(at, name, state, walk.machine);
    let after: Json | undefined;
    if (step === undefined) {
      if (isPairedPart(node, name, state, walk.machine)) continue;
      after = walkOther(node, name, state, walk);
    } else if (!step.isPrimitive) {
      after = walk.isTracked ? walkTracked(value, name, step, walk) : walkItems(value, step, walk);
    } else if (step.kind !== "keep") {
      const part = node[step.partName];
      const both = walkPaired(value, part, name, step, walk);
      if (isWhole || (copy === undefined && (both.value !== value || both.part !== part))) {
        copy = copyBefore(copy ?? node, at);
        isWhole = false;
      }
      if (copy !== undefined) putPair(copy, name, step.partName, both);
      continue;
    } else if (typeof value !== "object" || value === null || isPlainList(value)) {
      if (copy !== undefined && !isWhole) copy[name] = value;
      continue;
    } else after = removed(walk);
    if (after === value) {
      if (copy !== undefined && !isWhole) copy[name] = value;
    } else if (after !== undefined) {
      isWhole ||= copy === undefined;
      copy ??= { ...node };
      copy[name] = after;
    } else if (isWhole || copy === undefined) {
      copy = copyBefore(copy ?? node, at);
      isWhole = false;
    }
  }
  if (copy === undefined) return node;
  if (state.required.length > 0) fillRequired(node, copy, state, walk);
  if (state.hasDecimals) copyMarks(node, copy);
  return isEmpty(copy) ? undefined : copy;
}

function stepAt(at: number, name: string, state: State, machine: Machine): Step | undefined {
  const step = state.steps.get(name) ?? machine.step(state, name);
  if (step !== undefined && at < MOST_MEMBERS) {
    state.lastNames[at] = name;
    state.lastSteps[at] = step;
  }
  return step;
}

/** More than any type of R4 has. */
const MOST_MEMBERS = 128;

/** `_name` beside a `name` that some rule speaks about: the two are one element, and walked as one. */
function isPairedPart(node: JsonObject, name: string, state: State, machine: Machine): boolean {
  const step = stepOfPart(name, state, machine);
  return step !== undefined && step.kind !== "keep" && Object.hasOwn(node, unmarked(name));
}

function stepOfPart(name: string, state: State, machine: Machine): Step | undefined {
  if (name.charCodeAt(0) !== UNDERSCORE) return undefined;
  const step = machine.step(state, name.slice(1));
  return step?.isPrimitive === true ? step : undefined;
}

/** What has no step of its own: the type's name, `_name`, and what R4 does not have. */
function walkOther(node: JsonObject, name: string, state: State, walk: Walk): Json | undefined {
  const value = node[name] as Json;
  if (name === "resourceType" && state.isResource) return value;
  const step = stepOfPart(name, state, walk.machine);
  if (step === undefined) return removed(walk);
  if (step.kind === "keep") return walkPart(value, walk);
  return walkPaired(undefined, value, unmarked(name), step, walk).part;
}

function walkPaired(value: Json | undefined, part: Json | undefined, name: string, step: Step, walk: Walk): Both {
  if (!walk.isTracked) return walkPair(value, part, step, walk);
  walk.path.push(name);
  const both = walkPair(value, part, step, walk);
  walk.path.pop();
  return both;
}

function walkTracked(value: Json, name: string, step: Step, walk: Walk): Json | undefined {
  walk.path.push(name);
  const after = walkItems(value, step, walk);
  walk.path.pop();
  return after;
}

const UNDERSCORE = 95;

function removed(walk: Walk): undefined {
  walk.effects |= REMOVED;
  return undefined;
}

/** Arrays of arrays are no FHIR; their members are judged all the same. */
function walkItems(value: Json, step: StepKind, walk: Walk): Json | undefined {
  if (typeof value !== "object" || value === null) return removed(walk);
  if (!Array.isArray(value))
    return step.kind === "walk" ? walkObject(value, step.state, walk) : walkItem(value, step, walk);
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

function unmarked(name: string): string {
  return name.charCodeAt(0) === UNDERSCORE ? name.slice(1) : name;
}
