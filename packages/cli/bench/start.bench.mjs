// What it takes to begin: how long importing each package takes beyond the libraries it stands on, and how long `wardline serve`
// takes from its call to its line "ready", with the memory it holds then. The least of several runs, each a process of its own:
// whatever else the machine does only adds. `--quick` only checks that it runs.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    keep: { type: "boolean" },
    node: { type: "string", default: process.execPath },
  },
  allowPositionals: true,
});
const RUNS = options.quick ? 1 : 7;
const PACKAGES = join(import.meta.dirname, "../..");
const WARDLINE = join(PACKAGES, "cli/dist/bin.js");
/** Whoever builds on Wardline has chosen these already. */
const LIBRARIES = [
  "express",
  "jose",
  "express-rate-limit",
  "rate-limit-redis",
  "ajv",
  "ajv-formats",
  "helmet",
  "winston",
];
const MOST = { importMs: 80, readyMs: 1000, residentMb: 120 };

const least = (values) => Math.min(...values);
const times = (count, work) => Array.from({ length: count }, work);

console.log(`${execFileSync(options.node, ["--version"], { encoding: "utf8" }).trim()}, the least of ${RUNS}`);
for (const name of readdirSync(PACKAGES).sort()) {
  if (name === "cli") continue;
  const libraries = librariesOf(name);
  const ms = least(times(RUNS, () => importing(name, libraries)));
  console.log(
    `import ${name.padEnd(18)}${ms.toFixed(0).padStart(5)} ms ${verdict(ms, MOST.importMs)} beyond ${libraries.join(", ") || "nothing"}`,
  );
}
const served = [];
for (let run = 0; run < RUNS; run++) served.push(await serving());
const [readyMs, residentMb] = ["readyMs", "residentMb"].map((figure) => least(served.map((one) => one[figure])));
console.log(`wardline serve   ready after ${readyMs.toFixed(0)} ms ${verdict(readyMs, MOST.readyMs)}`);
console.log(`wardline serve   ${residentMb.toFixed(0)} MB resident ${verdict(residentMb, MOST.residentMb)}`);

function verdict(value, most) {
  return value <= most ? `(goal ${most}: reached)` : `(goal ${most}: not reached)`;
}

function librariesOf(name) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(PACKAGES, name, "package.json"), "utf8"));
  return LIBRARIES.filter((library) => library in dependencies);
}

/** Milliseconds that importing a package takes in a process that has its libraries already. */
function importing(name, libraries) {
  const entry = join(PACKAGES, name, "dist/index.js");
  const program = `
    import { createRequire } from "node:module";
    import { pathToFileURL } from "node:url";
    const { resolve } = createRequire(${JSON.stringify(entry)});
    for (const library of ${JSON.stringify(libraries)}) await import(pathToFileURL(resolve(library)));
    const before = performance.now();
    await import(pathToFileURL(${JSON.stringify(entry)}));
    console.log(performance.now() - before);`;
  return Number(execFileSync(options.node, ["--input-type=module", "--eval", program], { encoding: "utf8" }));
}

/** The starter of a patient's apps, its upstream and issuer not asked before the first request. */
async function serving() {
  const folder = mkdtempSync(join(tmpdir(), "start-bench-"));
  const places = [
    "--upstream",
    "http://127.0.0.1:9/fhir",
    "--issuer",
    "http://127.0.0.1:9",
    "--public-origin",
    "http://127.0.0.1:8443",
  ];
  execFileSync(options.node, [WARDLINE, "init", folder, "--starter", "patient-access", "--development", ...places]);
  const began = performance.now();
  const server = spawn(options.node, [WARDLINE, "serve", join(folder, "policy.yaml"), "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "ignore"],
    cwd: folder,
  });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  await Promise.race([
    new Promise((resolve) => server.stdout.once("data", resolve)),
    ended.then(() => Promise.reject(new Error("wardline serve has ended"))),
  ]);
  const readyMs = performance.now() - began;
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"));
  server.kill();
  await ended;
  rmSync(folder, { recursive: true, force: true });
  return { readyMs, residentMb: Number(kilobytes) / 1000 };
}
