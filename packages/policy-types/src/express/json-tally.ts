/** What a value that was read from JSON holds. */
export interface JsonTally {
  /** Of all objects, down to where it looks. */
  members: number;
  /** Numbers that no name stands before, in an array or alone; or it did not look everywhere. */
  hasUnnamedNumbers: boolean;
}

/** Counts, and does not look deeper than `DEEPEST`. */
export function tallyOf(value: unknown): JsonTally {
  const tally: JsonTally = { members: 0, hasUnnamedNumbers: typeof value === "number" };
  if (typeof value === "object" && value !== null) addNode(tally, value, 1);
  return tally;
}

const DEEPEST = 1000;

/** Loops that make no list of members: this looks at every node of every body. */
function addNode(tally: JsonTally, node: object, depth: number): void {
  if (depth > DEEPEST) {
    tally.hasUnnamedNumbers = true;
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
    const member = (node as Readonly<Record<string, unknown>>)[name];
    if (typeof member === "object" && member !== null) addNode(tally, member, depth + 1);
  }
}
