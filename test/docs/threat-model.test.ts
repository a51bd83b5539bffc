import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, readPage } from "./support.ts";

const page = readPage("docs/threat-model.md");
const RULES = [
  ...Array.from({ length: 15 }, (_, index) => `F${index + 1}`),
  ...Array.from({ length: 15 }, (_, index) => `S${index + 1}`),
  ...Array.from({ length: 16 }, (_, index) => `A${index + 1}`),
];
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
  .map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );

/** Paths of the tests a piece of the page links to. */
function testsIn(text: string): readonly string[] {
  return [...text.matchAll(/\]\(\.\.\/((?:packages|test)\/[^)]*\.test\.ts)\)/g)].map(([, path = ""]) => path);
}

/** A rule is named as titles name it: `A3: a copied link ...`, `... (A3)`, `F1, F4: ...`; in a literal, not in a comment. */
function namesRule(file: string, rule: string): boolean {
  const literals = readFileSync(join(ROOT, file), "utf8").match(/(["'`])(?:(?!\1)[^\\\n]|\\.)*\1/g) ?? [];
  return literals.some((literal) => new RegExp(`(?<=^.|[ (])${rule}(?=[:,) ])`).test(literal));
}

describe("docs/threat-model.md", () => {
  it("names tests that exist, and many", () => {
    const named = testsIn(page);
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter((path) => !existsSync(resolve(ROOT, path)))).toEqual([]);
  });

  it("has a row for every rule, once, in order", () => {
    const first = rows.map(([cell = ""]) => cell).filter((cell) => /^[FSA]\d+$/.test(cell));
    expect(first).toEqual(RULES);
  });

  it.each(RULES)("%s is named by a test of its row, or the row says that it is a gap", (rule) => {
    const [, , shown = "", short = ""] = rows.find(([cell]) => cell === rule) ?? [];
    if (shown === "gap") expect(short.length).toBeGreaterThan(10);
    else expect(testsIn(shown).filter((file) => namesRule(file, rule))).not.toEqual([]);
  });

  it.each(["A1", "A9", "S6", "F9"])("would notice that no test names %s any more", (rule) => {
    const [, , shown = ""] = rows.find(([cell]) => cell === rule) ?? [];
    expect(testsIn(shown).filter((file) => namesRule(file, `${rule}0000`))).toEqual([]);
  });

  it("answers each of STRIDE for every flow, with a test, a reason why there is none, or a gap", () => {
    const [, stride = ""] = page.split("## STRIDE, per data flow");
    const flows = (stride.split("\n## ")[0] ?? "").split("### ").slice(1);
    expect(flows.length).toBe(9);
    for (const flow of flows) {
      const [title = "", ...lines] = flow.split("\n");
      const table = lines.filter((line) => /^\| [STRIDE] +\|/.test(line)).map((line) => line.slice(1, -1).split("|"));
      expect([title, [...new Set(table.map(([letter = ""]) => letter.trim()))].join("")]).toEqual([title, "STRIDE"]);
      const empty = table.filter(
        ([, , , shown = ""]) => testsIn(shown).length === 0 && !/^\s*(?:gap|-)\s*$/.test(shown),
      );
      expect([title, empty]).toEqual([title, []]);
    }
  });

  it("has a row for each of OWASP's ten", () => {
    const ten = rows.map(([cell = ""]) => /^API(\d+) /.exec(cell)?.[1]).filter((number) => number !== undefined);
    expect(ten).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
  });
});
