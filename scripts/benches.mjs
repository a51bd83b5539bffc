// The benchmarks of the packages: bench.mjs runs them to measure, test.mjs to see that they run.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ROOT } from "./setup.mjs";

/** @returns {{ name: string, file: string, args: readonly string[] }[]} `args` for `node` */
export function benches() {
  return readdirSync(join(ROOT, "packages")).flatMap((name) => {
    const folder = join(ROOT, "packages", name, "bench");
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder).filter((entry) => entry.endsWith(".bench.mjs"));
    return files.map((file) => ({ name, file, args: ["--expose-gc", join(folder, file)] }));
  });
}

/** Each of them once with `--quick`: nothing is measured, so as many at a time as there are cores. */
export async function runQuickly(report) {
  console.log("\nBenchmarks (each runs, nothing is measured)");
  const tally = { passed: 0, failed: 0 };
  const left = benches();
  const runner = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { name, file, args } = next;
      report(tally, `${name}: ${file}`, await runOnce([...args, "--quick"]));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, runner));
  return tally;
}

function runOnce(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, timeout: 180_000, stdio: ["ignore", "pipe", "pipe"] });
    let trouble = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (trouble += text));
    child.once("close", (code) => resolve({ ok: code === 0, trouble }));
  });
}
