import type { Json } from "@wardline/policy-types/express";
import type { JsonObject } from "../values.ts";
import type { SensitiveCategory } from "./lists.ts";

/** Names of the categories a resource belongs to. */
export type Detector = (resource: JsonObject) => ReadonlySet<string>;

const CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/** The code systems of labels by their names in R4, in R3, and as OIDs. @see https://terminology.hl7.org/codesystems-v3.html */
const CONFIDENTIALITY_NAMES: ReadonlySet<string> = new Set([
  CONFIDENTIALITY,
  "http://hl7.org/fhir/v3/Confidentiality",
  "urn:oid:2.16.840.1.113883.5.25",
]);
const SENSITIVITY_NAMES: ReadonlySet<string> = new Set([
  "http://terminology.hl7.org/CodeSystem/v3-ActCode",
  "http://hl7.org/fhir/v3/ActCode",
  "urn:oid:2.16.840.1.113883.5.4",
  "http://terminology.hl7.org/CodeSystem/v3-ActUSPrivacyLaw",
  "http://hl7.org/fhir/v3/ActUSPrivacyLaw",
  "urn:oid:2.16.840.1.113883.5.1138",
]);
/** `Meta.security`, and `DocumentReference.securityLabel`: a code in them is a label, whether or not it names its system. */
const LABELLING: ReadonlySet<string> = new Set(["security", "securityLabel"]);
/** Known and not restricted. What is not known is taken for restricted. */
const OPEN_LEVELS: ReadonlySet<string> = new Set(["U", "L", "M", "N"]);

/**
 * Looks at every coding in the resource, contained resources, inline labels and a Composition's `confidentiality` included: an element as sensitive as that
 * makes the resource so.
 *
 * Does NOT read text: a diagnosis that stands only in words is not seen. A code without a system counts in every system.
 *
 * @see https://hl7.org/fhir/uv/security-label-ds4p
 */
export function createDetector(categories: readonly SensitiveCategory[]): Detector {
  const index = indexOf(categories);

  function visitList(list: readonly unknown[], isLabel: boolean, found: Set<string>): void {
    for (const item of list) {
      if (Array.isArray(item)) visitList(item, isLabel, found);
      else if (typeof item === "object" && item !== null) visit(item as JsonObject, isLabel, found);
    }
  }

  function visit(node: JsonObject, isLabel: boolean, found: Set<string>): void {
    for (const name in node) {
      const value = node[name];
      if (typeof value === "string") {
        if (name === "code") judge(value, node["system"], isLabel, index, found);
        // Composition's own, of a code system that it need not name.
        else if (name === "confidentiality") judge(value, CONFIDENTIALITY, true, index, found);
      } else if (typeof value === "object" && value !== null) {
        const within = isLabel || LABELLING.has(name);
        if (Array.isArray(value)) visitList(value, within, found);
        else visit(value, within, found);
      }
    }
  }

  return function detect(resource) {
    const found = new Set<string>();
    visit(resource, false, found);
    return found;
  };
}

/** By code first, because most codes are in no list at all. */
interface Index {
  readonly labels: ReadonlyMap<string, readonly string[]>;
  /** Code, then system (empty: none was given), then names of categories. */
  readonly exact: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  readonly prefixes: ReadonlyMap<string, readonly { readonly prefix: string; readonly name: string }[]>;
}

function indexOf(categories: readonly SensitiveCategory[]): Index {
  const labels = new Map<string, string[]>();
  const exact = new Map<string, Map<string, string[]>>();
  const prefixes = new Map<string, { readonly prefix: string; readonly name: string }[]>();
  for (const { name, labels: marks, codes } of categories) {
    for (const mark of marks) push(labels, mark, name);
    for (const list of codes) {
      for (const system of [list.system, ""]) {
        for (const code of list.codes ?? []) {
          const bySystem = exact.get(code) ?? new Map<string, string[]>();
          exact.set(code, bySystem);
          push(bySystem, system, name);
        }
        for (const prefix of list.prefixes ?? []) push(prefixes, system, { prefix: prefix.toUpperCase(), name });
      }
    }
  }
  return { labels, exact, prefixes };
}

function judge(
  raw: string,
  system: Json | undefined,
  isLabel: boolean,
  { labels, exact, prefixes }: Index,
  found: Set<string>,
): void {
  const where = typeof system === "string" ? system.trim() : "";
  const code = raw.trim();
  if (CONFIDENTIALITY_NAMES.has(where)) {
    addAll(found, labels.get(OPEN_LEVELS.has(code) || labels.has(code) ? code : "R"));
    return;
  }
  if (SENSITIVITY_NAMES.has(where) || (isLabel && where === "")) addAll(found, labels.get(code));
  addAll(found, exact.get(code)?.get(where));
  const beginnings = prefixes.get(where);
  if (beginnings === undefined) return;
  const plain = code.replaceAll(".", "").toUpperCase();
  for (const { prefix, name } of beginnings) if (plain.startsWith(prefix)) found.add(name);
}

function addAll(found: Set<string>, names: readonly string[] | undefined): void {
  if (names !== undefined) for (const name of names) found.add(name);
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
