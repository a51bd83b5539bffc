// `npm test`: every suite, on this Node and (in CI, or with --all-nodes) on the others; ends with one line of counts.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkPackages } from "../test/consumers/packages.mjs";
import { otherNodes, runConsumers } from "../test/consumers/run.mjs";
import { build, ROOT, readJson, setUp } from "./setup.mjs";

setUp();
build();

const total = { passed: 0, failed: 0, skipped: 0 };
function count({ passed, failed, skipped = 0 }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

const everyNode = process.env.CI === "true" || process.argv.includes("--all-nodes");
for (const node of [process.execPath, ...(everyNode ? otherNodes() : [])]) count(unitTests(node));
const { tarballs, ...packages } = checkPackages();
count(packages);
count(await runConsumers(tarballs));

if (total.skipped > 0) console.log(`${total.skipped} skipped: the lines above say which and why`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

function unitTests(node) {
  const report = join(ROOT, ".vitest-report.json");
  rmSync(report, { force: true });
  console.log(
    `\nTests on ${node === process.execPath ? `this Node (${process.version})` : node.match(/node-v\d+/)[0]}`,
  );
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(
    node,
    [vitest, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    { cwd: ROOT, stdio: "inherit" },
  );
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = readJson(report);
  // A file that could not be loaded has no failed test, and an error outside a test only shows in the exit status.
  const failed = Math.max(numFailedTests, status === 0 ? 0 : 1, numFailedTests === 0 ? numFailedTestSuites : 0);
  return { passed: numPassedTests, failed, skipped: numPendingTests };
}
