import { CODES } from "../generated/codes.ts";

const LINES: ReadonlyMap<string, string> = new Map(
  CODES.trim()
    .split("\n")
    .map((line) => [line.slice(0, line.indexOf(" ")), line]),
);

/** The codes of a closed list (`system|code` for a list whose name ends with `#`). */
export function codeList(name: string): readonly string[] {
  return LINES.get(name)?.split(" ").slice(1) ?? [];
}
