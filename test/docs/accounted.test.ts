import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readPlaces } from "@wardline/abuse-monitor";
import { describe, expect, it } from "vitest";
import { type Block, blocksIn, blocksOf, DOCUMENTS, ROOT, readPage } from "./support.ts";

/** Who looks at the blocks of a language. */
const CHECKED: Readonly<Record<string, string>> = {
  ts: "code-blocks.test.ts compiles them",
  js: "code-blocks.test.ts compiles them; tutorial.test.ts and existing-app.test.ts run those that are files",
  cjs: "code-blocks.test.ts compiles them; existing-app.test.ts runs them",
  json: "shown.test.ts compares them with what is written, or takes each for a resource or a policy",
  yaml: "code-blocks.test.ts takes each for a policy",
  sh: "sh-blocks.test.ts, starter-blocks.test.ts and tutorial.test.ts run them",
};

/** Text that is no picture, by its page: why there is nothing to run, or what is looked at. */
const TEXTS: Readonly<Record<string, { readonly why: string; readonly holds?: (text: string) => boolean }>> = {
  "docs/how-to/break-glass.md": { why: "a header of a request: break-glass.test.ts sends it" },
  "docs/how-to/migrate-from-hand-written-checks.md": { why: "what a reader has before: it imports what is not here" },
  "docs/mutation.md": { why: "a line of a crontab; pages.test.ts looks for its scripts" },
  "docs/policy.md": {
    why: "a file of places",
    holds: (text) => readPlaces(text)("198.51.100.7") !== undefined,
  },
};

const BLOCKS = DOCUMENTS.flatMap(blocksOf);
const isText = ({ language }: Block): boolean => language === "" || language === "text";
/** Arrows or lines: `diagrams.test.ts` compares those that say what the program does. */
const isPicture = ({ text }: Block): boolean => /[─│▶◀▸◂▼]/.test(text);
const words = BLOCKS.filter((block) => isText(block) && !isPicture(block));

describe("every block of every page", () => {
  it("stands on a page that is known", () => {
    // But for api/, which `npm run api` writes and compares.
    const files = ["docs", "packages", "examples", "test", "tools"].flatMap((folder) => pagesBelow(folder));
    const withBlocks = [...files, ...readdirSync(ROOT).filter((name) => name.endsWith(".md"))].filter(
      (page) => blocksIn(page, readPage(page)).length > 0,
    );
    expect(withBlocks.length).toBeGreaterThan(40);
    expect(withBlocks.filter((page) => !DOCUMENTS.includes(page))).toEqual([]);
  });

  it("is in a language that a test looks at, or is text", () => {
    expect(BLOCKS.filter((block) => !isText(block) && CHECKED[block.language] === undefined)).toEqual([]);
  });

  it("is a picture where it is text, or has its reason in the table", () => {
    expect([...new Set(words.map(({ page }) => page))].sort()).toEqual(Object.keys(TEXTS).sort());
  });

  it.each(words.map((block) => [`${block.page}:${block.line}`, block] as const))(
    "%s is what it is told to be",
    (_at, block) => {
      expect(TEXTS[block.page]?.holds?.(block.text) ?? true).toBe(true);
    },
  );
});

/** Markdown that is ours: not what was installed. */
function pagesBelow(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : pagesBelow(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}
