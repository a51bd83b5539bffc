// `npm run coverage`: the lines and branches of the decision cores (cores.mjs) that their own quick tests never reach. Fails for each that
// has no reason in docs/coverage.json, and for each reason that nothing needs any more. `npm run coverage -- --all`: a table of everything.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CORES, filesOf, testsOf } from "./cores.mjs";
import { fail, ROOT, readJson, run, setUp } from "./setup.mjs";

const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");
const REASONS = join(ROOT, "docs/coverage.json");

setUp();
if (process.argv.includes("--all")) run(process.execPath, [VITEST, "run", "--coverage"]);
else check();

function check() {
  const cores = Object.values(CORES);
  const folder = join(ROOT, ".tools/coverage");
  rmSync(folder, { recursive: true, force: true });
  const files = cores.flatMap(filesOf);
  const options = [
    "--coverage.enabled",
    ...files.map((file) => `--coverage.include=${file}`),
    "--coverage.reporter=json",
    `--coverage.reportsDirectory=${folder}`,
    "--reporter=default",
    "--testTimeout=60000",
  ];
  const tests = [...new Set(cores.flatMap(testsOf))];
  const { status, stdout, stderr } = spawnSync(process.execPath, [VITEST, "run", ...tests, ...options], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) fail(`${stdout}${stderr}`);
  const found = readJson(join(folder, "coverage-final.json"));
  const missing = files.filter((file) => found[join(ROOT, file)] === undefined);
  if (missing.length > 0) fail(`coverage: nothing was measured of ${missing.join(", ")}`);
  const uncovered = files.flatMap((file) => uncoveredIn(file, found[join(ROOT, file)]));
  const reasons = readJson(REASONS);
  const isSame = (one, other) => one.file === other.file && one.line === other.line;
  const bare = uncovered.filter((one) => !reasons.some((reason) => isSame(reason, one) && reason.because.length > 10));
  const idle = reasons.filter((reason) => !uncovered.some((one) => isSame(reason, one)));
  for (const { file, number, line } of bare) console.error(`coverage: ${file}:${number} is not reached: ${line}`);
  for (const { file, line } of idle) console.error(`coverage: a reason that nothing needs: ${file}: ${line}`);
  if (bare.length + idle.length > 0) fail("coverage: write the test, or the reason, in docs/coverage.json");
  console.log(
    `coverage: ${files.length} files of ${cores.length} cores, ${uncovered.length} lines not reached, each with a reason`,
  );
}

/** Each line once, whether it is a statement or a branch of one that was not taken. */
function uncoveredIn(file, { statementMap, s, branchMap, b }) {
  const source = readFileSync(join(ROOT, file), "utf8").split("\n");
  const statements = Object.keys(s).filter((at) => s[at] === 0);
  const branches = Object.keys(b).flatMap((at) =>
    branchMap[at].locations
      .filter((_, index) => b[at][index] === 0)
      // An `else` that is not written has no place of its own.
      .map(({ start }) => start.line ?? branchMap[at].loc.start.line),
  );
  const lines = [...statements.map((at) => statementMap[at].start.line), ...branches];
  const numbers = [...new Set(lines)].sort((one, other) => one - other);
  return numbers.map((number) => ({ file, number, line: source[number - 1].trim() }));
}
