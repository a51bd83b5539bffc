// Checks the import directions of docs/pipeline.md. A checker that saw nothing proves nothing, so it counts what it saw.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { bin, fail, ROOT } from "./setup.mjs";

const { stdout, stderr } = spawnSync(
  bin("depcruise"),
  ["packages", "examples", "--config", ".dependency-cruiser.cjs", "--output-type", "json"],
  { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 28 },
);
if (!stdout) fail(stderr);
const { modules, summary } = JSON.parse(stdout);

const unseen = readdirSync(join(ROOT, "packages")).filter(
  (name) => !modules.some(({ source }) => source.startsWith(`packages/${name}/src/`)),
);
if (unseen.length > 0) fail(`boundaries: no module seen in ${unseen.join(", ")}`);
const crossing = modules
  .flatMap(({ dependencies }) => dependencies)
  .filter(({ resolved }) => resolved.startsWith("packages/"));
if (crossing.length === 0) fail("boundaries: no import between packages could be resolved");

for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} -> ${to}`);
console.log(`boundaries: ${modules.length} modules, ${summary.violations.length} violations`);
process.exit(summary.violations.length === 0 ? 0 : 1);
