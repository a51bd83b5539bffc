import type { Json } from "@wardline/policy-types/express";
import { isFhirResource, isObject, type JsonObject } from "../resource.ts";
import { valueAt } from "./pointer.ts";

/** What a path selects, as places in the JSON. */
export interface Selected {
  /** Each element by itself: a list is its members. */
  readonly places: readonly Place[];
  /** The list itself, when the path ends in its name. */
  readonly list?: readonly string[];
}

export interface Place {
  readonly tokens: readonly string[];
  /** Of a choice: its name without the type, and the type. */
  readonly choice?: { readonly name: string; readonly type: string };
}

const NAME = /^([a-z][A-Za-z0-9]{0,63})(?![A-Za-z0-9(])/;
const INDEX = /^\[(\d{1,4})\]/;
/** Equations of elements with texts and booleans, joined by `and`; a text has neither quotes nor escapes in it. */
const WHERE =
  /^where\(\s*((?:[a-z][A-Za-z0-9.]*\s*=\s*(?:'[^'\\]*'|true|false))(?:\s+and\s+[a-z][A-Za-z0-9.]*\s*=\s*(?:'[^'\\]*'|true|false))*)\s*\)/;
const EQUATION = /([a-z][A-Za-z0-9.]*)\s*=\s*(?:'([^'\\]*)'|(true|false))/g;
const EXTENSION = /^extension\(\s*('[^'\\]*')\s*\)/;
const END = /^(first|last)\(\)/;
const TYPED = /^(?:ofType|as)\(\s*(?:FHIR\.)?([A-Za-z][A-Za-z0-9]{0,63})\s*\)/;
const LENGTH_LIMIT = 1000;
const STEP_LIMIT = 20;

/**
 * Selects by the part of FHIRPath that patches are written in: element names, a choice by its short name, `[0]`,
 * `first()`, `last()`, `where(use = 'home' and system = 'phone')`, `extension('url')`, `ofType(Quantity)`. `undefined`
 * for every other path: one that would be read differently by the server would be judged wrongly.
 *
 * @see https://hl7.org/fhir/R4/fhirpath.html
 */
export function select(document: Json, path: Json | undefined): Selected | undefined {
  if (typeof path !== "string" || path.length > LENGTH_LIMIT || !isFhirResource(document)) return undefined;
  const { resourceType } = document;
  if (path !== resourceType && !path.startsWith(`${resourceType}.`)) return undefined;
  let rest = path.slice(resourceType.length);
  let selected: Selected | undefined = { places: [{ tokens: [] }] };
  for (let steps = 0; rest !== "" && selected !== undefined; steps++) {
    const isIndex = rest.startsWith("[");
    if (steps >= STEP_LIMIT || (!isIndex && !rest.startsWith("."))) return undefined;
    const step = isIndex ? rest : rest.slice(1);
    const taken: Taken | undefined = isIndex ? takeIndex(step, selected) : takeStep(document, step, selected);
    selected = taken?.selected;
    rest = taken === undefined ? "" : step.slice(taken.length);
  }
  return selected;
}

interface Taken {
  readonly selected: Selected | undefined;
  /** How much of the text it took. */
  readonly length: number;
}

function takeIndex(text: string, { places }: Selected): Taken | undefined {
  const [whole = "", index] = INDEX.exec(text) ?? [];
  if (index === undefined) return undefined;
  return { selected: { places: places.slice(Number(index), Number(index) + 1) }, length: whole.length };
}

function takeStep(document: Json, text: string, from: Selected): Taken | undefined {
  const { places } = from;
  const [end = "", which] = END.exec(text) ?? [];
  if (which !== undefined) {
    return { selected: { places: which === "first" ? places.slice(0, 1) : places.slice(-1) }, length: end.length };
  }
  const [where = "", equations] = WHERE.exec(text) ?? [];
  if (equations !== undefined) {
    const kept = places.filter(({ tokens }) => holds(valueAt(document, tokens), equations));
    return { selected: { places: kept }, length: where.length };
  }
  const [extension = "", url] = EXTENSION.exec(text) ?? [];
  if (url !== undefined) {
    const all = children(document, places, "extension");
    const kept = all?.places.filter(({ tokens }) => holds(valueAt(document, tokens), `url=${url}`));
    return { selected: kept === undefined ? undefined : { places: kept }, length: extension.length };
  }
  const [typed = "", type] = TYPED.exec(text) ?? [];
  if (type !== undefined) {
    // What is no choice has the one type it has, which only the definitions tell.
    if (places.some(({ choice }) => choice === undefined)) return undefined;
    const kept = places.filter(({ choice }) => choice?.type === type.charAt(0).toUpperCase() + type.slice(1));
    return { selected: { places: kept }, length: typed.length };
  }
  const [name] = NAME.exec(text) ?? [];
  return name === undefined ? undefined : { selected: children(document, places, name), length: name.length };
}

/** R4: an element in JSON is a list or it is not; FHIRPath sees its members either way. */
function children(document: Json, places: readonly Place[], name: string): Selected | undefined {
  const found: Place[] = [];
  let list: readonly string[] | undefined;
  for (const { tokens } of places) {
    const parent = valueAt(document, tokens);
    if (!isObject(parent)) continue;
    const key = keyOf(parent, name);
    if (key === undefined) return undefined;
    const value = valueAt(parent, [key]);
    const place = {
      tokens: [...tokens, key],
      ...(key === name ? {} : { choice: { name, type: key.slice(name.length) } }),
    };
    if (!Array.isArray(value)) {
      if (value !== undefined) found.push(place);
      continue;
    }
    list = place.tokens;
    for (const at of value.keys()) found.push({ tokens: [...place.tokens, String(at)] });
  }
  return { places: found, ...(list !== undefined && places.length === 1 ? { list } : {}) };
}

/** R4 datatypes.html: what a choice can be, as its name ends. */
const TYPES: ReadonlySet<string> = new Set(
  `Base64Binary Boolean Canonical Code Date DateTime Decimal Id Instant Integer Markdown Oid PositiveInt String Time
  UnsignedInt Uri Url Uuid Address Age Annotation Attachment CodeableConcept Coding ContactPoint Count Distance Duration
  HumanName Identifier Money Period Quantity Range Ratio Reference SampledData Signature Timing ContactDetail Contributor
  DataRequirement Expression ParameterDefinition RelatedArtifact TriggerDefinition UsageContext Dosage Meta`.split(
    /\s+/,
  ),
);

/** `value` where the JSON has `valueQuantity`. `undefined` when it has two of the kind. */
function keyOf(parent: JsonObject, name: string): string | undefined {
  if (Object.hasOwn(parent, name)) return name;
  const choices = Object.keys(parent).filter((key) => key.startsWith(name) && TYPES.has(key.slice(name.length)));
  return choices.length > 1 ? undefined : (choices[0] ?? name);
}

/** FHIRPath `=`: of one value, equal. What is not there equals nothing. */
function holds(element: Json | undefined, equations: string): boolean {
  return [...equations.matchAll(EQUATION)].every(([, path = "", text, flag]) => {
    const values = path
      .split(".")
      .reduce<readonly Json[]>((from, name) => from.flatMap((one) => membersOf(one, name)), [element ?? null]);
    return values.length === 1 && values[0] === (text ?? flag === "true");
  });
}

function membersOf(element: Json, name: string): readonly Json[] {
  const value = isObject(element) && Object.hasOwn(element, name) ? element[name] : undefined;
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
