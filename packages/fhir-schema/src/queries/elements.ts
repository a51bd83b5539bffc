import { isResourceType } from "@wardline/fhir-r4";
import { namesOf, nodeRule } from "../resources/nodes.ts";

/**
 * Whether each name of an `_elements` list is a root element of the type, or, written `Type.name`, of the type it names.
 * Without a type only the form is checked.
 *
 * @see https://hl7.org/fhir/R4/search.html#elements
 */
export function areElements(list: string, type: string | undefined): boolean {
  return list.split(",").every((name) => {
    const [, owner = type, element = ""] = /^(?:([A-Z][A-Za-z]*)\.)?([a-z][A-Za-z0-9]*)$/.exec(name) ?? [];
    if (element === "") return false;
    return owner === undefined || (isResourceType(owner) && hasElement(owner, element));
  });
}

function hasElement(type: string, element: string): boolean {
  let names = ELEMENTS.get(type);
  if (names === undefined) {
    names = elementsOf(type);
    ELEMENTS.set(type, names);
  }
  return names.has(element);
}

/** Of each type of R4 that was asked for. */
const ELEMENTS = new Map<string, ReadonlySet<string>>();

/** A choice goes by its name, `value`, or by one of its properties, `valueQuantity`. */
function elementsOf(type: string): ReadonlySet<string> {
  return new Set(nodeRule(type).elements.flatMap((rule) => [rule.name.replace("[x]", ""), ...namesOf(rule)]));
}
