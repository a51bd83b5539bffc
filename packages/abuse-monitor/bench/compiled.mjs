// The towns and attacks of the tests, compiled: the bench runs what the tests run, without a test runner's own cost.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

export async function compiled(module) {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", here], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the bench does not compile\n${stdout}`);
  return import(join(here, "..", "dist", "bench", module));
}
