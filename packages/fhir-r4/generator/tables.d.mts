import type { Definitions } from "./definitions.mjs";

export function generateTables(definitions: Definitions): Record<string, string>;
