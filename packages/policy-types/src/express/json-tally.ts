/** What a value that was read from JSON holds. */
export interface JsonTally {
  /** Of all objects, at every depth that was looked at. */
  members: number;
  /** Objects and arrays within each other. */
  depth: number;
  /** Numbers that no name stands before: in an array, or alone. */
  hasUnnamedNumbers: boolean;
  hasForbiddenName: boolean;
}

/** Counts. Below `DEEPEST` it does not look: then `members` may be too few, and there may be whatever is asked for. */
export function tallyOf(value: unknown): JsonTally {
  const tally: JsonTally = {
    members: 0,
    depth: 0,
    hasUnnamedNumbers: typeof value === "number",
    hasForbiddenName: false,
  };
  if (typeof value === "object" && value !== null) addNode(tally, value, 1);
  return tally;
}

const DEEPEST = 1000;

/** Loops that make no list of members: this looks at every node of every body. */
function addNode(tally: JsonTally, node: object, depth: number): void {
  if (depth > tally.depth) tally.depth = depth;
  if (depth > DEEPEST) {
    tally.hasUnnamedNumbers = true;
    tally.hasForbiddenName = true;
    return;
  }
  if (Array.isArray(node)) {
    for (let at = 0; at < node.length; at++) {
      const entry: unknown = node[at];
      if (typeof entry === "object") {
        if (entry !== null) addNode(tally, entry, depth + 1);
      } else if (typeof entry === "number") tally.hasUnnamedNumbers = true;
    }
    return;
  }
  for (const name in node) {
    tally.members++;
    if (name === "__proto__") tally.hasForbiddenName = true;
    const member = (node as Readonly<Record<string, unknown>>)[name];
    if (typeof member === "object" && member !== null) addNode(tally, member, depth + 1);
  }
}
