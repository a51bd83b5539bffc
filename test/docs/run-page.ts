import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingOf, NOT_RUN } from "./not-run.ts";
import { commandsIn, openShell, type Ran, type Shell } from "./shell.ts";
import type { Prepare } from "./stages.ts";
import { type Block, blocksOf, ROOT } from "./support.ts";

/** What is wrong with a command, with where it stands; nothing where it does what the page says. */
export type Findings = readonly string[];

export function shellBlocks(page: string): readonly Block[] {
  return blocksOf(page).filter(({ language }) => language === "sh");
}

/** Runs all of a page, in order, in one shell on one stage. */
export async function runPage(page: string, stage: Prepare, desk: string): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), "wardline-page-"));
  const stands = join(folder, "reader");
  mkdirSync(stands);
  const { close, ...options } = await stage(stands, desk, page);
  const shell = openShell({ ...options, programs: join(folder, "programs") });
  const findings: string[] = [];
  try {
    for (const block of shellBlocks(page)) {
      const done = await runBlock(shell, block);
      findings.push(...done.findings, ...done.ran.flatMap((one) => answerFindings(block, one)));
    }
  } finally {
    await shell.close();
    await close?.();
    rmSync(folder, { recursive: true, force: true });
  }
  return findings;
}

export async function runBlock(
  shell: Shell,
  { page, line, text }: Block,
): Promise<{ ran: readonly Ran[]; findings: Findings }> {
  const ran: Ran[] = [];
  const findings: string[] = [];
  const tell = (what: string): void => void findings.push(`${page}:${line}: ${what}`);
  const { status, stderr } = spawnSync("sh", ["-n"], { input: text, encoding: "utf8" });
  if (status !== 0) return { ran, findings: [`${page}:${line}: is not shell: ${stderr}`] };
  for (const written of commandsIn(text)) {
    const command = written.replace(/ +#.*$/m, "");
    if (NOT_RUN.some((one) => one.page.test(page) && one.command.test(command))) {
      findings.push(...missingOf(page, command).map((what) => `${page}:${line}: there is no ${what}`));
      continue;
    }
    const one = await shell.run(command);
    ran.push(one);
    // Two files that differ are what `diff` shows.
    const fine = command.startsWith("diff ") ? one.code === 1 : one.code === 0 || one.code === undefined;
    if (!fine) tell(`${command} ended with ${one.code}: ${one.err}${one.out}`);
  }
  return { ran, findings };
}

/** Every `curl` has its answer on the line below, as a comment: the status, then what the body holds, if the page shows it. */
export function answerFindings({ page, line, text }: Block, { written, out, statuses }: Ran): Findings {
  if (!written.startsWith("curl ")) return [];
  const below = text.slice(text.indexOf(written) + written.length);
  const [, status, body = ""] = /^\n# (\d{3})(?:: (.*))?\n/.exec(below) ?? [];
  if (status === undefined) return [`${page}:${line}: no answer is told below ${written}`];
  if (statuses.join() === status && out.includes(body)) return [];
  return [`${page}:${line}: ${written} was answered ${statuses.join()}: ${out}`];
}

/** The program as it is installed: the oldest Node we support reads no TypeScript. */
export function buildProgram(): void {
  if (process.env["WARDLINE_TEST_BUILT"] === "true") return;
  const build = join(ROOT, "scripts/build.mjs");
  const { status, stdout } = spawnSync(process.execPath, [build, "packages/cli"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the program does not compile: ${stdout}`);
}
