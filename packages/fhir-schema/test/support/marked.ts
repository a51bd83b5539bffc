const MARK = "Zq7";

/** The same JSON value with a mark in every string and name, so that a test can see whether anything of it leaks. */
export function marked(value: unknown): unknown {
  if (typeof value === "string") return MARK + value;
  if (Array.isArray(value)) return value.map(marked);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [MARK + name, marked(member)]));
}

export function isMarked(value: unknown): boolean {
  return JSON.stringify(value).includes(MARK);
}
