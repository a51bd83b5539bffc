import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const PACKAGES = readdirSync(join(ROOT, "packages"));

/** Every code a package's source can issue: written whole, or by name in its `problems.ts`. */
function codesIn(name: string): Set<string> {
  const codes = new Set<string>();
  const folder = join(ROOT, "packages", name, "src");
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue;
    const text = readFileSync(join(folder, file), "utf8");
    // `name = "smart-auth/guard"` names a transform.
    const whole = new RegExp(`(?<!name(?: =|:) )["'\`](${name}/[a-z0-9-]+)["'\`]`, "g");
    for (const [, code = ""] of text.matchAll(whole)) codes.add(code);
    if (!file.endsWith("problems.ts")) continue;
    for (const [, code = ""] of text.matchAll(/\bproblem\(\s*"([a-z0-9-]+)"/g)) codes.add(`${name}/${code}`);
    for (const [, code = ""] of text.matchAll(/^\s*"([a-z0-9-]+)": problem\(/gm)) codes.add(`${name}/${code}`);
  }
  return codes;
}

const text = readFileSync(join(ROOT, "docs/error-codes.md"), "utf8");

function sourceOf(name: string): string {
  const folder = join(ROOT, "packages", name, "src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
}

describe("docs/error-codes.md", () => {
  const headings = [...text.matchAll(/^### `([^`]+)`$/gm)].map(([, code = ""]) => code);

  it.each(PACKAGES)("has a heading for every code of %s, and none that does not exist", (name) => {
    const documented = headings.filter((code) => code.startsWith(`${name}/`)).sort();
    expect(documented).toEqual([...codesIn(name)].sort());
  });

  it("has each code once, of known packages only", () => {
    expect(headings.length).toBe(new Set(headings).size);
    expect(headings.filter((code) => !PACKAGES.includes(code.split("/")[0] ?? ""))).toEqual([]);
  });

  it.each(PACKAGES)("quotes the sentences clients of %s see", (name) => {
    const source = sourceOf(name).replaceAll(/\s+/g, " ");
    const quoted = [...text.matchAll(/^### `([a-z0-9-]+)\/[^`]+`\n\n\*\*\d{3}\*\* (.+)$/gm)];
    const own = quoted.filter(([, owner]) => owner === name).map(([, , sentence = ""]) => sentence);
    expect(own.filter((sentence) => !source.includes(sentence))).toEqual([]);
  });

  it("says of each what to do about it", () => {
    for (const section of text.split(/^### /m).slice(1)) {
      const [heading = "", ...body] = section.split("\n");
      expect([heading, body.join(" ").trim().length > 40]).toEqual([heading, true]);
    }
  });
});

describe("package READMEs", () => {
  const refusals = [...text.matchAll(/^### `([^`]+)`\n\n\*\*\d{3}\*\*/gm)].map(([, code = ""]) => code);

  it.each(PACKAGES)("%s names every refusal it can answer", (name) => {
    const readme = readFileSync(join(ROOT, "packages", name, "README.md"), "utf8");
    const own = refusals.filter((code) => code.startsWith(`${name}/`));
    expect(own.filter((code) => !readme.includes(code.slice(name.length + 1)))).toEqual([]);
  });
});

describe("links", () => {
  const files = ["README.md", "CONTRIBUTING.md", "GLOSSARY.md", "docs/pipeline.md", "docs/error-codes.md"];
  const readmes = ["packages", "examples"].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name, "README.md")),
  );
  it.each([...files, ...readmes])("of %s lead somewhere", (file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const folder = resolve(ROOT, file, "..");
    const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = ""]) => target);
    const local = targets.filter((target) => !/^[a-z]+:/.test(target));
    expect(local.filter((target) => !existsSync(resolve(folder, target)))).toEqual([]);
  });
});
