import { codeList } from "../../src/resources/codes.ts";
import { type ElementRule, namesOf, nodeRule } from "../../src/resources/nodes.ts";
import { PRIMITIVES } from "../../src/resources/primitives.ts";

type Members = Record<string, unknown>;

const VALUES: Readonly<Record<string, unknown>> = {
  boolean: true,
  date: "2024-02-29",
  dateTime: "2024-02-29",
  instant: "2024-02-29T00:00:00Z",
  time: "10:00:00",
  base64Binary: "aGk=",
  oid: "urn:oid:1.2",
  uuid: "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
  xhtml: "<div>x</div>",
};

/** The least a resource of this type may hold, and each of its elements with children once, wherever they stand. */
export function minimalResource(type: string): Members {
  return { resourceType: type, ...membersOf(type, []) };
}

function membersOf(node: string, within: readonly string[]): Members {
  const members: Members = {};
  for (const element of nodeRule(node).elements) {
    const [type = ""] = element.types;
    const isNew = type.includes(".") && !within.includes(type);
    if (!element.required && !isNew) continue;
    const [name = element.name] = namesOf(element);
    const value = exampleOf(element, [...within, node]);
    members[name] = element.repeats ? [value] : value;
  }
  // An object is not empty.
  return Object.keys(members).length > 0 || nodeRule(node).base === "DomainResource" ? members : { id: "x" };
}

function exampleOf({ types: [type = ""], codes }: ElementRule, within: readonly string[]): unknown {
  const [code = ""] = codes === undefined ? [] : codeList(codes);
  const primitive = PRIMITIVES.get(type);
  if (primitive === undefined && codes !== undefined) {
    const [system, ...rest] = code.split("|");
    return { coding: [{ system, code: rest.join("|") }] };
  }
  if (codes !== undefined) return code;
  if (primitive?.json === "number") return 1;
  if (primitive?.json === "string" || primitive?.json === "boolean") return VALUES[type] ?? "x";
  return type === "Resource" ? { resourceType: "Basic", code: { text: "x" } } : membersOf(type, within);
}
