import { isResourceType } from "@wardline/fhir-r4";
import { nearest } from "@wardline/policy-types";
import { isKnownType, isPrimitiveType, typeDefinition } from "../definitions.ts";

/** A rule's path, checked against R4. */
export interface RulePath {
  /** Type first, then element names; `extension('url')` is one step. */
  readonly steps: readonly string[];
  /** Datatypes at the end of the path; several for a choice. */
  readonly leaf: readonly string[];
}

/** Stand for every type: rules on them yield to rules on a type of its own. */
export const ABSTRACT_TYPES: ReadonlySet<string> = new Set(["Element", "Resource", "DomainResource"]);

const PRIMITIVES: ReadonlySet<string> = new Set(
  "base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time unsignedInt uri url uuid xhtml".split(
    " ",
  ),
);

/** Reads a path, or says in words what is wrong with it. */
export function parsePath(text: string): RulePath | string {
  const [type = "", ...names] = text.match(/[^.('[\]]+(?:\('[^']*'\))?(?:\[x\])?/g) ?? [];
  if ([type, ...names].join(".") !== text) return "write a path as `Type.element.element`";
  if (PRIMITIVES.has(type)) {
    return names.length === 0 ? { steps: [type], leaf: [type] } : "a primitive type has no elements";
  }
  const start = ABSTRACT_TYPES.has(type) ? typeOfAbstract(type) : type;
  if (!isKnownType(start)) return `\`${type}\` is no type of R4`;
  return follow(type, start, names);
}

function follow(type: string, start: string, names: readonly string[]): RulePath | string {
  const steps = [type];
  let types: readonly string[] = [start];
  for (const raw of names) {
    const extension = /^(?:extension|modifierExtension)\('(.+)'\)$/.test(raw);
    const name = extension ? raw.slice(0, raw.indexOf("(")) : raw.replace("[x]", "");
    const found = types.flatMap((one) => elementsNamed(one, name));
    if (found.length === 0) return unknownElement(types, name);
    steps.push(extension ? raw : name);
    types = [...new Set(found)];
  }
  return { steps, leaf: types };
}

function elementsNamed(type: string, name: string): readonly string[] {
  if (isPrimitiveType(type)) return [];
  const definition = typeDefinition(type, isResourceType(type));
  if (definition === undefined) return [];
  return [...definition].filter(([json, one]) => json === name || one.name === name).map(([, one]) => one.type);
}

function unknownElement(types: readonly string[], name: string): string {
  const known = types.flatMap((type) => [...(typeDefinition(type, isResourceType(type))?.values() ?? [])]);
  const near = nearest(
    name,
    known.map((one) => one.name),
  );
  return near === undefined
    ? `R4 has no element \`${name}\` there`
    : `R4 has no element \`${name}\` there, did you mean \`${near}\`?`;
}

/** A concrete type that has what the abstract one has, so that paths can be checked. */
function typeOfAbstract(type: string): string {
  return type === "Element" ? "Patient.contact" : "Basic";
}
