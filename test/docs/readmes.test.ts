import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { blocksOf, ROOT, readPage } from "./support.ts";

/** Lines: a table of options and one of codes are most of them. */
const PAGE = 160;

describe.each(readdirSync(join(ROOT, "packages")))("the README of %s", (name) => {
  const page = join("packages", name, "README.md");
  const text = readPage(page);

  it("is one page", () => {
    expect(text.split("\n").length).toBeLessThanOrEqual(PAGE);
  });

  it("says what it refuses, shows lines that run, what it does not do, and by which specifications", () => {
    const [title, , sentence = ""] = text.split("\n");
    expect(title).toBe(`# @wardline/${name}`);
    expect(sentence.length).toBeGreaterThan(40);
    expect(blocksOf(page).length).toBeGreaterThan(0);
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) => heading);
    expect(headings.filter((heading) => /^(?:What it does not do|Specifications)$/.test(heading))).toHaveLength(2);
  });

  it("leads to its page in depth, where there is one", () => {
    const depth = join("docs/packages", `${name}.md`);
    if (existsSync(join(ROOT, depth))) expect(text).toContain(`](../../${depth})`);
  });
});
