export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

/** What can be done to one object or one of its properties; each makes valid R4 invalid wherever it is done. */
export const MUTATIONS = [
  "add unknown",
  "rename",
  "to another primitive",
  "to object",
  "to null",
  "wrap in array",
  "empty",
  "nest too deep",
] as const;
export type Mutation = (typeof MUTATIONS)[number];

/** Every object in a value, in document order. */
export function objectsIn(value: Json): readonly JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  return typeof value === "object" && value !== null ? [value, ...Object.values(value).flatMap(objectsIn)] : [];
}

/** Does one thing to the `place`th object of the resource; false when it cannot be done there. */
export function mutate(resource: Json, place: number, property: number, mutation: Mutation): boolean {
  const objects = objectsIn(resource);
  const target = objects[place % objects.length];
  const names = Object.keys(target ?? {});
  const name = names[property % names.length];
  if (target === undefined || name === undefined) return false;
  const value = target[name] ?? null;
  switch (mutation) {
    case "add unknown":
      target["unknownElement"] = "x";
      return true;
    case "rename":
      delete target[name];
      target[`${name}X`] = value;
      return true;
    case "to another primitive":
      if (typeof value === "object") return false;
      target[name] = typeof value === "string" ? 7 : String(value);
      return true;
    case "to object":
      target[name] = { x: 1 };
      return true;
    case "to null":
      target[name] = null;
      return true;
    case "wrap in array":
      target[name] = [value];
      // One value in an array is right where many may stand; then it is in an array already.
      return true;
    case "empty":
      target[name] = Array.isArray(value) ? [] : typeof value === "object" ? {} : "";
      return true;
    case "nest too deep":
      target["extension"] = [deepExtension(80)];
      // Elements of JSON that are attributes in XML take no extension, which is a fault as well.
      return true;
  }
}

function deepExtension(depth: number): Json {
  let extension: Json = { url: "http://example.org/e", valueBoolean: true };
  for (let level = 0; level < depth; level++) extension = { url: "http://example.org/e", extension: [extension] };
  return extension;
}
