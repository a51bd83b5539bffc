// The last run that was kept, with which later ones compare themselves.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const KEPT = "edge.kept.json";

export function readKept() {
  const file = join(import.meta.dirname, KEPT);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}
