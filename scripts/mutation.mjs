// `npm run mutation [-- core ...]`: changes the decision cores (cores.mjs) in one place at a time and sees whether a test notices. Keeps
// the last report of each in docs/mutation.json and docs/mutation.md; fails under 85 %. For a schedule, not for CI: some minutes for
// each core whose tests have changed, else only for what changed in it. Works on a clone of the last commit, because the tool writes
// into the sources, and because one of its dependencies asks for a newer Node than we promise.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CORES, filesOf, testsOf } from "./cores.mjs";
import { fail, pnpm, ROOT, readJson, run, setUp } from "./setup.mjs";

const CLONE = join(ROOT, ".tools/mutation");
const KEPT = join(ROOT, "docs/mutation.json");
const PAGE = join(ROOT, "docs/mutation.md");
const VERSION = "9.6.1";
const GOAL = 85;

setUp();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => CORES[name] === undefined);
if (unknown.length > 0) fail(`mutation: no core ${unknown.join(", ")}; there are ${Object.keys(CORES).join(", ")}`);
const names = wanted.length === 0 ? Object.keys(CORES) : wanted;
const commit = prepare();
for (const name of names) {
  const measured = measure(name);
  const kept = { ...readJson(KEPT), [name]: { ...measured, date: new Date().toISOString().slice(0, 10), commit } };
  writeFileSync(KEPT, `${JSON.stringify(kept, undefined, 2)}\n`);
  writeFileSync(PAGE, withRows(readFileSync(PAGE, "utf8"), kept));
}
const low = names.filter((name) => readJson(KEPT)[name].score < GOAL);
if (low.length > 0) fail(`mutation: under ${GOAL} %: ${low.join(", ")}`);

/** @returns the commit the clone stands at, with the tool installed */
function prepare() {
  if (!existsSync(join(CLONE, ".git"))) run("git", ["clone", "--quiet", ROOT, CLONE]);
  run("git", ["fetch", "--quiet", "origin", "HEAD"], { cwd: CLONE });
  run("git", ["checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"], { cwd: CLONE });
  const file = join(CLONE, "pnpm-workspace.yaml");
  const settings = readFileSync(file, "utf8").replace("engineStrict: true", "engineStrict: false");
  writeFileSync(file, settings.replace("catalogMode: prefer", "catalogMode: manual"));
  const manifest = readJson(join(CLONE, "package.json"));
  for (const name of ["core", "vitest-runner"]) manifest.devDependencies[`@stryker-mutator/${name}`] = VERSION;
  writeFileSync(join(CLONE, "package.json"), JSON.stringify(manifest));
  const stamp = join(CLONE, "node_modules/.wardline-mutation");
  const lock = createHash("sha256")
    .update(readFileSync(join(ROOT, "pnpm-lock.yaml")))
    .digest("hex");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
    run(pnpm(), ["install", "--no-frozen-lockfile"], { cwd: CLONE });
    writeFileSync(stamp, lock);
  }
  return spawnSync("git", ["rev-parse", "--short=12", "HEAD"], { cwd: CLONE, encoding: "utf8" }).stdout.trim();
}

function measure(name) {
  const core = CORES[name];
  const id = name.replaceAll(" ", "-");
  const report = `reports/${id}.json`;
  rmSync(join(CLONE, report), { force: true });
  forgetIfTestsChanged(core, id);
  const conditions = ["@wardline/source"];
  const test = { include: testsOf(core), testTimeout: 60_000 };
  const vitest = { resolve: { conditions }, ssr: { resolve: { conditions } }, test };
  writeFileSync(join(CLONE, "vitest.mutation.config.mjs"), `export default ${JSON.stringify(vitest)};`);
  const options = {
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner"],
    vitest: { configFile: "vitest.mutation.config.mjs", related: false },
    mutate: filesOf(core),
    inPlace: true,
    incremental: true,
    incrementalFile: `reports/${id}.incremental.json`,
    concurrency: 1,
    reporters: ["json", "clear-text", "progress-append-only"],
    clearTextReporter: { allowColor: false, reportTests: false, logTests: false, reportMutants: false },
    jsonReporter: { fileName: report },
  };
  writeFileSync(join(CLONE, "stryker.config.json"), JSON.stringify(options));
  spawnSync("npx", ["stryker", "run"], { cwd: CLONE, stdio: "inherit" });
  if (!existsSync(join(CLONE, report))) fail(`mutation: the run of ${name} failed; nothing of it is kept`);
  const mutants = Object.entries(readJson(join(CLONE, report)).files).flatMap(([file, { source, mutants: all }]) =>
    all.map((mutant) => ({ file, lines: source.split("\n"), ...mutant })),
  );
  const killed = mutants.filter(({ status }) => status === "Killed" || status === "Timeout").length;
  const survivors = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  for (const { file, lines, location, replacement, status } of survivors) {
    console.log(`  ${status}: ${file}:${location.start.line}:${location.start.column} becomes ${replacement}`);
    console.log(`      ${lines[location.start.line - 1].trim()}`);
  }
  const counted = killed + survivors.length;
  return { score: Math.round((1000 * killed) / counted) / 10, mutants: counted, survived: survivors.length };
}

/** What a table that is read when a module loads is tested by, the tool does not know: it would keep what it found with other tests. */
function forgetIfTestsChanged(core, id) {
  const hash = createHash("sha256");
  for (const test of testsOf(core)) hash.update(readFileSync(join(CLONE, test)));
  const [file, now] = [join(CLONE, `reports/${id}.tests`), hash.digest("hex")];
  if (existsSync(file) && readFileSync(file, "utf8") === now) return;
  rmSync(join(CLONE, `reports/${id}.incremental.json`), { force: true });
  mkdirSync(join(CLONE, "reports"), { recursive: true });
  writeFileSync(file, now);
}

/** The page with the table of what was measured last. */
function withRows(page, kept) {
  const rows = Object.keys(CORES).map((name) => {
    const { score, mutants, survived, date, commit: at } = kept[name] ?? {};
    const cells = score === undefined ? ["not measured", "", "", "", ""] : [`${score} %`, mutants, survived, date, at];
    return [name, filesOf(CORES[name]).length, ...cells].map(String);
  });
  const table = [["Core", "Files", "Score", "Mutants", "Survived", "Measured", "Commit"], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const [head, ...body] = table.map(line);
  const text = [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body].join("\n");
  return page.replace(/^\| Core [\s\S]*?\n\n/m, () => `${text}\n\n`);
}
