import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processTerminal, runCli, type Terminal } from "@wardline/cli";
import { afterAll, beforeAll, expect, it } from "vitest";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "first-"));
  await writeFile(join(folder, "typo.yaml"), "upstream: https://a.example/r4\nissuer: https://b.example\nupstrem: x\n");
  await writeFile(join(folder, "good.yaml"), "upstream: https://a.example/r4\nissuer: https://b.example\n");
});
afterAll(() => rm(folder, { recursive: true }));

it.each([
  ["a misspelled command", ["serv"], 2, "(Did you mean serve?)"],
  ["no policy", ["serve"], 2, "missing required argument 'policy'"],
  [
    "a policy that is not there",
    ["serve", "none.yaml"],
    2,
    "cannot be read (ENOENT); give the path of a YAML or JSON policy",
  ],
  ["a misspelled key", ["policy", "lint", "typo.yaml"], 1, "unknown key `upstrem`, did you mean `upstream`?"],
  ["an unsigned policy", ["serve", "good.yaml"], 2, "with --keys, or set `development: true`"],
  ["no audit log", ["audit", "verify", "nowhere"], 2, "cannot be read (ENOENT); give the folder of an audit log"],
  ["a signature without a key", ["policy", "sign", "good.yaml"], 2, "required option '--key <file>' not specified"],
  [
    "a key where something lies",
    ["keys", "new", "policy", "--key-id", "a", "--out", "good.yaml", "--jwks", "jwks.yaml"],
    2,
    "is there already; nothing was overwritten",
  ],
  [
    "another program's report in place of vitest's",
    ["evidence", "good.yaml", "--tests", "typo.yaml"],
    2,
    "is no JSON report of vitest (--reporter=json)",
  ],
  ["a time nobody can read", ["audit", "show", "nowhere", "--since", "yesterday"], 2, "2026-"],
  ["an option that is none", ["audit", "verify", "--folder"], 2, "(add --help for usage and an example)"],
])("%s ends with a sentence that says what to do", async (_name, args, code, told) => {
  let said = "";
  const hear = (text: string): Promise<void> => {
    said += text;
    return Promise.resolve();
  };
  const terminal: Terminal = { ...processTerminal(), out: hear, err: (text) => void hear(text) };
  const words = args.map((word) => (/yaml$|nowhere/.test(word) ? join(folder, word) : word));
  expect(await runCli(words, terminal)).toBe(code);
  expect(said).toContain(told);
});
