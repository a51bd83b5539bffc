import type { Findings } from "@wardline/policy-types";

export function checkStrings(found: Findings, path: string, list: unknown, shape: RegExp, what: string): void {
  if (list === undefined) return;
  if (!Array.isArray(list)) {
    found.add(path, "not-a-list", `write a list, each ${what}`);
    return;
  }
  (list as unknown[]).forEach((item, at) => {
    if (typeof item !== "string" || !shape.test(item)) found.add(`${path}[${at}]`, "not-valid", `write ${what}`);
  });
}

export function isListOfObjects(list: unknown): boolean {
  return Array.isArray(list) && (list as unknown[]).every((one) => one !== null && typeof one === "object");
}
