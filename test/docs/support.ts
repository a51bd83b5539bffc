import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
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

/** Every page with blocks: docs/, the READMEs, those of the starters too, and the pages at the root. */
export const DOCUMENTS: readonly string[] = [
  ...PAGES,
  "README.md",
  "CONTRIBUTING.md",
  "GLOSSARY.md",
  ...["packages", "packages/cli/starters", "examples"].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name, "README.md")),
  ),
];

export function blocksOf(page: string): readonly Block[] {
  return blocksIn(page, readPage(page));
}

/** Those in lists too, without what they are indented by. A fence that is not closed is a mistake (CommonMark 0.31 section 4.5). */
export function blocksIn(page: string, text: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { block: Block; indent: string; fence: string } | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (open === undefined) {
      const [, indent = "", fence, language = "", info = ""] = /^( *)(`{3,}|~{3,}) *(\S*) *(.*)$/.exec(line) ?? [];
      if (fence !== undefined) open = { block: { page, line: index + 1, language, info, text: "" }, indent, fence };
    } else if (line.trim() === open.fence) {
      blocks.push(open.block);
      open = undefined;
    } else {
      const own = line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart();
      open = { ...open, block: { ...open.block, text: `${open.block.text}${own}\n` } };
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.block.line}: this block is not closed`);
  return blocks;
}

/** Third-party packages the pages import. */
const THIRD_PARTY = ["express", "jose", "redis", "winston", "@types/node", "@types/express"];

/** Where a package lies for one of those here that depend on it. */
function installed(name: string): string | undefined {
  const owners = [".", "tools/test-kit", ...readdirSync(join(ROOT, "packages")).map((one) => join("packages", one))];
  return owners.map((owner) => join(ROOT, owner, "node_modules", name)).find((path) => existsSync(path));
}

/** An empty folder in which packages resolve as if they had been installed, Express in either major. */
export function installedFolder(express: "express" | "express4" = "express"): string {
  const folder = mkdtempSync(join(tmpdir(), "wardline-docs-"));
  for (const name of readdirSync(join(ROOT, "packages"))) {
    link(join(ROOT, "packages", name), join(folder, "node_modules/@wardline", name));
  }
  for (const name of THIRD_PARTY) {
    const path =
      name === "express" ? join(ROOT, "tools/test-kit/node_modules", express) : (installed(name) ?? missing(name));
    link(path, join(folder, "node_modules", name));
  }
  return folder;
}

function missing(name: string): never {
  throw new Error(`no package here depends on ${name}, which a page imports`);
}

/** Where this Node reads TypeScript the sources are run, else what was built from them. */
const CONDITIONS =
  "typescript" in process.features && process.features.typescript ? ["--conditions=@wardline/source"] : [];

/** Runs a file of the folder to its end. */
export function runFile(folder: string, file: string): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...CONDITIONS, file], { cwd: folder, encoding: "utf8" });
}

/** Runs a file of the folder; resolves with the first line it prints, rejects when it ends before. */
export function startFile(
  folder: string,
  file: string,
  arguments_: readonly string[] = [],
): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [...CONDITIONS, ...arguments_, file], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let errors = "";
    child.stderr.on("data", (piece: Buffer) => {
      errors += piece.toString();
    });
    child.stdout.once("data", (line: Buffer) => resolve([child, line.toString().trim()]));
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}: ${errors}`)));
  });
}

export function endChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}
