import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { missingOf } from "./not-run.ts";
import { answerFindings, buildProgram, runBlock } from "./run-page.ts";
import { commandsIn, NO_CURL, openShell, type Shell } from "./shell.ts";
import { blocksIn } from "./support.ts";

let folder = "";
let shell: Shell;
beforeAll(buildProgram, 120_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wardline-wrong-"));
  shell = openShell({ folder, programs: join(folder, "programs"), replaced: [["/var/lib/x", folder]] });
});
afterEach(async () => {
  await shell.close();
  rmSync(folder, { recursive: true, force: true });
});

const block = (text: string) => ({ page: "docs/x.md", line: 1, language: "sh", info: "", text });

describe("what runs the `sh` blocks of a page", () => {
  it.each([
    ["a command of the program that does not exist", "wardline policy lnt policy.yaml\n"],
    ["an option that does not exist", "npx wardline policy lint policy.yaml --strictly\n"],
    ["a file that is not there", "wardline policy lint policy.yaml\n"],
    ["a server that does not start", "wardline serve policy.yaml\n"],
    ["a folder that is not there", "cd nowhere\n"],
    ["a program that is not there", "npx wardlin serve policy.yaml\n"],
    ["a variable nobody set", "echo $TOKEN\n"],
    ["a quote that is not closed", "echo 'x\n"],
    ["two files that are told to differ and do not", "touch a b\ndiff a b\n"],
    ["an installation of what is not there", "npm install @wardline/smart-oauth\n"],
  ])("finds %s", async (_what, text) => {
    expect((await runBlock(shell, block(text))).findings).toHaveLength(1);
  });

  it("goes on where the command before ended, and finds nothing in what is right", async () => {
    const { ran, findings } = await runBlock(shell, block("mkdir a && cd a\nls -d /var/lib/x/a  # a note\npwd\n"));
    expect(findings).toEqual([]);
    expect(ran.at(-1)?.out.trim()).toMatch(/\/a$/);
  });

  it.skipIf(NO_CURL).each([
    ["no answer", "", 1],
    ["another status", "# 404\n", 1],
    ["another body", "# 200: no\n", 1],
    ["the answer", "# 200: yes\n", 0],
  ])("of `curl` compares what came with what the page tells: %s", async (_what, below, found) => {
    const server = createServer((_req, res) => res.end("yes"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const page = block(`curl -s http://127.0.0.1:${(server.address() as AddressInfo).port}/\n${below}`);
      const { ran } = await runBlock(shell, page);
      expect(ran.flatMap((one) => answerFindings(page, one))).toHaveLength(found);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("what is not run", () => {
  it.each([
    ["README.md", "npm run chek", ["npm run chek"]],
    ["README.md", "npm test", []],
    ["examples/payer/README.md", "npm start -- --once", []],
    ["README.md", "npm install --global @wardline/cli express", []],
    ["README.md", "npm install @wardline/nothing", ["@wardline/nothing"]],
    ["README.md", "kubectl apply", ["kubectl"]],
  ])("%s: of `%s` what it names must be there", (page, command, missing) => {
    expect(missingOf(page, command)).toEqual(missing);
  });
});

describe("the blocks of a page", () => {
  it("are found in lists too", () => {
    const text = "1. x\n\n   ```sh\n   a \\\n     b\n   ```\n\n~~~js file=x.mjs\ny\n~~~\n";
    expect(blocksIn("x.md", text).map(({ language, info, text: body }) => [language, info, body])).toEqual([
      ["sh", "", "a \\\n  b\n"],
      ["js", "file=x.mjs", "y\n"],
    ]);
  });

  it("are found whatever ends the lines", () => {
    expect(blocksIn("x.md", "```sh\r\na\r\n```\r\n").map(({ text }) => text)).toEqual(["a\n"]);
  });

  it("are not taken when one is not closed", () => {
    expect(() => blocksIn("x.md", "```sh\na\n")).toThrow("x.md:1");
  });

  it("are commands, with what continues them and their documents, without notes", () => {
    expect(commandsIn("# a\na \\\n  b\n\nc <<'END'\n# d\nEND\ne\n")).toEqual(["a \\\n  b", "c <<'END'\n# d\nEND", "e"]);
    expect(() => commandsIn("a <<END\nb\n")).toThrow("no end");
  });
});
