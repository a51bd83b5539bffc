import { maskedElement } from "../actions/masked.ts";
import { isPrimitiveType } from "../definitions.ts";
import type { State } from "../profile/steps.ts";
import type { JsonObject } from "../values.ts";
import { MASKED, type Walk } from "./context.ts";

/** What must be there and had to go says so. @see https://hl7.org/fhir/R4/extension-data-absent-reason.html */
export function fillRequired(node: JsonObject, copy: JsonObject, { required, elements }: State, walk: Walk): void {
  for (const names of required) {
    if (oneIn(copy, names) !== undefined) continue;
    const name = oneIn(node, names);
    const type = name === undefined ? undefined : elements.get(name)?.type;
    if (name === undefined || type === undefined || type === "xhtml") continue;
    const masked = Array.isArray(node[name] ?? node[`_${name}`]) ? [maskedElement()] : maskedElement();
    copy[isPrimitiveType(type) ? `_${name}` : name] = masked;
    walk.effects |= MASKED;
  }
}

function oneIn(object: JsonObject, names: readonly string[]): string | undefined {
  for (const name of names) if (name in object || `_${name}` in object) return name;
  return undefined;
}
