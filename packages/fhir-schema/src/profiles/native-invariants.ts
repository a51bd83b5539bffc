import { isObject, type JsonObject, objectsIn, textOf } from "./json.ts";
import type { Evaluator } from "./rules.ts";

/**
 * The invariants R4 puts on every element and every resource, by their published text. Judged without an engine, because
 * they would be most of the work, and because `dom-3` over an engine compares everything with everything.
 *
 * @see https://hl7.org/fhir/R4/element.html
 * @see https://hl7.org/fhir/R4/domainresource.html
 */
export const NATIVE_INVARIANTS: ReadonlyMap<string, Evaluator> = new Map<string, Evaluator>([
  ["hasValue() or (children().count() > id.count())", hasContent],
  ["hasValue() | (children().count() > id.count())", hasContent],
  ["extension.exists() != value.exists()", hasEitherExtensionsOrValue],
  ["contained.contained.empty()", (focus) => containedIn(focus).every(({ contained }) => contained === undefined)],
  [
    "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()",
    (focus) => containedIn(focus).every((part) => !hasMeta(part, "versionId") && !hasMeta(part, "lastUpdated")),
  ],
  ["contained.meta.security.empty()", (focus) => containedIn(focus).every((part) => !hasMeta(part, "security"))],
  [
    "contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(canonical) | " +
      "%resource.descendants().as(uri) | %resource.descendants().as(url))) or descendants().where(reference = '#')" +
      ".exists() or descendants().where(as(canonical) = '#').exists() or descendants().where(as(canonical) = '#')" +
      ".exists()).not()).trace('unmatched', id).empty()",
    containedAreReferred,
  ],
]);

/** ele-1. */
function hasContent(focus: unknown): boolean {
  if (!isObject(focus)) return focus !== undefined;
  return Object.keys(focus).some((name) => name !== "id");
}

/** ext-1. */
function hasEitherExtensionsOrValue(focus: unknown): boolean {
  if (!isObject(focus)) return false;
  const hasValue = Object.keys(focus).some((name) => /^_?value[A-Z]/.test(name));
  return (focus["extension"] !== undefined) !== hasValue;
}

function containedIn(focus: unknown): readonly JsonObject[] {
  return isObject(focus) ? objectsIn(focus["contained"]) : [];
}

function hasMeta({ meta }: JsonObject, name: string): boolean {
  return isObject(meta) && meta[name] !== undefined;
}

/** dom-3, in time that grows with the resource: what is contained is referred to, or refers to its container. */
function containedAreReferred(focus: unknown): boolean {
  const contained = containedIn(focus);
  if (contained.length === 0) return true;
  const fragments = fragmentsIn(focus);
  return contained.every((part) => fragments.has(`#${textOf(part["id"]) ?? ""}`) || fragmentsIn(part).has("#"));
}

function fragmentsIn(value: unknown, into: Set<string> = new Set()): ReadonlySet<string> {
  if (typeof value === "string") {
    if (value.startsWith("#")) into.add(value);
  } else if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value) as unknown[]) fragmentsIn(part, into);
  }
  return into;
}
