import { readJson } from "@wardline/policy-types/express";
import { type DetectOptions, phiScanner } from "../dlp/detect.ts";
import { namesIn } from "../dlp/people.ts";
import { isSecretName, REMOVED, withoutSecrets } from "./secrets.ts";

export interface AssertNoPhiOptions extends DetectOptions {
  /** Texts of the test's own patients that must stand nowhere: names, numbers, dates. Compared without case. */
  readonly texts?: readonly string[];
  /** Resources whose people must not be named. */
  readonly resources?: readonly unknown[];
}

/**
 * For test suites: throws when a record holds an identifier, a credential or a text that must not be there. Takes log
 * lines, AuditEvents, metric labels, headers: strings (JSON or not) and objects. Says where and what kind, not the value.
 *
 * Does NOT prove that a log is free of PHI; it proves that these records are free of what it knows.
 */
export function assertNoPhi(records: Iterable<unknown>, options: AssertNoPhiOptions = {}): void {
  const { texts = [], resources = [], names = [], ...rest } = options;
  const scan = phiScanner({ ...rest, names: [...names, ...namesIn(resources)] });
  const forbidden = texts.filter((text) => text !== "").map((text) => text.toLowerCase());
  const faults: string[] = [];
  const seen = new Set<object>();

  const checkText = (text: string, path: string, key: string): void => {
    const parsed = parseJson(text);
    if (parsed !== undefined) return check(parsed, path, key);
    for (const { entity } of scan(text, key)) faults.push(`${path}: ${entity}`);
    if (withoutSecrets(text) !== text) faults.push(`${path}: a credential`);
    const lower = text.toLowerCase();
    for (const [index, each] of forbidden.entries()) if (lower.includes(each)) faults.push(`${path}: texts[${index}]`);
  };
  const check = (value: unknown, path: string, key: string): void => {
    if (value === null || value === undefined || typeof value === "boolean") return;
    if (key !== "" && isSecretName(key) && value !== REMOVED && value !== "") faults.push(`${path}: a credential`);
    if (typeof value !== "object") return checkText(String(value as string | number | bigint), path, key);
    if (seen.has(value)) return;
    seen.add(value);
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) check(item, `${path}[${index}]`, key);
      return;
    }
    for (const [name, member] of membersOf(value)) {
      for (const { entity } of scan(name)) faults.push(`${path}: ${entity} as a name`);
      check(member, `${path}.${name.slice(0, 40)}`, name);
    }
  };

  let index = 0;
  for (const record of records) {
    check(record, `records[${index}]`, "");
    index += 1;
  }
  if (faults.length > 0)
    throw new Error(`PHI where none may be (${faults.length})\n  ${faults.slice(0, 50).join("\n  ")}`);
}

/** An error's message and stack are not enumerable, and hold the most. */
function membersOf(value: object): readonly (readonly [string, unknown])[] {
  if (value instanceof Map) return [...value].map(([name, member]) => [String(name), member]);
  if (!(value instanceof Error)) return Object.entries(value);
  const { name, message, stack, cause } = value;
  return [...Object.entries({ name, message, stack, cause }), ...Object.entries(value)];
}

function parseJson(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return readJson(text) as object;
  } catch {
    return undefined;
  }
}
