import type { Findings } from "@wardline/policy-types";
import { isObject, type JsonObject, objectsIn, stringsIn, textOf } from "./json.ts";

/** Whether a code is in a value set; `undefined` when that cannot be said: a whole code system asked without its name. */
export type CodeSet = (system: string | undefined, code: string) => boolean | undefined;

/** The value set of a canonical URL, with or without `|version`; `undefined` when it was not given. */
export type ValueSets = (canonical: string) => CodeSet | undefined;

/**
 * Reads the value sets that bindings name: by their composition when it lists codes or takes whole systems, by their
 * expansion otherwise. Code systems given beside them spell out the whole systems.
 *
 * Does NOT evaluate filters: such a value set needs its expansion.
 */
export function compileValueSets(resources: readonly object[], found: Findings): ValueSets {
  const sources = new Map<string, { readonly resource: JsonObject; readonly path: string }>();
  const systems = new Map<string, ReadonlySet<string>>();
  for (const [index, resource] of resources.entries()) {
    const path = `valueSets[${index}]`;
    const { resourceType, url } = resource as JsonObject;
    if (typeof url !== "string" || (resourceType !== "ValueSet" && resourceType !== "CodeSystem"))
      found.add(path, "not-a-value-set", "a ValueSet, or a CodeSystem, with a `url`");
    else if (resourceType === "ValueSet") sources.set(url, { resource: resource as JsonObject, path });
    else if ((resource as JsonObject)["content"] === "complete")
      systems.set(url, new Set(conceptsIn(resource as JsonObject)));
  }

  const compiled = new Map<string, CodeSet>();
  const lookUp: ValueSets = (canonical) => {
    const [url = "", version] = canonical.split("|", 2);
    const source = sources.get(url);
    if (source === undefined) return undefined;
    if (version !== undefined && (textOf(source.resource["version"]) ?? version) !== version) return undefined;
    const known = compiled.get(url);
    if (known !== undefined) return known;
    // Set before it is read, so that value sets that include each other find nothing instead of no end.
    compiled.set(url, NOTHING);
    const set = compose(source.resource, lookUp, systems) ?? expansionOf(source.resource);
    if (set === undefined)
      found.add(
        source.path,
        "value-set-not-evaluable",
        "uses filters or unknown value sets: give it with its expansion",
      );
    compiled.set(url, set ?? NOTHING);
    return set ?? NOTHING;
  };
  return lookUp;
}

const NOTHING: CodeSet = () => false;

function conceptsIn(holder: JsonObject): string[] {
  return objectsIn(holder["concept"]).flatMap((concept) => [textOf(concept["code"]) ?? "", ...conceptsIn(concept)]);
}

type Systems = ReadonlyMap<string, ReadonlySet<string>>;

/** @see https://hl7.org/fhir/R4/valueset.html#compositions */
function compose(valueSet: JsonObject, lookUp: ValueSets, systems: Systems): CodeSet | undefined {
  if (!isObject(valueSet["compose"])) return undefined;
  const included = objectsIn(valueSet["compose"]["include"]).map((part) => readPart(part, lookUp, systems));
  const excluded = objectsIn(valueSet["compose"]["exclude"]).map((part) => readPart(part, lookUp, systems));
  if (included.length === 0 || included.includes(undefined) || excluded.includes(undefined)) return undefined;
  const includes = anyOf(included.filter((set) => set !== undefined));
  const excludes = anyOf(excluded.filter((set) => set !== undefined));
  return (system, code) => {
    const out = excludes(system, code);
    return out === false ? includes(system, code) : out === true ? false : undefined;
  };
}

/** One include or exclude: the codes of a system that are also in every value set it names. */
function readPart(part: JsonObject, lookUp: ValueSets, systems: Systems): CodeSet | undefined {
  if (part["filter"] !== undefined) return undefined;
  const others = stringsIn(part["valueSet"]).map(lookUp);
  if (others.includes(undefined)) return undefined;
  const conditions = others.filter((set) => set !== undefined);
  const system = textOf(part["system"]);
  if (system !== undefined) {
    const listed = part["concept"] === undefined ? systems.get(system) : new Set(conceptsIn(part));
    conditions.push(codesOf(system, listed));
  }
  return conditions.length === 0 ? undefined : allOf(conditions);
}

function codesOf(system: string, listed: ReadonlySet<string> | undefined): CodeSet {
  return (given, code) => {
    if (given !== undefined && given !== system) return false;
    if (listed !== undefined) return listed.has(code);
    return given === undefined ? undefined : true;
  };
}

function expansionOf({ expansion }: JsonObject): CodeSet | undefined {
  if (!isObject(expansion)) return undefined;
  const codes = new Map<string, Set<string>>();
  const count = readContains(expansion, codes);
  // A page of an expansion would refuse the codes of the other pages.
  if (typeof expansion["total"] === "number" && expansion["total"] > count) return undefined;
  return anyOf([...codes].map(([system, listed]) => codesOf(system, listed)));
}

function readContains(holder: JsonObject, codes: Map<string, Set<string>>): number {
  let count = 0;
  for (const entry of objectsIn(holder["contains"])) {
    const code = textOf(entry["code"]);
    count += 1 + readContains(entry, codes);
    if (code === undefined || entry["abstract"] === true) continue;
    const system = textOf(entry["system"]) ?? "";
    codes.set(system, (codes.get(system) ?? new Set()).add(code));
  }
  return count;
}

function anyOf(sets: readonly CodeSet[]): CodeSet {
  return (system, code) => {
    const verdicts = sets.map((set) => set(system, code));
    return verdicts.includes(true) ? true : verdicts.includes(undefined) ? undefined : false;
  };
}

function allOf(sets: readonly CodeSet[]): CodeSet {
  return (system, code) => {
    const verdicts = sets.map((set) => set(system, code));
    return verdicts.includes(false) ? false : verdicts.includes(undefined) ? undefined : true;
  };
}
