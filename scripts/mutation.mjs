// `npm run mutation [-- core ...]`: changes the decision cores one place at a time and sees whether a test notices; writes docs/mutation.md.
// For a schedule, not for CI: some minutes for each core. Works on a clone, because the tool writes into the sources, and because one of
// its dependencies asks for a newer Node than we promise.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, pnpm, ROOT, readJson, run, setUp } from "./setup.mjs";

/** Each core: its package, its files, the tests that should notice. */
const CORES = {
  scopes: ["smart-auth", ["scopes.ts"], ["scopes"]],
  grant: ["smart-auth", ["grant.ts"], ["vectors", "rights", "scopes"]],
  narrowing: ["smart-auth", ["narrow.ts"], ["vectors", "rights", "access.property"]],
  guard: ["smart-auth", ["guard/resource.ts", "guard/entry.ts"], ["containers", "guard.property", "vectors"]],
  compartment: [
    "fhir-r4",
    ["compartments.ts", "membership.ts"],
    ["compartments", "membership", "bundle", "references"],
  ],
  admission: ["tiered-throttle", ["decide.ts", "counters.ts"], ["counters.property", "door", "express"]],
  "ledger verify": ["audit-event", ["ledger/verify.ts"], ["ledger.tamper", "verify.progress", "verify.property"]],
};
const CLONE = join(ROOT, ".tools/mutation");
const REPORT = join(ROOT, "docs/mutation.md");
const VERSION = "9.6.1";

setUp();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => CORES[name] === undefined);
if (unknown.length > 0) fail(`mutation: no core ${unknown.join(", ")}; there are ${Object.keys(CORES).join(", ")}`);
prepare();
const rows = (wanted.length === 0 ? Object.keys(CORES) : wanted).map((name) => [name, measure(...CORES[name])]);
writeFileSync(REPORT, withRows(readFileSync(REPORT, "utf8"), rows));
const low = rows.filter(([, { score }]) => !(score >= 85)).map(([name]) => name);
if (low.length > 0) fail(`mutation: under 85 %: ${low.join(", ")}; .tools/mutation/reports shows what survived`);

function prepare() {
  rmSync(CLONE, { recursive: true, force: true });
  run("git", ["clone", "--quiet", ROOT, CLONE]);
  const file = join(CLONE, "pnpm-workspace.yaml");
  const settings = readFileSync(file, "utf8").replace("engineStrict: true", "engineStrict: false");
  writeFileSync(file, settings.replace("catalogMode: prefer", "catalogMode: manual"));
  const manifest = readJson(join(CLONE, "package.json"));
  for (const name of ["core", "vitest-runner"]) manifest.devDependencies[`@stryker-mutator/${name}`] = VERSION;
  writeFileSync(join(CLONE, "package.json"), JSON.stringify(manifest));
  run(pnpm(), ["install", "--no-frozen-lockfile"], { cwd: CLONE });
}

function measure(name, files, tests) {
  const report = join(CLONE, "reports/mutation.json");
  rmSync(report, { force: true });
  const include = tests.map((test) => `packages/${name}/test/${test}.test.ts`);
  const conditions = ["@wardline/source"];
  const vitest = { resolve: { conditions }, ssr: { resolve: { conditions } }, test: { include, testTimeout: 60_000 } };
  writeFileSync(join(CLONE, "vitest.mutation.config.mjs"), `export default ${JSON.stringify(vitest)};`);
  const options = {
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner"],
    vitest: { configFile: "vitest.mutation.config.mjs", related: false },
    mutate: files.map((file) => `packages/${name}/src/${file}`),
    inPlace: true,
    concurrency: 1,
    ignoreStatic: true,
    reporters: ["json", "clear-text"],
    jsonReporter: { fileName: "reports/mutation.json" },
  };
  writeFileSync(join(CLONE, "stryker.config.json"), JSON.stringify(options));
  spawnSync("npx", ["stryker", "run"], { cwd: CLONE, stdio: "inherit" });
  if (!existsSync(report)) return { score: Number.NaN, mutants: 0, survived: 0 };
  const all = Object.values(readJson(report).files).flatMap(({ mutants }) => mutants.map(({ status }) => status));
  const killed = all.filter((status) => status === "Killed" || status === "Timeout").length;
  const survived = all.filter((status) => status === "Survived" || status === "NoCoverage").length;
  return { score: (100 * killed) / (killed + survived), mutants: killed + survived, survived };
}

/** The rows of the table that were measured now; the others stay, with their dates. */
function withRows(text, rows) {
  const today = new Date().toISOString().slice(0, 10);
  return rows.reduce((page, [name, { score, mutants, survived }]) => {
    const row = `| ${name} | ${mutants === 0 ? "not measured: its run failed" : `${score.toFixed(1)} %`} | ${mutants} | ${survived} | ${today} |`;
    return page.replace(new RegExp(`^\\| ${name} \\|.*$`, "m"), row);
  }, text);
}
