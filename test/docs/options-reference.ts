import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT, readPage } from "./support.ts";
import { renderTable } from "./tables.ts";

/** What the sources say of an options type. */
interface OptionsType {
  readonly name: string;
  /** What it takes over from elsewhere, as written. */
  readonly inherits: string;
  readonly doc: string;
  readonly members: readonly { readonly name: string; readonly needed: boolean; readonly doc: string }[];
}

const HEADER = `# Options of every package

Generated from the sources by \`npx vitest run test/docs/options.test.ts -u\`; the test fails when it is out of date. Every exported
type whose name ends in \`Options\` or \`Policy\`, with the words of its own comments: default, unit, what it weakens. How the packages are used
stands in their READMEs, the policy in [its own page](policy.md).
`;

/** The whole page. */
export function renderOptionsReference(): string {
  const packages = readdirSync(join(ROOT, "packages")).sort();
  return [HEADER, ...packages.flatMap(renderPackage)].join("\n");
}

function renderPackage(name: string): readonly string[] {
  const types = exportedFrom(join("packages", name, "src/index.ts"))
    .filter(([type]) => (name === "policy-types" ? /Options$/ : /(?:Options|Policy)$/).test(type))
    .flatMap(([type, file]) => readOptions(type, file) ?? [])
    .sort((a, b) => a.name.localeCompare(b.name));
  if (types.length === 0) return [];
  return [`## ${name}\n`, ...types.map(renderType)];
}

function renderType({ name, inherits, doc, members }: OptionsType): string {
  const also = inherits === "" ? "" : `\nAnd those of \`${inherits}\`.\n`;
  const rows = members.map((member) => [
    `\`${member.name}\``,
    member.needed ? "needed" : "",
    cell(member.doc || (WELL_KNOWN[member.name] ?? "")),
  ]);
  const table = rows.length === 0 ? "" : `\n${renderTable([["Option", "", "Says"], ...rows])}\n`;
  return `### ${name}\n${doc === "" ? "" : `\n${doc}\n`}${also}${table}`;
}

/** What is taken from outside so that it can be given in a test; everywhere the same. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  now: "Milliseconds since the epoch. Default the machine's clock.",
  fetch: "Default the platform's.",
  randomBytes: "Default those of node:crypto. Others that can be guessed make what is built of them guessable.",
};

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/<(?=[a-z])/gi, "&lt;");
}

/** Names a file gives on, and where each is declared. */
function exportedFrom(file: string): readonly (readonly [name: string, file: string])[] {
  const text = readPage(file);
  const named = [...text.matchAll(/export (?:type )?\{([^}]*)\} from "(\.[^"]+)"/g)].flatMap(
    ([, names = "", from = ""]) =>
      names.split(",").map((name) => [name.replace("type ", "").trim(), join(dirname(file), from)] as const),
  );
  const whole = [...text.matchAll(/export \* from "(\.[^"]+)"/g)].flatMap(([, from = ""]) =>
    exportedFrom(join(dirname(file), from)),
  );
  return [...named.filter(([name]) => name !== ""), ...whole];
}

/** Follows a name through files that only give it on. Nothing for a type that is no interface. */
function readOptions(name: string, file: string): OptionsType | undefined {
  const text = readPage(file);
  const found = new RegExp(
    `((?:/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)?)export interface ${name}\\b([^{]*)\\{\\n([\\s\\S]*?)^\\}`,
    "m",
  ).exec(text);
  if (found === null) {
    const further = exportedFrom(file).find(([exported]) => exported === name);
    return further === undefined ? undefined : readOptions(name, further[1]);
  }
  const [, doc = "", inherits = "", body = ""] = found;
  const members = [...body.matchAll(/((?:^ {2}\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?)^ {2}(?:readonly )?(\w+)(\??)[:(]/gm)];
  return {
    name,
    inherits: inherits
      .replace(/^\s*extends/, "")
      .replaceAll(/\s+/g, " ")
      .trim(),
    doc: words(doc),
    members: members.map(([, comment = "", member = "", optional = ""]) => ({
      name: member,
      needed: optional === "",
      doc: words(comment),
    })),
  };
}

/** A comment's words on one line, without its tags. */
function words(comment: string): string {
  const inner = comment.replaceAll(/^\s*\/\*\*|\*\/\s*$/g, "").replaceAll(/^\s*\* ?/gm, "");
  return (inner.split(/^@/m)[0] ?? "")
    .replaceAll(/\{@link (\w+)\}/g, "`$1`")
    .replaceAll(/\s+/g, " ")
    .trim();
}
