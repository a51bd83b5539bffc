import { ELEMENTS } from "./generated/elements.ts";

/** One element of a type. */
export interface ElementDefinition {
  /** Datatype, `Resource`, or the place of a backbone element: `Patient.contact`. */
  readonly type: string;
  /** As rules write it: `value` for `valueQuantity`. */
  readonly name: string;
  readonly required: boolean;
}

/** Elements by the name JSON has for them: `valueQuantity`. */
export type TypeDefinition = ReadonlyMap<string, ElementDefinition>;

const lines: ReadonlyMap<string, string> = new Map(
  `Element\n${ELEMENTS.trim()}`.split("\n").map((line) => {
    const cut = line.indexOf(" ");
    return cut < 0 ? [line, ""] : [line.slice(0, cut), line.slice(cut + 1)];
  }),
);

const EVERY_ELEMENT = "id:string extension:Extension*";
const BACKBONE = `${EVERY_ELEMENT} modifierExtension:Extension*`;
const EVERY_RESOURCE = "id:id meta:Meta implicitRules:uri language:code";
const DOMAIN_RESOURCE = `${EVERY_RESOURCE} text:Narrative contained:Resource* extension:Extension* modifierExtension:Extension*`;
/** The two datatypes that are backbone elements, and the resources without a narrative. */
const BACKBONE_TYPES: ReadonlySet<string> = new Set(["Dosage", "Timing", "ElementDefinition"]);
const PLAIN_RESOURCES: ReadonlySet<string> = new Set(["Binary", "Bundle", "Parameters"]);

/** Primitive types begin with a lower-case letter. */
export function isPrimitiveType(type: string): boolean {
  const first = type.charCodeAt(0);
  return first >= 97 && first <= 122;
}

/** Does R4 have this type, or this place in a resource? */
export function isKnownType(type: string): boolean {
  return lines.has(type);
}

/** Filled from the fixed tables above only, so it is as bounded as they are. */
const parsed = new Map<string, TypeDefinition>();

/** The elements of a type or place, those it inherits included; undefined for what R4 does not have. */
export function typeDefinition(type: string, isResource: boolean): TypeDefinition | undefined {
  const known = parsed.get(type);
  if (known !== undefined) return known;
  const line = lines.get(type);
  if (line === undefined) return undefined;
  const definition = new Map(`${inherited(type, isResource)} ${line}`.split(" ").flatMap(parseElement));
  parsed.set(type, definition);
  return definition;
}

function inherited(type: string, isResource: boolean): string {
  if (isResource) return PLAIN_RESOURCES.has(type) ? EVERY_RESOURCE : DOMAIN_RESOURCE;
  return type.includes(".") || BACKBONE_TYPES.has(type) ? BACKBONE : EVERY_ELEMENT;
}

function parseElement(text: string): readonly (readonly [string, ElementDefinition])[] {
  const match = /^(\w+)(\[x\])?:@?(\S+?)(!?)\*?$/.exec(text);
  if (match === null) return [];
  const [, name = "", choice, types = "", required] = match;
  const isRequired = required === "!";
  if (choice === undefined) return [[name, { type: types, name, required: isRequired }]];
  return types
    .split("|")
    .map((type) => [name + type.charAt(0).toUpperCase() + type.slice(1), { type, name, required: isRequired }]);
}
