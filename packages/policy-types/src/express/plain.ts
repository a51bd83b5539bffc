/**
 * Whether a value is what it looks like: plain objects, arrays and JSON's primitives all the way down, so that what is
 * judged is what `JSON.stringify` will write. A `toJSON` (dates, documents of an object mapper) writes something else than
 * the members a judge sees.
 */
export function isPlain(value: unknown): boolean {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const node = open.pop();
    switch (typeof node) {
      case "string":
      case "number":
      case "boolean":
      case "undefined":
        break;
      case "object":
        if (node === null) break;
        if (!hasPlainPrototype(node) || "toJSON" in node) return false;
        for (const member of Object.values(node)) if (typeof member !== "string") open.push(member);
        break;
      case "bigint":
      case "function":
      case "symbol":
        return false;
    }
  }
  return true;
}

function hasPlainPrototype(node: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(node);
  return Array.isArray(node) ? prototype === Array.prototype : prototype === Object.prototype || prototype === null;
}
