import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@wardline-tools/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildProgram, runBlock } from "./run-page.ts";
import { NO_CURL, openShell, type Ran } from "./shell.ts";
import { blocksOf, installedFolder, readPage } from "./support.ts";

const PAGE = "docs/tutorial.md";
const PORTS = ["9000", "3000", "3001", "8080"];
const PATIENCE = 120_000;

describe.skipIf(NO_CURL)(PAGE, () => {
  /** What the commands of the page printed, all of them in order: files are written and commands typed as the page has them. */
  const ran: Ran[] = [];
  const findings: string[] = [];
  let folder = "";
  let programs = "";

  beforeAll(async () => {
    buildProgram();
    folder = installedFolder();
    programs = mkdtempSync(join(tmpdir(), "wardline-programs-"));
    const ports = new Map<string, string>();
    for (const port of PORTS) ports.set(port, String(await freePort()));
    const moved = (text: string): string =>
      [...ports].reduce((all, [port, free]) => all.replaceAll(new RegExp(`\\b${port}\\b`, "g"), free), text);
    const staysUp = /^node (?:issuer|app|fhir-server|edge)\.mjs$|wardline serve /;
    const shell = openShell({ folder, programs, replaced: [...ports], staysUp });
    try {
      for (const block of blocksOf(PAGE)) {
        const [, file] = /^file=(\S+)$/.exec(block.info) ?? [];
        if (file !== undefined) {
          // The tutorial's gateway takes the default port, which a test cannot count on.
          const listen = file === "policy.yaml" ? `listen:\n  port: ${ports.get("8080")}\n` : "";
          writeFileSync(join(folder, "first-edge", file), moved(block.text) + listen);
        } else if (block.language === "sh") {
          const done = await runBlock(shell, block);
          ran.push(...done.ran);
          findings.push(...done.findings);
          const token = done.ran
            .map(({ out }) => /^export TOKEN=(\S+)/.exec(out)?.[1])
            .find((one) => one !== undefined);
          if (token !== undefined) shell.environment["TOKEN"] = token;
        }
      }
    } finally {
      await shell.close();
    }
  }, PATIENCE);

  afterAll(() => {
    for (const one of [folder, programs]) rmSync(one, { recursive: true, force: true });
  });

  const asked = (port: string): readonly Ran[] =>
    ran.filter(({ command }) => command.startsWith("curl ")).slice(...(port === "3000" ? [0, 5] : [5]));

  it("every command ends as it should, or stays up", () => {
    expect(findings).toEqual([]);
  });

  it("one guard answers as the table says", () => {
    const table = [...readPage(PAGE).matchAll(/^\| .*? \| (\d{3})(?: `([^`]+)`)?.*\|$/gm)];
    expect(table.length).toBe(5);
    expect(asked("3000").map(({ statuses }) => statuses)).toEqual(table.map(([, status]) => [Number(status)]));
    for (const [index, [, , code = ""]] of table.entries()) expect(asked("3000")[index]?.out).toContain(code);
  });

  it("one guard: of a careless search only the patient's own remains", () => {
    const { entry } = JSON.parse(asked("3000").at(-1)?.out ?? "") as { entry: { resource: { id: string } }[] };
    expect(entry.map(({ resource }) => resource.id)).toEqual(["a"]);
  });

  it("the whole edge answers as the sentence says", () => {
    const [, told = ""] = /^((?:\d{3}, )+\d{3} and \d{3})\. /m.exec(readPage(PAGE)) ?? [];
    expect(asked("8080").flatMap(({ statuses }) => statuses)).toEqual(told.match(/\d{3}/g)?.map(Number));
  });

  it("the ledger verifies, and shows the requests", () => {
    const [verified, shown] = ran.slice(-2).map(({ out }) => out);
    expect(verified).toContain("ok: true");
    expect(shown).toContain("404");
  });

  it("its policy has five lines", () => {
    const policy = blocksOf(PAGE).find(({ language }) => language === "yaml")?.text ?? "";
    expect(policy.trim().split("\n").length).toBe(5);
    expect(policy).toContain("development: true");
  });
});
