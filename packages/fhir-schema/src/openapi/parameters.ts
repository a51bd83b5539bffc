import { isRecord } from "../record.ts";
import { type Document, type JsonObject, type Located, pointerTo } from "./document.ts";
import type { SchemaBook } from "./schemas.ts";
import type { Validate } from "./validators.ts";

export type Place = "path" | "query" | "header" | "cookie";

/** A declared parameter, ready to be read and judged. */
export interface Parameter {
  readonly name: string;
  readonly in: Place;
  readonly required: boolean;
  /** Only of a query: present without a value is fine. */
  readonly allowEmptyValue: boolean;
  readonly explode: boolean;
  readonly style: Style;
  readonly shape: Shape;
  readonly validate: Validate;
}

/**
 * How a text is written: `simple` in a path and a header, the others in a query, `form` in a cookie too. `label` and
 * `matrix` are not judged.
 */
export type Style = "simple" | "form" | "spaceDelimited" | "pipeDelimited" | "deepObject";

/** What the text stands for, which decides how it is read. */
export type Shape =
  | { readonly kind: "one"; readonly types: ReadonlySet<string> }
  | { readonly kind: "list"; readonly types: ReadonlySet<string> }
  | { readonly kind: "object"; readonly properties: ReadonlyMap<string, ReadonlySet<string>> };

/** The parameters of an operation: those of its path, each replaced by the operation's own of the same name and place. */
export function readParameters(lists: readonly Located[], document: Document, book: SchemaBook): readonly Parameter[] {
  const parameters = new Map<string, Parameter>();
  for (const { value, at } of lists) {
    const list = value["parameters"];
    if (list !== undefined && !Array.isArray(list))
      document.found.add(at, "openapi-structure", "parameters are a list");
    for (const [index, given] of (Array.isArray(list) ? (list as unknown[]) : []).entries()) {
      const located = document.follow(given, pointerTo(at, "parameters", String(index)));
      const parameter = located === undefined ? undefined : readParameter(located, document, book);
      if (parameter !== undefined) parameters.set(`${parameter.in} ${parameter.name}`, parameter);
    }
  }
  return [...parameters.values()];
}

function readParameter({ value, at }: Located, document: Document, book: SchemaBook): Parameter | undefined {
  const { found } = document;
  const { name, in: place, schema } = value;
  if (typeof name !== "string" || !isPlace(place)) {
    found.add(at, "parameter-structure", "a parameter has a name and is in path, query, header or cookie");
    return undefined;
  }
  // OpenAPI has these described elsewhere, and says to ignore them here.
  if (place === "header" && /^(?:accept|content-type|authorization)$/i.test(name)) return undefined;
  if (schema === undefined) {
    found.add(at, "parameter-content", "parameters are described by a schema; content is not read");
    return undefined;
  }
  const usual = place === "query" || place === "cookie" ? "form" : "simple";
  const { style = usual, explode = style === "form" } = value;
  const shape = shapeOf(schema, at, document);
  if (!isStyle(style, place, usual)) {
    found.add(at, "parameter-style", `the styles judged here are ${stylesOf(place, usual).join(", ")}`);
    return undefined;
  }
  const misfit = misfitOf(style, shape, explode === true);
  if (misfit !== undefined) found.add(at, "parameter-style", misfit);
  if (place === "path" && value["required"] !== true)
    found.add(at, "parameter-structure", "a path parameter is required");
  return {
    name,
    in: place,
    required: value["required"] === true,
    allowEmptyValue: place === "query" && value["allowEmptyValue"] === true,
    explode: explode === true,
    style,
    shape,
    validate: book.add(schema, pointerTo(at, "schema"), "request"),
  };
}

function stylesOf(place: Place, usual: Style): readonly Style[] {
  return place === "query" ? ["form", "spaceDelimited", "pipeDelimited", "deepObject"] : [usual];
}

function isStyle(style: unknown, place: Place, usual: Style): style is Style {
  return stylesOf(place, usual).some((one) => one === style);
}

/** What the specification leaves undefined is not guessed. @see https://spec.openapis.org/oas/v3.1.1.html#style-values */
function misfitOf(style: Style, { kind }: Shape, explode: boolean): string | undefined {
  if (style === "deepObject") return kind === "object" ? undefined : "deepObject is for objects";
  if (style !== "spaceDelimited" && style !== "pipeDelimited") return undefined;
  if (kind !== "list") return `${style} is for lists`;
  return explode ? `${style} is written without explode` : undefined;
}

function isPlace(place: unknown): place is Place {
  return place === "path" || place === "query" || place === "header" || place === "cookie";
}

function shapeOf(schema: unknown, at: string, document: Document): Shape {
  const types = typesOf(schema, at, document);
  if (types.has("array")) return { kind: "list", types: partTypes(schema, "items", at, document) };
  if (!types.has("object")) return { kind: "one", types };
  const properties = new Map<string, ReadonlySet<string>>();
  for (const part of branches(schema, at, document)) {
    if (!isRecord(part["properties"])) continue;
    for (const [name, property] of Object.entries(part["properties"]))
      properties.set(name, typesOf(property, at, document));
  }
  return { kind: "object", properties };
}

function partTypes(schema: unknown, name: string, at: string, document: Document): ReadonlySet<string> {
  const parts = branches(schema, at, document).map((branch) => branch[name]);
  return new Set(parts.flatMap((part) => (part === undefined ? [] : [...typesOf(part, at, document)])));
}

/** The types a schema names, itself or by its branches. */
function typesOf(schema: unknown, at: string, document: Document): ReadonlySet<string> {
  const named = branches(schema, at, document).flatMap(({ type, nullable }) => [
    ...(Array.isArray(type) ? (type as unknown[]).map(String) : typeof type === "string" ? [type] : []),
    ...(nullable === true && document.version === "3.0" ? ["null"] : []),
  ]);
  return new Set(named);
}

/** The schema, and what it is composed of, through references. */
function branches(schema: unknown, at: string, document: Document, depth = 0): readonly JsonObject[] {
  if (!isRecord(schema) || depth > MAX_DEPTH) return [];
  const referred =
    typeof schema["$ref"] === "string" ? branches(document.resolve(schema["$ref"], at), at, document, depth + 1) : [];
  const composed = (["allOf", "anyOf", "oneOf"] as const).flatMap((name) =>
    Array.isArray(schema[name])
      ? (schema[name] as unknown[]).flatMap((part) => branches(part, at, document, depth + 1))
      : [],
  );
  return [schema, ...referred, ...composed];
}

const MAX_DEPTH = 8;
