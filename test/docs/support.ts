import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

export const ROOT: string = resolve(import.meta.dirname, "../..");

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  /** What stands behind the language: `file=app.mjs`. */
  readonly info: string;
  readonly text: string;
}

/** Pages of docs/, but for decision records, which keep the words of their day. */
export const PAGES: readonly string[] = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".md") && !file.startsWith("adr/"))
  .map((file) => join("docs", file))
  .sort();

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

export function blocksOf(page: string): readonly Block[] {
  const text = readPage(page);
  return [...text.matchAll(/^```(\w*) *(.*)\n([\s\S]*?)^```$/gm)].map(
    ({ index, 1: language = "", 2: info = "", 3: body = "" }) => ({
      page,
      line: text.slice(0, index).split("\n").length,
      language,
      info,
      text: body,
    }),
  );
}

/** Third-party packages the pages import, and the package here that depends on them. */
const THIRD_PARTY = {
  express: ".",
  jose: ".",
  redis: ".",
  "@types/node": ".",
  "@types/express": ".",
  winston: "packages/audit-event",
} as const;

/** An empty folder in which packages resolve as if they had been installed. */
export function installedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "wardline-docs-"));
  for (const name of readdirSync(join(ROOT, "packages"))) {
    link(join(ROOT, "packages", name), join(folder, "node_modules/@wardline", name));
  }
  for (const [name, owner] of Object.entries(THIRD_PARTY)) {
    const installed = join(ROOT, owner, "node_modules", name);
    if (existsSync(installed)) link(installed, join(folder, "node_modules", name));
  }
  return folder;
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}
