/**
 * Whether a value is what it looks like: plain objects, arrays and JSON's primitives all the way down, so that what is
 * judged is what `JSON.stringify` will write. A `toJSON` (dates, documents of an object mapper) writes something else than
 * the members a judge sees. What is nested deeper than any FHIR resource, or holds itself, is not plain either.
 */
export function isPlain(value: unknown): boolean {
  return isPlainBelow(value, 0);
}

const DEEPEST = 200;

function isPlainBelow(value: unknown, depth: number): boolean {
  if (typeof value === "object") return value === null || (depth < DEEPEST && isPlainNode(value, depth + 1));
  return typeof value !== "bigint" && typeof value !== "function" && typeof value !== "symbol";
}

/** Loops that make no list of members: this looks at every node of every answer. */
function isPlainNode(node: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(node);
  // Read and not asked for by `in`, which costs as much as all the rest.
  if ((node as { readonly toJSON?: unknown }).toJSON !== undefined) return false;
  if (Array.isArray(node)) {
    if (prototype !== Array.prototype) return false;
    for (let at = 0; at < node.length; at++) if (!isPlainBelow(node[at], depth)) return false;
    return true;
  }
  if (prototype !== Object.prototype && prototype !== null) return false;
  // Inherited members are visited too, and what somebody put on `Object.prototype` only makes a value less plain.
  for (const name in node) {
    const member = (node as Readonly<Record<string, unknown>>)[name];
    if (typeof member !== "string" && !isPlainBelow(member, depth)) return false;
  }
  return true;
}
