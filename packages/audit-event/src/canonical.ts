/**
 * Writes a value as canonical JSON: no white space, names sorted by UTF-16 code units, one spelling for every string and
 * number. For structures made here; an event is stored as it is written, because this would lose a decimal's zeros.
 *
 * @throws {TypeError} for what I-JSON cannot hold: a number that is not finite, a lone surrogate, `undefined`, a bigint
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function canonicalJson(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return text(value);
  if (typeof value === "boolean") return String(value);
  // Section 3.2.2.3: numbers as ECMAScript writes them, which JSON.stringify does.
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object") return object(value);
  throw new TypeError(`a ${typeof value} like this has no canonical form`);
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
