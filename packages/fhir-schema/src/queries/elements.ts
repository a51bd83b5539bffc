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

/** A choice goes by its name, `value`, or by one of its properties, `valueQuantity`. */
function hasElement(type: string, element: string): boolean {
  return nodeRule(type).elements.some(
    (rule) => rule.name.replace("[x]", "") === element || namesOf(rule).includes(element),
  );
}
