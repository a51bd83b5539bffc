import type { Document } from "./document.ts";

/** How a keyword's value is read: as it is, or as the schemas in it. */
export type KeywordKind = "value" | "schema" | "list" | "map" | "annotation";

/** How a keyword is read in a version; `undefined` when the version does not have it, or it is not judged here. */
export function kindOf(name: string, version: Document["version"]): KeywordKind | undefined {
  return COMMON.get(name) ?? (version === "3.0" ? ONLY_3_0 : ONLY_3_1).get(name);
}

/** Annotations are read by people and generators. `$ref` and `$defs` are read where a reference leads. */
const COMMON: ReadonlyMap<string, KeywordKind> = new Map([
  ...all(
    "value",
    "type enum multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems",
  ),
  ...all("value", "uniqueItems maxProperties minProperties required format"),
  ...all("schema", "not items additionalProperties"),
  ...all("list", "allOf anyOf oneOf"),
  ...all("map", "properties"),
  ...all(
    "annotation",
    "title description default example deprecated readOnly writeOnly xml externalDocs discriminator $ref",
  ),
]);

const ONLY_3_0: ReadonlyMap<string, KeywordKind> = new Map(all("annotation", "nullable"));

const ONLY_3_1: ReadonlyMap<string, KeywordKind> = new Map([
  ...all("value", "const maxContains minContains dependentRequired"),
  ...all("schema", "contains propertyNames if then else unevaluatedItems unevaluatedProperties"),
  ...all("list", "prefixItems"),
  ...all("map", "patternProperties dependentSchemas"),
  ...all("annotation", "examples contentEncoding contentMediaType contentSchema $comment $defs"),
]);

function all(kind: KeywordKind, names: string): readonly (readonly [string, KeywordKind])[] {
  return names.split(" ").map((name) => [name, kind] as const);
}
