import { codeList } from "./codes.ts";
import { type ElementRule, type NodeRule, namesOf, nodeRule } from "./nodes.ts";
import { PRIMITIVES } from "./primitives.ts";

/** A JSON Schema; the keywords that begin with `fhir` are those of `keywords.ts`. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of one node of R4: of a resource type, a datatype, or an element with children. Other nodes are named by
 * `fhirNode` and compiled when a value first needs them.
 *
 * @see https://hl7.org/fhir/R4/json.html
 */
export function nodeSchema(name: string): JsonSchema {
  const node = nodeRule(name);
  const choices = node.elements.filter((element) => element.name.endsWith("[x]"));
  return {
    type: "object",
    fhirRequired: node.elements
      .filter((element) => element.required && !element.name.endsWith("[x]"))
      .map((element) => ({ name: element.name, primitive: isPrimitive(element) })),
    fhirChoices: choices.map((element) => ({ ...element, names: namesOf(element) })),
    fhirElements: Object.fromEntries([
      ...(isResource(node) ? [["resourceType", { const: name }]] : []),
      ...node.elements.flatMap((element) => elementSchemas(name, element)),
    ]),
  };
}

const isPrimitive = ({ types }: ElementRule): boolean => PRIMITIVES.has(types[0] ?? "");
const isResource = ({ base }: NodeRule): boolean => base === "Resource" || base === "DomainResource";

/** The properties an element can appear as, each with its schema: one, or two for a primitive, or more for a choice. */
function elementSchemas(node: string, element: ElementRule): readonly (readonly [string, JsonSchema])[] {
  const names = namesOf(element);
  return element.types.flatMap((type, index) => {
    const name = names[index] ?? element.name;
    const primitive = PRIMITIVES.get(type);
    if (primitive === undefined) return [[name, repeated(element, complexSchema(element, type))] as const];
    const format = node === "Reference" && name === "reference" ? "reference" : type;
    const value = primitiveSchema(element, primitive.json, format);
    // The narrative's own element, and an extension's URL and an element's id, which are attributes in XML, carry no extension.
    if (type === "xhtml" || isAttribute(node, name)) return [[name, value] as const];
    return [
      [name, element.repeats ? alignedList(`_${name}`, value) : value] as const,
      [
        `_${name}`,
        element.repeats ? alignedList(name, { fhirNodeOrNull: "Element" }) : { fhirNode: "Element" },
      ] as const,
    ];
  });
}

function isAttribute(node: string, name: string): boolean {
  return (node === "Extension" && name === "url") || name === "id";
}

function complexSchema({ name, codes }: ElementRule, type: string): JsonSchema {
  if (type === "Resource") return { fhirResource: name };
  return codes === undefined ? { fhirNode: type } : { fhirNode: type, fhirCoded: codes };
}

function primitiveSchema({ repeats, codes }: ElementRule, json: string, format: string): JsonSchema {
  const type = repeats ? [json, "null"] : json;
  if (codes !== undefined) return { type, enum: [...codeList(codes), ...(repeats ? [null] : [])] };
  return json === "boolean" ? { type } : { type, format };
}

function repeated({ repeats }: ElementRule, items: JsonSchema): JsonSchema {
  return repeats ? { type: "array", minItems: 1, fhirList: true, items } : items;
}

function alignedList(partner: string, items: JsonSchema): JsonSchema {
  return { type: "array", minItems: 1, fhirList: true, fhirAligned: partner, items };
}
