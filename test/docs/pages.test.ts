import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { PAGES, ROOT, readPage } from "./support.ts";

const PACKAGES = readdirSync(join(ROOT, "packages"));

/** The anchors a Markdown page has, as GitHub makes them of headings. */
function anchorsOf(page: string): readonly string[] {
  return [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

const sources = new Map<string, string>();

function sourceOf(name: string): string {
  const known = sources.get(name);
  if (known !== undefined) return known;
  const folder = join("packages", name, "src");
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const source = files.map((file) => readPage(join(folder, file))).join("\n");
  sources.set(name, source);
  return source;
}

const READMES = ["packages", "examples"].flatMap((folder) =>
  readdirSync(join(ROOT, folder)).map((name) => join(folder, name, "README.md")),
);

function scriptsOf(manifest: string): readonly string[] {
  const { scripts = {} } = JSON.parse(readPage(manifest)) as { scripts?: Record<string, string> };
  return Object.keys(scripts);
}

describe.each([...PAGES, ...READMES, "README.md", "CONTRIBUTING.md", "GLOSSARY.md"])("%s", (page) => {
  const text = readPage(page);

  it("has links that lead somewhere", () => {
    const targets = [...text.matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, target = ""]) => target);
    const broken = targets.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(file.slice(ROOT.length + 1)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it("names no script that package.json does not have", () => {
    const named = [...text.matchAll(/\bnpm run (?:-s |--silent )?([a-z][a-z0-9:-]*)/g)].map(
      ([, script = ""]) => script,
    );
    const own = page.startsWith("examples/") ? scriptsOf(join(dirname(page), "package.json")) : [];
    expect(named.filter((script) => ![...scriptsOf("package.json"), ...own].includes(script))).toEqual([]);
  });

  it("names no code that its package does not issue", () => {
    const named = [...text.matchAll(/`([a-z0-9-]+)\/([a-z0-9-]+)`/g)].filter(([, owner = ""]) =>
      PACKAGES.includes(owner),
    );
    const unknown = named.filter(([, owner = "", code = ""]) => !sourceOf(owner).includes(code));
    expect(unknown.map(([code]) => code)).toEqual([]);
  });
});

describe("docs/README.md", () => {
  it("leads to every page", () => {
    const index = readPage("docs/README.md");
    expect(
      PAGES.filter((page) => page !== "docs/README.md" && !index.includes(`](${page.slice("docs/".length)})`)),
    ).toEqual([]);
  });
});

describe("docs/mutation.md", () => {
  it("names files of the cores only", async () => {
    const { CORES } = (await import(pathToFileURL(join(ROOT, "scripts/cores.mjs")).href)) as {
      CORES: Readonly<Record<string, { readonly of: string; readonly files: readonly string[] }>>;
    };
    const files = Object.values(CORES).flatMap((core) => core.files);
    const named = [...readPage("docs/mutation.md").matchAll(/`([\w/]+\.ts)`/g)].map(([, file = ""]) => file);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((file) => !files.includes(file))).toEqual([]);
    const paths = Object.values(CORES).flatMap((core) =>
      core.files.map((file) => join("packages", core.of, "src", file)),
    );
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
