import type { Json } from "@wardline/policy-types/express";
import { DATA_ABSENT_REASON } from "../encrypt/field.ts";
import type { StepKind } from "../profile/steps.ts";
import { isObject, type JsonObject } from "../values.ts";
import { GENERALISED, MASKED, PSEUDONYMISED, type Walk } from "../walk/context.ts";
import { generalise } from "./generalise.ts";
import { isSpent, maskedElement } from "./masked.ts";
import { pseudonymiseReference } from "./reference-text.ts";

export type Act = Extract<StepKind, { kind: "act" }>;

/** What stands where an item stood: a value, or the `_name` part that says why there is none. */
export interface Outcome {
  readonly value?: Json;
  readonly element?: Json;
}

/** Changes one item as the rule says. Gives `value` back itself when there is nothing to do. */
export function actOn(value: Json, step: Act, walk: Walk): Outcome {
  if (isObject(value) && isSpent(value)) return { value };
  const { action, element, owner } = step;
  if (typeof action === "object") {
    return "replace" in action ? replaced(value, action.replace, walk) : shownInPart(value, action.mask.last, walk);
  }
  switch (action) {
    case "mask":
      return masked(walk);
    case "encrypt":
      return encrypted(value, walk);
    case "generalise": {
      const { now, smallAreas } = walk;
      const coarse = generalise(value, { type: element.type, name: element.name, now: now(), smallAreas });
      if (coarse === undefined) return masked(walk);
      if (coarse !== value) walk.effects |= GENERALISED;
      return { value: coarse };
    }
    case "pseudonymise":
      return pseudonymised(value, element.name, owner, walk);
  }
}

function masked(walk: Walk): Outcome {
  walk.effects |= MASKED;
  return { element: maskedElement() };
}

/** The place is that of the resource as it leaves. */
export function encrypted(value: Json, walk: Walk): Outcome {
  const { cipher, resourceType, id } = walk;
  if (cipher === undefined) throw new TypeError("the profile encrypts, and there is no cipher");
  walk.effects |= MASKED;
  const path = [resourceType, ...walk.path].join(".");
  const { extension } = cipher.encryptField(value, { resourceType, ...(id === undefined ? {} : { id }), path });
  return { element: { extension: extension.map((one) => ({ ...one })) } };
}

function replaced(value: Json, by: Json, walk: Walk): Outcome {
  if (JSON.stringify(value) === JSON.stringify(by)) return { value };
  walk.effects |= MASKED;
  return { value: structuredClone(by) };
}

/** A value that its last characters would tell is hidden whole. */
function shownInPart(value: Json, last: number, walk: Walk): Outcome {
  if (typeof value !== "string" || value.length < last * 2 || value.length < last + STARS.length) return masked(walk);
  const shown = STARS + value.slice(-last);
  if (shown !== value) walk.effects |= MASKED;
  return { value: shown };
}

const STARS = "****";

function pseudonymised(value: Json, name: string, owner: string, walk: Walk): Outcome {
  const { pseudonymiser } = walk;
  if (pseudonymiser === undefined) throw new TypeError("the profile pseudonymises, and there are no keys");
  if (typeof value !== "string") return masked(walk);
  const token = URL_ELEMENTS.has(`${owner}.${name}`)
    ? pseudonymiseReference(value, pseudonymiser)
    : pseudonymiser.pseudonymOf(domainOf(owner, name, walk), value);
  if (token === undefined) return masked(walk);
  if (token !== value) walk.effects |= PSEUDONYMISED;
  return { value: token };
}

/** Ids are of their resource type, identifiers of their system; all else is of its element. */
function domainOf(owner: string, name: string, { system }: Walk): string {
  if (name === "id") return owner;
  return owner === "Identifier" && name === "value" ? (system ?? "Identifier") : `${owner}.${name}`;
}

const URL_ELEMENTS: ReadonlySet<string> = new Set([
  "Reference.reference",
  "Bundle.entry.fullUrl",
  "Bundle.entry.request.url",
  "Bundle.entry.response.location",
]);

/** An extension keeps its URL, so that nobody who must understand it takes it for absent. */
export function actOnExtension(extension: JsonObject, step: Act, walk: Walk): JsonObject | undefined {
  const { url, ...content } = extension;
  if (url === undefined || url === DATA_ABSENT_REASON || isSpent(content)) return extension;
  const sealed = step.action === "encrypt" ? encrypted(content, walk).element : masked(walk).element;
  return isObject(sealed) ? { url, ...sealed } : undefined;
}
