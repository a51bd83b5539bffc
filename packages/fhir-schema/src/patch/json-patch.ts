import type { SchemaIssue } from "../issues.ts";
import { isRecord } from "../record.ts";
import { hasLegalPointer } from "./pointer.ts";

/** Members each operation needs; any other is ignored by RFC 6902, and refused here as something nobody judged. */
const MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["add", ["path", "value"]],
  ["remove", ["path"]],
  ["replace", ["path", "value"]],
  ["move", ["path", "from"]],
  ["copy", ["path", "from"]],
  ["test", ["path", "value"]],
]);

/**
 * Checks the syntax of a JSON Patch: operations, their members, their pointers, and that none of them touches what an
 * interaction may not change (`resourceType`, `id`). Does NOT apply it: whether the result is well-formed FHIR is for
 * whoever holds the resource.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6902
 */
export function checkJsonPatch(patch: unknown, maxOperations = 1000): readonly SchemaIssue[] {
  if (!Array.isArray(patch)) return [error("structure", "A JSON Patch is a list of operations.")];
  if (patch.length === 0) return [error("structure", "The patch holds no operation.")];
  if (patch.length > maxOperations)
    return [error("too-costly", "The patch holds more operations than this server applies.")];
  return (patch as readonly unknown[]).flatMap((operation, index) => operationIssues(operation, `patch[${index}]`));
}

function operationIssues(operation: unknown, at: string): readonly SchemaIssue[] {
  if (!isRecord(operation)) return [error("structure", "An operation of a patch is an object.", at)];
  const members = MEMBERS.get(operation["op"]);
  if (members === undefined)
    return [error("value", "The operation is none of add, remove, replace, move, copy, test.", `${at}.op`)];
  const issues: SchemaIssue[] = [];
  for (const name of members) {
    if (!Object.hasOwn(operation, name))
      issues.push(error("required", "The operation lacks a member it needs.", `${at}.${name}`));
  }
  if (Object.keys(operation).some((name) => name !== "op" && !members.includes(name))) {
    issues.push(error("structure", "The operation has a member that is not its own.", at));
  }
  for (const name of ["path", "from"] as const) {
    if (members.includes(name) && Object.hasOwn(operation, name)) pointerIssue(operation, name, at, issues);
  }
  if (operation["op"] === "move" && isBelow(operation["path"], operation["from"])) {
    issues.push(error("value", "A value cannot be moved into itself.", `${at}.path`));
  }
  return issues;
}

function pointerIssue(
  operation: Readonly<Record<string, unknown>>,
  name: "path" | "from",
  at: string,
  issues: SchemaIssue[],
): void {
  const pointer = operation[name];
  if (typeof pointer !== "string" || !hasLegalPointer(pointer)) {
    issues.push(error("value", "The pointer is malformed, or names what no resource has.", `${at}.${name}`));
  } else if (changes(operation["op"], name) && FIXED.has(pointer)) {
    issues.push(
      error("business-rule", "A patch cannot change the whole resource, its type or its id.", `${at}.${name}`),
    );
  }
}

function changes(op: unknown, name: "path" | "from"): boolean {
  return name === "path" ? op !== "test" : op === "move";
}

/** @see https://hl7.org/fhir/R4/http.html#patch */
const FIXED: ReadonlySet<string> = new Set(["", "/resourceType", "/id"]);

function isBelow(path: unknown, from: unknown): boolean {
  return typeof path === "string" && typeof from === "string" && path.startsWith(`${from}/`);
}

function error(issue: SchemaIssue["issue"], detail: string, expression?: string): SchemaIssue {
  return { severity: "error", issue, detail, ...(expression === undefined ? {} : { expression }) };
}
