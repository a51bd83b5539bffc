import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parsePolicy } from "@wardline/gateway";
import { describe, expect, it } from "vitest";
import { type Block, blocksOf, DOCUMENTS, installedFolder, ROOT } from "./support.ts";

const EXTENSIONS: Readonly<Record<string, string>> = { ts: "mts", js: "mjs", cjs: "cjs" };
const BLOCKS = DOCUMENTS.flatMap((page) => blocksOf(page));
const titled = (blocks: readonly Block[]): [string, Block][] =>
  blocks.map((block) => [`${block.page}:${block.line}`, block]);
const of = (...languages: string[]): [string, Block][] =>
  titled(BLOCKS.filter(({ language }) => languages.includes(language)));

describe("code in docs/ and in READMEs", () => {
  it("compiles, every block of TypeScript and JavaScript", { timeout: 180_000 }, () => {
    const code = of("ts", "js", "cjs");
    expect(code.length).toBeGreaterThan(10);
    const folder = installedFolder();
    try {
      const files = code.map(([_title, block]) => {
        const file = fileOf(block);
        mkdirSync(join(folder, dirname(file)), { recursive: true });
        writeFileSync(join(folder, file), block.text);
        return file;
      });
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig(files)));
      const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
      const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
        cwd: folder,
        encoding: "utf8",
      });
      // What is wrong in the packages themselves is shown by their own build.
      expect(stdout.split("\n").filter((line) => /^(?:docs|readme|packages|examples)-/.test(line))).toEqual([]);
      expect(status === 0 || stdout !== "").toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it.each(of("yaml"))(
    "%s is a policy the gateway takes, whole or with an upstream and an issuer",
    (_title, { text }) => {
      expect(() => parsePolicy(completed(text))).not.toThrow();
    },
  );
});

/** Blocks of one page lie in one folder, so that those with a name can import each other. */
function fileOf({ page, line, language, info }: Block): string {
  const [, file = `line-${line}.${EXTENSIONS[language]}`] = /^file=(\S+)$/.exec(info) ?? [];
  return join(page.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"), file);
}

/** The options of this repository, with those that are a matter of its own taste left out. */
function tsconfig(files: readonly string[]): object {
  return {
    extends: join(ROOT, "tsconfig.base.json"),
    compilerOptions: {
      noEmit: true,
      composite: false,
      declaration: false,
      declarationMap: false,
      isolatedDeclarations: false,
      allowJs: true,
      checkJs: true,
      noImplicitAny: false,
      customConditions: ["@wardline/source"],
      noUnusedLocals: false,
      noUnusedParameters: false,
      noPropertyAccessFromIndexSignature: false,
      preserveSymlinks: false,
    },
    files,
  };
}

/** A part of a policy, made whole. */
function completed(text: string): string {
  const upstream = /^upstreams?:/m.test(text) ? "" : "upstream: https://ehr.internal.example/r4\n";
  const issuer = /^(issuers?|jwksUri):/m.test(text) ? "" : "issuer: https://id.example.org\n";
  return upstream + issuer + text;
}

interface Command {
  name(): string;
  readonly commands: readonly Command[];
  readonly options: readonly { readonly long?: string }[];
}

const PROGRAM = join(ROOT, "packages/cli/src/program.ts");
const HAS_CLI = existsSync(PROGRAM) && existsSync(join(ROOT, "packages/cli/node_modules"));
if (!HAS_CLI) console.warn("packages/cli has no commands yet: `wardline` commands in docs/ are not compared with them");

describe.skipIf(!HAS_CLI)("`wardline` in docs/", () => {
  const lines = BLOCKS.filter(({ language }) => language === "sh").flatMap(({ page, text }) =>
    [...text.replaceAll(/\\\n\s*/g, "").matchAll(/^\s*(?:npx )?wardline (.*)$/gm)].map(([, rest = ""]) => ({
      page,
      rest,
    })),
  );

  it("names commands and options that exist", async () => {
    const known = commandsOf(await loadProgram(), []);
    expect(lines.length).toBeGreaterThan(10);
    for (const { page, rest } of lines) {
      const [, command] = known.find(([words]) => rest === words || rest.startsWith(`${words} `)) ?? [];
      expect([page, rest, command !== undefined]).toEqual([page, rest, true]);
      const options = [...rest.matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option);
      const has = ["--help", ...(command?.options.map(({ long }) => long) ?? [])];
      expect([page, rest, options.filter((option) => !has.includes(option))]).toEqual([page, rest, []]);
    }
  });
});

async function loadProgram(): Promise<Command> {
  const { createProgram } = (await import(pathToFileURL(PROGRAM).href)) as {
    createProgram: (args: readonly string[], terminal: object, end: () => void) => Promise<Command>;
  };
  return createProgram([], { out: async () => undefined, err: () => undefined, environment: {} }, () => undefined);
}

/** `policy lint`, not `policy` alone: a group does nothing. */
function commandsOf({ commands }: Command, above: readonly string[]): readonly (readonly [string, Command])[] {
  return commands.flatMap((command): readonly (readonly [string, Command])[] => {
    const words = [...above, command.name()];
    return command.commands.length === 0 ? [[words.join(" "), command]] : commandsOf(command, words);
  });
}
