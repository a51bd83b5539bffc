import type { Json } from "@wardline/policy-types/express";
import { actOn } from "../actions/act.ts";
import { isSpent } from "../actions/masked.ts";
import type { StepKind } from "../profile/steps.ts";
import { isObject } from "../values.ts";
import { REMOVED, type Walk } from "./context.ts";

/**
 * A primitive that some rule speaks about, and its `_name` part: they are one element, and in arrays they stay side by side.
 *
 * @see https://hl7.org/fhir/R4/json.html#primitive
 */
export function walkPair(value: Json | undefined, part: Json | undefined, step: StepKind, walk: Walk): Both {
  return step.kind === "drop" ? droppedUnlessSpent(value, part, walk) : judged(value, part, step, walk);
}

/** The `_name` part of a primitive that stays: a rule may speak about the extensions in it. */
export function walkPart(part: Json, walk: Walk): Json | undefined {
  if (!Array.isArray(part)) return walkPartItem(part, walk);
  let copy: Json[] | undefined;
  for (const [index, item] of part.entries()) {
    const after = walkPartItem(item, walk) ?? null;
    if (after !== item) copy ??= part.slice(0, index);
    copy?.push(after);
  }
  if (copy === undefined) return part;
  return copy.some(isObject) ? copy : undefined;
}

function walkPartItem(part: Json, walk: Walk): Json | undefined {
  if (isObject(part)) return walk.object(part, walk.machine.element, walk);
  return part === null ? null : gone(walk).part;
}

/** Both are undefined when the element goes. */
export interface Both {
  readonly value: Json | undefined;
  readonly part: Json | undefined;
}

function judged(value: Json | undefined, part: Json | undefined, step: StepKind, walk: Walk): Both {
  if (!isWellFormed(value, part)) return gone(walk);
  if (!Array.isArray(value) && !Array.isArray(part)) return judgedItem(value, part, step, walk);

  const values = Array.isArray(value) ? value : [];
  const parts = Array.isArray(part) ? part : [];
  const items = Array.from({ length: Math.max(values.length, parts.length) }, (_, index) =>
    judgedItem(values[index], parts[index], step, walk),
  );
  const same = items.every((item, index) => item.value === values[index] && item.part === parts[index]);
  if (same) return { value, part };
  return {
    value: items.some((item) => (item.value ?? null) !== null) ? items.map((item) => item.value ?? null) : undefined,
    part: items.some((item) => isObject(item.part)) ? items.map((item) => item.part ?? null) : undefined,
  };
}

function judgedItem(value: Json | undefined, part: Json | undefined, step: StepKind, walk: Walk): Both {
  if (step.kind !== "act") return { value, part: part === undefined ? part : walkPartItem(part, walk) };
  if (value === undefined || value === null) {
    if (part === undefined || part === null || isSpent(part)) return { value, part };
    return { value, part: actOn(part, step, walk).element };
  }
  const outcome = actOn(value, step, walk);
  if (outcome.value === value)
    return { value, part: isObject(part) ? walk.object(part, walk.machine.element, walk) : part };
  // Whatever `_name` held was said about the value as it was: a time of birth beside a date of birth.
  return { value: outcome.value, part: outcome.element };
}

/** What says only why there is no value is left: it is not what the rule is about. */
function droppedUnlessSpent(value: Json | undefined, part: Json | undefined, walk: Walk): Both {
  if (part === undefined) return gone(walk);
  const parts = Array.isArray(part) ? part : [part];
  const values = Array.isArray(value) ? value : [value];
  const spent = parts.every((one) => one === undefined || one === null || isSpent(one));
  if (spent && values.every((one) => one === undefined || one === null)) return { value, part };
  return gone(walk);
}

function gone(walk: Walk): Both {
  walk.effects |= REMOVED;
  return GONE;
}

const GONE: Both = Object.freeze({ value: undefined, part: undefined });

/** Is it an array of texts, numbers and the like? */
export function isPlainList(value: Json | undefined): boolean {
  return Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null);
}

function isPlain(value: Json | undefined): boolean {
  return typeof value !== "object" || value === null || isPlainList(value);
}

/** An object where text belongs is none of R4, so no rule speaks about what is in it. */
function isWellFormed(value: Json | undefined, part: Json | undefined): boolean {
  const isPart = (one: Json | undefined): boolean => one === undefined || one === null || isObject(one);
  return isPlain(value) && (Array.isArray(part) ? part.every(isPart) : isPart(part));
}
