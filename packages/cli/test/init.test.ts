import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { fillIn } from "../src/init/starter.ts";
import { run, testFolder } from "./support/terminal.ts";

const folder = testFolder();
const ANSWERS = [
  "--upstream",
  "https://ehr.example/r4",
  "--issuer",
  "https://id.example",
  "--public-origin",
  "https://fhir.example",
];

it("copies a starter whose policy is one and whose tests hold", async () => {
  const { code, out } = await run(["init", folder("edge"), ...ANSWERS]);
  expect(code).toBe(0);
  expect(out).toContain("wardline policy sign");
  expect((await readdir(folder("edge"))).sort()).toEqual([
    ".gitignore",
    "README.md",
    "policy.test.yaml",
    "policy.yaml",
  ]);
  expect(await readFile(folder("edge/policy.yaml"), "utf8")).toContain('upstream: "https://ehr.example/r4"');
  expect(await run(["policy", "lint", folder("edge/policy.yaml")])).toMatchObject({ code: 0 });
  expect(await run(["policy", "test", folder("edge/policy.yaml")])).toMatchObject({ code: 0 });
});

it("asks at a terminal for what no flag gave", async () => {
  const asked: string[] = [];
  const answers = ["", "https://ehr.example/r4", "https://id.example", "https://fhir.example"];
  const ask = (question: string): Promise<string> => {
    asked.push(question);
    return Promise.resolve(answers[asked.length - 1] ?? "");
  };
  expect(await run(["init", folder("edge")], { ask })).toMatchObject({ code: 0 });
  expect(asked).toHaveLength(4);
  expect(asked[0]).toContain("patient-access, payer) [patient-access]");
});

it("names the flag where nobody can be asked", async () => {
  expect(await run(["init", folder("edge")])).toMatchObject({
    code: 2,
    err: expect.stringContaining("--upstream") as string,
  });
});

it("overwrites nothing, and then writes nothing", async () => {
  await mkdir(folder("edge"));
  await writeFile(folder("edge/README.md"), "mine");
  const { code, err } = await run(["init", folder("edge"), ...ANSWERS]);
  expect(err).toContain("README.md; nothing was overwritten");
  expect(code).toBe(2);
  expect(await readdir(folder("edge"))).toEqual(["README.md"]);
  expect(await readFile(folder("edge/README.md"), "utf8")).toBe("mine");
});

it("writes nothing when the answers make no policy", async () => {
  const { code, err } = await run([
    "init",
    folder("edge"),
    "--upstream",
    "http://ehr.example/r4",
    "--issuer",
    "x",
    "--public-origin",
    "y",
  ]);
  expect(err).toContain("mistake");
  expect(code).toBe(2);
  await expect(readdir(folder("edge"))).rejects.toThrow("ENOENT");
});

it("takes development without an origin", async () => {
  const development = ["--development", "--upstream", "http://127.0.0.1:9/r4", "--issuer", "http://127.0.0.1:9"];
  expect(await run(["init", folder("edge"), ...development, "--json"])).toMatchObject({ code: 0 });
  const text = await readFile(folder("edge/policy.yaml"), "utf8");
  expect(text).toContain("development: true");
  expect(text).not.toContain("publicOrigin:");
});

it("knows its starters", async () => {
  const { code, err } = await run(["init", folder("edge"), "--starter", "patient-acces", ...ANSWERS]);
  expect(err).toContain("did you mean patient-access?");
  expect(code).toBe(2);
});

it("fills an answer in as a YAML scalar, whatever it holds", () => {
  const answers = { upstream: 'a"\n$&', issuer: "i", development: false };
  expect(fillIn("upstream: <upstream>\ndevelopment: <development>\npublicOrigin: <publicOrigin>\nx", answers)).toBe(
    'upstream: "a\\"\\n$&"\nx',
  );
});
