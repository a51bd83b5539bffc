export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isObject) : [];
}

export function stringsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as unknown[]).filter((item): item is string => typeof item === "string") : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** An own property: `constructor` and `__proto__` of a request are names like any other. */
export function own(holder: JsonObject, name: string): unknown {
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

/** Equal in every part. @see https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_ */
export function equals(value: unknown, fixed: unknown): boolean {
  if (Array.isArray(fixed))
    return (
      Array.isArray(value) && value.length === fixed.length && fixed.every((part, index) => equals(value[index], part))
    );
  if (!isObject(fixed)) return value === fixed;
  if (!isObject(value) || Object.keys(value).length !== Object.keys(fixed).length) return false;
  return Object.keys(fixed).every((name) => Object.hasOwn(value, name) && equals(value[name], fixed[name]));
}

/**
 * Has at least what the pattern has; of a list, every item of the pattern is somewhere.
 *
 * @see https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_
 */
export function matchesPattern(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern))
    return (
      Array.isArray(value) &&
      pattern.every((part) => (value as unknown[]).some((candidate) => matchesPattern(candidate, part)))
    );
  if (!isObject(pattern)) return value === pattern;
  return (
    isObject(value) &&
    Object.keys(pattern).every((name) => Object.hasOwn(value, name) && matchesPattern(value[name], pattern[name]))
  );
}
