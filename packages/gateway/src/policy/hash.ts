import { createHash } from "node:crypto";

/**
 * Names a policy by its content: SHA-256, hexadecimal, over its members sorted by name, so that layout, comments and the
 * file format do not matter. Requires plain JSON data, which the schema check has established.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function policyHash(policy: object): string {
  return createHash("sha256").update(canonical(policy)).digest("hex");
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}
