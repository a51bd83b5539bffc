import type { codeList } from "../src/resources/codes.ts";
import type { namesOf, nodeRule, nodesWithin } from "../src/resources/nodes.ts";
import type { PRIMITIVES } from "../src/resources/primitives.ts";

/** The package's own tables, from its source or its build. */
export interface Tables {
  readonly codeList: typeof codeList;
  readonly namesOf: typeof namesOf;
  readonly nodeRule: typeof nodeRule;
  readonly nodesWithin: typeof nodesWithin;
  readonly primitives: typeof PRIMITIVES;
}

export function plainSchema(tables: Tables, types: readonly string[], within: string): object;
