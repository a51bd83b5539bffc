import type { SchemaIssue } from "../issues.ts";
import { isRecord } from "../record.ts";
import { isPatchPath } from "./path.ts";

type Part = Readonly<Record<string, unknown>>;

/** The parts each operation takes, all of them required. */
const PARTS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["add", ["type", "path", "name", "value"]],
  ["insert", ["type", "path", "index", "value"]],
  ["delete", ["type", "path"]],
  ["replace", ["type", "path", "value"]],
  ["move", ["type", "path", "source", "destination"]],
]);
const MAX_OPERATIONS = 1000;

/**
 * Checks a FHIRPath Patch: Parameters of operations, each with exactly the parts it takes. Does NOT evaluate a path or
 * apply anything. Requires the body to be well-formed Parameters (see `validateResource`).
 *
 * @param type resource type the patch is for; every path begins with it
 * @see https://hl7.org/fhir/R4/fhirpatch.html
 */
export function checkFhirPathPatch(body: unknown, type?: string): readonly SchemaIssue[] {
  if (!isRecord(body) || body["resourceType"] !== "Parameters") {
    return [error("structure", "A FHIRPath Patch is a Parameters resource.")];
  }
  const operations: unknown = body["parameter"];
  if (!Array.isArray(operations) || operations.length === 0) {
    return [error("structure", "The patch holds no operation.", "Parameters.parameter")];
  }
  if (operations.length > MAX_OPERATIONS) {
    return [error("too-costly", "The patch holds more operations than this server applies.", "Parameters.parameter")];
  }
  return (operations as readonly unknown[]).flatMap((operation, index) =>
    operationIssues(operation, `Parameters.parameter[${index}]`, type),
  );
}

function operationIssues(operation: unknown, at: string, type: string | undefined): readonly SchemaIssue[] {
  if (!isRecord(operation) || operation["name"] !== "operation" || !Array.isArray(operation["part"])) {
    return [error("structure", "Each parameter of a patch is named operation and has parts.", at)];
  }
  const parts = (operation["part"] as readonly unknown[]).filter(isRecord);
  const named = (name: string): Part | undefined => parts.find((part) => part["name"] === name);
  const wanted = PARTS.get(named("type")?.["valueCode"]);
  if (wanted === undefined) {
    return [error("value", "The operation's type is none of add, insert, delete, replace, move.", at)];
  }
  const issues: SchemaIssue[] = [];
  for (const name of wanted) {
    if (named(name) === undefined) issues.push(error("required", `The operation lacks its part ${name}.`, at));
  }
  const names = parts.map((part) => part["name"]);
  if (new Set(names).size !== names.length || names.some((name) => !wanted.includes(String(name)))) {
    issues.push(error("structure", "The operation has a part that is not its own, or one twice.", at));
  }
  for (const part of parts) if (!isPart(part)) issues.push(error("value", "A part is not of its type.", at));
  const path = named("path")?.["valueString"];
  if (typeof path === "string") issues.push(...pathIssues(path, at, type));
  if (
    typeof path === "string" &&
    path === type &&
    ["id", "resourceType"].includes(String(named("name")?.["valueString"]))
  ) {
    issues.push(error("business-rule", UNCHANGEABLE, at));
  }
  return issues;
}

function isPart(part: Part): boolean {
  switch (part["name"]) {
    case "type":
      return typeof part["valueCode"] === "string";
    case "path":
      return typeof part["valueString"] === "string";
    case "name":
      return typeof part["valueString"] === "string" && /^[a-z][A-Za-z0-9]*$/.test(part["valueString"]);
    case "index":
    case "source":
    case "destination":
      return Number.isSafeInteger(part["valueInteger"]) && (part["valueInteger"] as number) >= 0;
    case "value":
      return Object.keys(part).some((name) => /^(?:_?value[A-Z]|resource$|part$)/.test(name));
    default:
      return true; // told already
  }
}

function pathIssues(path: string, at: string, type: string | undefined): readonly SchemaIssue[] {
  if (!isPatchPath(path, type)) {
    return [error("value", "The path is no FHIRPath a patch may use: names, indexes and simple filters.", at)];
  }
  return /^[A-Za-z]+\.(?:id|resourceType)$/.test(path) ? [error("business-rule", UNCHANGEABLE, at)] : [];
}

const UNCHANGEABLE = "A patch cannot change the resource's type or id.";

function error(issue: SchemaIssue["issue"], detail: string, expression?: string): SchemaIssue {
  return { severity: "error", issue, detail, ...(expression === undefined ? {} : { expression }) };
}
