import type { Structures } from "./structures.mjs";

export function generateTables(structures: Structures): Record<string, string>;
