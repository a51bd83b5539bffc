// The towns and attacks of the tests, compiled: the bench runs what the tests run, without a test runner's own cost.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
// Inside the package, where its dependencies are found, and out of what is published.
const folder = mkdtempSync(join(here, ".compiled-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", here, "--outDir", folder], { encoding: "utf8" });
if (status !== 0) throw new Error(`the bench does not compile\n${stdout}`);

export function compiled(module) {
  return import(join(folder, module));
}
