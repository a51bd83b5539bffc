import { isObject, type JsonObject, objectsIn, stringsIn, textOf } from "./json.ts";
import type { ElementRule, Slicing, TypeRule } from "./rules.ts";

/** An element of a snapshot as its own properties say it, before it has a place in the tree. */
export interface ElementFacts
  extends Omit<ElementRule, "children" | "slices" | "slicing" | "invariants" | "codes" | "path"> {
  readonly slicing?: Slicing;
  readonly constraints: readonly ConstraintFacts[];
  /** Canonical URL of the value set of a required binding. */
  readonly requiredValueSet?: string;
  /** Element id whose parts are this element's parts too. */
  readonly sameAs?: string;
}

export interface ConstraintFacts {
  readonly key: string;
  readonly severity: "error" | "warning";
  readonly expression?: string;
}

/** @see https://hl7.org/fhir/R4/elementdefinition.html */
export function readElement(element: JsonObject, id: string): ElementFacts {
  const last = id.slice(id.lastIndexOf(".") + 1).split(":", 1)[0] ?? "";
  const choice = last.endsWith("[x]");
  const fixed = chosen(element, "fixed");
  const pattern = chosen(element, "pattern");
  const slicing = readSlicing(element["slicing"]);
  const requiredValueSet = requiredBinding(element["binding"]);
  const sameAs = textOf(element["contentReference"])?.split("#", 2)[1];
  const minValue = chosen(element, "minValue");
  const maxValue = chosen(element, "maxValue");
  return {
    id,
    name: choice ? last.slice(0, -"[x]".length) : last,
    choice,
    min: typeof element["min"] === "number" ? element["min"] : 0,
    max: element["max"] === undefined || element["max"] === "*" ? Number.POSITIVE_INFINITY : Number(element["max"]),
    types: objectsIn(element["type"]).map(readType),
    mustSupport: element["mustSupport"] === true,
    constraints: objectsIn(element["constraint"]).map(readConstraint),
    ...(fixed === undefined ? {} : { fixed }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(typeof minValue === "number" ? { minValue } : {}),
    ...(typeof maxValue === "number" ? { maxValue } : {}),
    ...(typeof element["maxLength"] === "number" ? { maxLength: element["maxLength"] } : {}),
    ...(slicing === undefined ? {} : { slicing }),
    ...(requiredValueSet === undefined ? {} : { requiredValueSet }),
    ...(sameAs === undefined ? {} : { sameAs }),
  };
}

function readType(type: JsonObject): TypeRule {
  const code = textOf(type["code"]) ?? "";
  return {
    code: code.startsWith(SYSTEM_TYPES) ? "string" : code,
    profiles: stringsIn(type["profile"]),
    targets: stringsIn(type["targetProfile"]),
  };
}

/** What `id` and `url` have for a type: FHIRPath's own, under a URL. */
const SYSTEM_TYPES = "http://hl7.org/fhirpath/System.";

function readConstraint(constraint: JsonObject): ConstraintFacts {
  const expression = textOf(constraint["expression"]);
  const severity = constraint["severity"] === "error" ? "error" : "warning";
  return { key: textOf(constraint["key"]) ?? "", severity, ...(expression === undefined ? {} : { expression }) };
}

function requiredBinding(binding: unknown): string | undefined {
  return isObject(binding) && binding["strength"] === "required" ? textOf(binding["valueSet"]) : undefined;
}

function readSlicing(slicing: unknown): Slicing | undefined {
  if (!isObject(slicing)) return undefined;
  const rules = slicing["rules"];
  return {
    discriminators: objectsIn(slicing["discriminator"]).map(({ type, path }) => ({
      type: textOf(type) ?? "",
      path: textOf(path) ?? "",
    })),
    rules: rules === "closed" || rules === "openAtEnd" ? rules : "open",
    ordered: slicing["ordered"] === true,
  };
}

/** The value of `fixed[x]`, `pattern[x]`: one property, named after its type. */
function chosen(element: JsonObject, prefix: string): unknown {
  const name = Object.keys(element).find((key) => key.startsWith(prefix) && /^[A-Z]/.test(key.slice(prefix.length)));
  return name === undefined ? undefined : element[name];
}
