// `npm test`: every suite on this Node; in CI those that a Node could break on the others too (all of them with --all-nodes), and
// whether the benchmarks run; ends with one line of counts.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkPackages, report } from "../test/consumers/packages.mjs";
import { otherNodes, runConsumers } from "../test/consumers/run.mjs";
import { runQuickly } from "./benches.mjs";
import { build, ROOT, readJson, setUp } from "./setup.mjs";

setUp();
build();

const total = { passed: 0, failed: 0, skipped: 0 };
function count({ passed, failed, skipped = 0 }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

/** What stands on Node itself: the response hook, sockets, TLS, crypto, the files of the ledger, the whole edge. */
const NODE_SENSITIVE = [
  "packages/policy-types",
  "packages/gateway",
  "packages/perimeter/test/tls",
  "packages/perimeter/test/express",
  "packages/smart-auth/test/express",
  "packages/smart-auth/test/jws",
  "packages/audit-event/test/express",
  "packages/phi-redact/test/express",
  "test/edge/access",
  "test/edge/doors",
  "test/edge/reload",
  "test/edge/upstream",
];
const allNodes = process.argv.includes("--all-nodes");
count(unitTests(process.execPath));
if (process.env.CI === "true" || allNodes) {
  for (const node of otherNodes()) count(unitTests(node, allNodes ? [] : NODE_SENSITIVE));
}
const { tarballs, ...packages } = checkPackages();
count(packages);
count(await runConsumers(tarballs));
if (process.env.CI === "true" || allNodes) count(await runQuickly(report));

if (total.skipped > 0) console.log(`${total.skipped} skipped: the lines above say which and why`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

function unitTests(node, only = []) {
  const other = node === process.execPath ? undefined : node.match(/node-v\d+/)[0];
  // The whole suite's is what `wardline evidence --tests` reads.
  const report = join(ROOT, other === undefined ? ".vitest-report.json" : `.vitest-report.${other}.json`);
  rmSync(report, { force: true });
  const which = other ?? `this Node (${process.version})`;
  console.log(`\nTests on ${which}${only.length === 0 ? "" : ": what stands on Node itself"}`);
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(
    node,
    [vitest, "run", ...only, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    { cwd: ROOT, stdio: "inherit", env: { ...process.env, WARDLINE_TEST_BUILT: "true" } },
  );
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = readJson(report);
  // A file that could not be loaded has no failed test, and an error outside a test only shows in the exit status.
  const failed = Math.max(numFailedTests, status === 0 ? 0 : 1, numFailedTests === 0 ? numFailedTestSuites : 0);
  return { passed: numPassedTests, failed, skipped: numPendingTests };
}
