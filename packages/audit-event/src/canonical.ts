/**
 * Writes a value as canonical JSON: no white space, names sorted by UTF-16 code units, one spelling for every string and
 * number. For structures made here; an event is stored as it is written, because this would lose a decimal's zeros.
 *
 * @throws {TypeError} for what I-JSON cannot hold: a number that is not finite, a lone surrogate, `undefined`, a bigint
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      return text(value);
    case "number":
      // Section 3.2.2.3: numbers as ECMAScript writes them, which JSON.stringify does.
      if (!Number.isFinite(value)) throw new TypeError("a number that is not finite has no canonical form");
      return JSON.stringify(value);
    case "boolean":
      return String(value);
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? `[${value.map(canonicalJson).join(",")}]` : object(value);
    default:
      throw new TypeError(`a value of type ${typeof value} has no canonical form`);
  }
}

/** Section 3.2.3: names sorted by UTF-16 code units, which is how JavaScript compares strings. */
function object(value: object): string {
  const members = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(members).sort();
  return `{${names.map((name) => `${text(name)}:${canonicalJson(members[name])}`).join(",")}}`;
}

function text(value: string): string {
  // Section 3.2.2.2: a lone surrogate is an error, where JSON.stringify would escape it.
  if (LONE_SURROGATE.test(value)) throw new TypeError("a text with a lone surrogate has no canonical form");
  return JSON.stringify(value);
}

const LONE_SURROGATE = /\p{Surrogate}/u;
