// `pnpm check`: what CI runs. Types, lint and format, boundaries, unused code, then every test and package check.
// With --static: all but the tests.

import { join } from "node:path";
import { bin, build, ROOT, run, setUp } from "./setup.mjs";

setUp();
step("types");
build();
step("lint and format");
run(bin("biome"), ["ci", "--error-on-warnings", "."]);
run(bin("oxlint"), ["--type-aware", "--deny-warnings", "packages", "examples", "test"]);
step("boundaries");
run(process.execPath, [join(ROOT, "scripts/boundaries.mjs")]);
step("unused code");
run(bin("knip"), []);
step("what we take and give: SBOM, licences, secrets, security rules, audit");
run(process.execPath, [join(ROOT, "scripts/supply.mjs")]);
step("public API and sizes");
run(process.execPath, [join(ROOT, "scripts/api.mjs")]);
run(process.execPath, [join(ROOT, "scripts/sizes.mjs")]);
step("the site of the documentation");
run(process.execPath, [join(ROOT, "scripts/docs.mjs")]);
if (!process.argv.includes("--static")) {
  step("tests and packages");
  run(process.execPath, [join(ROOT, "scripts/test.mjs")]);
}

function step(name) {
  console.log(`\n--- ${name}`);
}
