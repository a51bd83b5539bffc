import { type ElementRule, type NodeRule, namesOf, nodeRule } from "./nodes.ts";
import { PRIMITIVES } from "./primitives.ts";

/** A property of a JSON object, and what it holds. Lists may not be empty, nor longer than the limit. */
export type PropertyRule = {
  readonly name: string;
  /** Name of the element it stands for: `value` for `valueString`, `given` for `_given`. */
  readonly element: string;
} & (
  | { readonly kind: "resourceType"; readonly type: string }
  | { readonly kind: "value"; readonly primitive: string; readonly codes: string | undefined }
  /** Aligned with the extensions at `partner`. */
  | {
      readonly kind: "values";
      readonly primitive: string;
      readonly codes: string | undefined;
      readonly partner: string;
    }
  /** Extensions of the values at `partner`, or null where a value has none. */
  | { readonly kind: "extensions"; readonly partner: string }
  /** `Resource` for any resource. */
  | { readonly kind: "node" | "nodes"; readonly node: string; readonly codes: string | undefined }
);

/** A choice element: the names it can appear under, one for each type. */
export interface Choice {
  readonly name: string;
  readonly names: readonly string[];
  readonly required: boolean;
}

export interface ObjectRule {
  readonly properties: readonly PropertyRule[];
  readonly choices: readonly Choice[];
  /** Elements that must be there, choices aside; a primitive may be given by its extensions alone. */
  readonly required: readonly { readonly name: string; readonly primitive: boolean }[];
}

/**
 * The JSON of one node of R4: of a resource type, a datatype, or an element with children.
 *
 * @see https://hl7.org/fhir/R4/json.html
 */
export function objectRule(name: string): ObjectRule {
  const node = nodeRule(name);
  const properties = node.elements.flatMap((element) => propertiesOf(name, element));
  return {
    properties: isResource(node)
      ? [{ name: "resourceType", element: "resourceType", kind: "resourceType", type: name }, ...properties]
      : properties,
    choices: node.elements.filter(isChoice).map((element) => ({ ...element, names: namesOf(element) })),
    required: node.elements
      .filter((element) => element.required && !isChoice(element))
      .map((element) => ({ name: element.name, primitive: PRIMITIVES.has(element.types[0] ?? "") })),
  };
}

const isChoice = ({ name }: ElementRule): boolean => name.endsWith("[x]");
const isResource = ({ base }: NodeRule): boolean => base === "Resource" || base === "DomainResource";

/** The properties an element can appear as: one, or two for a primitive, or more for a choice. */
function propertiesOf(node: string, element: ElementRule): readonly PropertyRule[] {
  const { repeats, codes } = element;
  const names = namesOf(element);
  return element.types.flatMap((type, index): readonly PropertyRule[] => {
    const name = names[index] ?? element.name;
    const own = { name, element: element.name.replace("[x]", "") };
    if (!PRIMITIVES.has(type)) return [{ ...own, kind: repeats ? "nodes" : "node", node: type, codes }];
    const primitive = node === "Reference" && name === "reference" ? "reference" : type;
    const partner = `_${name}`;
    if (repeats) {
      return [
        { ...own, kind: "values", primitive, codes, partner },
        { ...own, name: partner, kind: "extensions", partner: name },
      ];
    }
    const value: PropertyRule = { ...own, kind: "value", primitive, codes };
    // The narrative's own element, and an extension's URL and an element's id, which are attributes in XML, carry no extension.
    if (type === "xhtml" || isAttribute(node, name)) return [value];
    return [value, { ...own, name: partner, kind: "node", node: "Element", codes: undefined }];
  });
}

function isAttribute(node: string, name: string): boolean {
  return (node === "Extension" && name === "url") || name === "id";
}
