import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject } from "../values.ts";
import type { SensitiveCategory } from "./lists.ts";

/** Names of the categories a resource belongs to. */
export type Detector = (resource: JsonObject) => ReadonlySet<string>;

const ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const ACT_PRIVACY_LAW = "http://terminology.hl7.org/CodeSystem/v3-ActUSPrivacyLaw";
const CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/** Known and not restricted. What is not known is taken for restricted. */
const OPEN_LEVELS: ReadonlySet<string> = new Set(["U", "L", "M", "N"]);

/**
 * Looks at every coding in the resource, contained resources and inline labels included: an element as sensitive as that
 * makes the resource so.
 *
 * Does NOT read text: a diagnosis that stands only in words is not seen. A code without a system counts in every system.
 *
 * @see https://hl7.org/fhir/uv/security-label-ds4p
 */
export function createDetector(categories: readonly SensitiveCategory[]): Detector {
  const labels = new Map<string, string[]>();
  const exact = new Map<string, string[]>();
  const prefixes = new Map<string, { readonly prefix: string; readonly name: string }[]>();
  for (const { name, labels: marks, codes } of categories) {
    for (const mark of marks) push(labels, mark, name);
    for (const list of codes) {
      for (const code of list.codes ?? [])
        for (const system of [list.system, ""]) push(exact, `${system}|${code}`, name);
      for (const prefix of list.prefixes ?? []) {
        for (const system of [list.system, ""]) push(prefixes, system, { prefix: prefix.toUpperCase(), name });
      }
    }
  }

  function judge({ system, code }: JsonObject, found: Set<string>): void {
    if (typeof code !== "string") return;
    const where = typeof system === "string" ? system : "";
    if (where === CONFIDENTIALITY) {
      for (const name of labels.get(OPEN_LEVELS.has(code) || labels.has(code) ? code : "R") ?? []) found.add(name);
      return;
    }
    if (where === ACT_CODE || where === ACT_PRIVACY_LAW) for (const name of labels.get(code) ?? []) found.add(name);
    for (const name of exact.get(`${where}|${code.trim()}`) ?? []) found.add(name);
    const plain = code.trim().replaceAll(".", "").toUpperCase();
    for (const { prefix, name } of prefixes.get(where) ?? []) if (plain.startsWith(prefix)) found.add(name);
  }

  function visit(node: Json, found: Set<string>): void {
    if (Array.isArray(node)) {
      for (const item of node) visit(item, found);
    } else if (isObject(node)) {
      if ("code" in node) judge(node, found);
      for (const name in node) {
        const value = node[name];
        if (typeof value === "object" && value !== null) visit(value, found);
      }
    }
  }

  return function detect(resource) {
    const found = new Set<string>();
    visit(resource, found);
    return found;
  };
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
