// What loading the package costs, each time in a fresh process: processor time, wall clock and resident memory, by `import` and
// by `require`, beside what it is built on and what it is compared with; then what the first resource of a type waits for.
// The best of the rounds counts, and rounds take turns: what else the machine does makes a process slower, never faster.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { unlessQuick } from "../../../scripts/quick.mjs";

const ROUNDS = unlessQuick(9);
const MOST = { wallMs: 100, rssMb: 40 };

const OWN = fileURLToPath(new URL("../dist/index.js", import.meta.url));
const require = createRequire(import.meta.url);
const nothing = 'import("data:text/javascript,0")';
const load = (file) => `import(${JSON.stringify(`file://${file}`)})`;
const resolved = (name) => load(require.resolve(name));
const first = (...types) => `${load(OWN)}.then(({ prepare }) => { start(); prepare(${JSON.stringify(types)}); })`;

const WORK = {
  "nothing (the loader itself)": nothing,
  "import fhir-schema": load(OWN),
  "require fhir-schema": `require(${JSON.stringify(OWN)})`,
  "import ajv and ajv-formats": `${resolved("ajv")}.then(() => ${resolved("ajv-formats")})`,
  "import express": resolved("express"),
  "import express-openapi-validator": resolved("express-openapi-validator"),
  "import @medplum/core": resolved("@medplum/core"),
  "then: ready for Patient": first("Patient"),
  "then: ready for Observation": first("Observation"),
  "then: ready for Patient, Observation, Bundle": first("Patient", "Observation", "Bundle"),
};

function measured(work) {
  const script = `
    let cpu, wall, rss;
    const start = () => { cpu = process.cpuUsage(); wall = performance.now(); rss = process.memoryUsage().rss; };
    start();
    Promise.resolve(${work}).then(() => {
      const { user, system } = process.cpuUsage(cpu);
      console.log(JSON.stringify({
        cpuMs: (user + system) / 1000,
        wallMs: performance.now() - wall,
        rssMb: (process.memoryUsage().rss - rss) / 1e6,
      }));
    });`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--no-warnings", "-e", script], {
    cwd: import.meta.dirname,
    encoding: "utf8",
    env: { ...process.env, NODE_ENV: "production" },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const best = new Map();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, work] of Object.entries(WORK)) {
    const now = measured(work);
    const before = best.get(name) ?? now;
    best.set(name, Object.fromEntries(Object.keys(now).map((key) => [key, Math.min(now[key], before[key])])));
  }
}
console.log(`${"".padEnd(46)}${["cpu ms", "wall ms", "MB"].map((head) => head.padStart(9)).join("")}`);
for (const [name, cost] of best) {
  const cells = [cost.cpuMs, cost.wallMs, cost.rssMb].map((value) => value.toFixed(1).padStart(9));
  console.log(name.padEnd(46) + cells.join(""));
}
for (const name of ["import fhir-schema", "require fhir-schema"]) {
  const { wallMs, rssMb } = best.get(name);
  const kept = wallMs < MOST.wallMs && rssMb < MOST.rssMb;
  const share = wallMs / best.get("import express").wallMs;
  console.log(
    `${name}: under ${MOST.wallMs} ms and ${MOST.rssMb} MB: ${kept ? "yes" : "no"}; ${share.toFixed(2)} of loading express`,
  );
}
