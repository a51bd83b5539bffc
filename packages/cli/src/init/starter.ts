import { readdirSync } from "node:fs";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parsePolicy } from "@wardline/gateway";
import { nearest } from "@wardline/policy-types";
import { CliError } from "../exit.ts";
import { writeNew } from "../files.ts";
import { inPackage } from "../folder.ts";

export interface StarterAnswers {
  readonly upstream?: string;
  readonly issuer?: string;
  readonly publicOrigin?: string;
  readonly development: boolean;
}

const FOLDER = inPackage("starters/");

export const STARTERS: readonly string[] = readdirSync(FOLDER).sort();

/** The name, if there is such a starter. */
export function checkStarter(name: string): string {
  if (STARTERS.includes(name)) return name;
  const hint = nearest(name, STARTERS);
  throw new CliError(
    `there is no starter ${name}; ${hint === undefined ? `take one of ${STARTERS.join(", ")}` : `did you mean ${hint}?`}`,
  );
}

/** Which answers a starter has a place for. */
export async function asksFor(name: string): Promise<ReadonlySet<string>> {
  const texts = (await readStarter(name)).map(({ text }) => text);
  return new Set(ANSWERS.filter((answer) => texts.some((text) => text.includes(`<${answer}>`))));
}

const ANSWERS = ["upstream", "issuer", "publicOrigin", "development"] as const;

async function readStarter(name: string): Promise<readonly { readonly target: string; readonly text: string }[]> {
  const source = new URL(`${checkStarter(name)}/`, FOLDER);
  return Promise.all(
    (await filesIn(source)).map(async (file) => ({
      // A packed package loses a file that is called .gitignore.
      target: file === "gitignore" ? ".gitignore" : file,
      text: await readFile(new URL(file, source), "utf8"),
    })),
  );
}

/**
 * Writes a starter's files with the answers filled in. Checks first that none of them is there and that the policy is
 * one; so a folder gets all of them or none.
 *
 * @throws {ConfigurationError} when the answers make no policy
 */
export async function copyStarter(name: string, folder: string, answers: StarterAnswers): Promise<readonly string[]> {
  const files = (await readStarter(name)).map(({ target, text }) => ({ target, text: fillIn(text, answers) }));
  for (const { target, text } of files) if (target === "policy.yaml") parsePolicy(text, "the policy of these answers");
  const there: string[] = [];
  for (const { target } of files) if (await exists(join(folder, target))) there.push(target);
  if (there.length > 0) throw new CliError(`${folder} already holds ${there.join(", ")}; nothing was overwritten`);
  await mkdir(folder, { recursive: true });
  for (const { target, text } of files) {
    await mkdir(dirname(join(folder, target)), { recursive: true });
    await writeNew(join(folder, target), text);
  }
  return files.map(({ target }) => target);
}

/** `<name>` becomes the answer as a YAML scalar; a line whose answer is missing goes. */
export function fillIn(text: string, { upstream, issuer, publicOrigin, development }: StarterAnswers): string {
  const values: Readonly<Record<string, string | undefined>> = {
    upstream: upstream && JSON.stringify(upstream),
    issuer: issuer && JSON.stringify(issuer),
    publicOrigin: publicOrigin && JSON.stringify(publicOrigin),
    development: development ? "true" : undefined,
  };
  return text
    .split("\n")
    .filter((line) => !ANSWERS.some((name) => line.includes(`<${name}>`) && values[name] === undefined))
    .map((line) => ANSWERS.reduce((filled, name) => filled.replaceAll(`<${name}>`, () => values[name] ?? ""), line))
    .join("\n");
}

/** Paths below the folder. */
async function filesIn(folder: URL): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const root = fileURLToPath(folder);
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
