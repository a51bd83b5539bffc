// `npm run supply`: what we take from others, and what we might give away. A CycloneDX SBOM of the packages, the licences in it, secrets in
// the tracked files (secretlint), known mistakes of security in the sources (eslint-plugin-security, run by oxlint; all offline), and
// known vulnerabilities where the registry can be asked. That nothing runs while installing is pnpm's own check (`strictDepBuilds`).
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bin, fail, pnpm, ROOT, readJson, run, setUp } from "./setup.mjs";

/** Whoever uses us may use these, with no duty but to name the authors. */
const LICENCES = new Set([
  "MIT",
  "ISC",
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "Python-2.0",
]);
/** Say their licence in a file or not at all: read by a person, at this version's file. */
const READ = new Map([
  ["fhirpath", "LICENSE.md: NLM's, BSD-like, a notice to keep"],
  ["ucum-lhc", "LICENSE.md: NLM's, BSD-like, and the notice of UCUM"],
  ["xmldoc", "LICENSE: MIT"],
  ["is-integer", "WTFPL or ISC: taken as ISC"],
]);

setUp();
sbom();
secrets();
securityRules();
audit();

function sbom() {
  const file = join(ROOT, ".tools/sbom.cdx.json");
  mkdirSync(join(ROOT, ".tools"), { recursive: true });
  const format = ["--sbom-format", "cyclonedx", "--sbom-spec-version", "1.6", "--prod", "--out", file];
  run(pnpm(), ["--filter", "./packages/*", "sbom", ...format], { stdio: ["ignore", "ignore", "inherit"] });
  const { components } = readJson(file);
  const missing = ["jose", "ajv", "helmet", "undici"].filter((name) => !components.some((each) => each.name === name));
  if (missing.length > 0) fail(`sbom: it lacks ${missing.join(", ")}, so it is not whole`);
  const wrong = components.filter(({ name, licenses = [] }) => {
    const said = licenses.map(({ license }) => license?.id);
    return !READ.has(name) && (said.length === 0 || !said.every((id) => LICENCES.has(id)));
  });
  for (const { name, version, licenses } of wrong)
    console.error(`licence: ${name}@${version}: ${JSON.stringify(licenses)}`);
  if (wrong.length > 0) fail("licences: add a licence that was read to scripts/supply.mjs, or take another package");
  console.log(`sbom: ${components.length} components in .tools/sbom.cdx.json, every licence is permissive`);
}

function secrets() {
  const { stdout } = spawnSync("git", ["ls-files"], { cwd: ROOT, encoding: "utf8" });
  const files = stdout
    .split("\n")
    .filter((name) => name !== "" && !/pnpm-lock|\/generated\/|policy\.schema\.json/.test(name));
  if (files.length < 100) return console.log("secrets: skipped, this is no checkout of git");
  run(bin("secretlint"), ["--secretlintrc", ".secretlintrc.json", ...files]);
  console.log(`secrets: none in ${files.length} files`);
}

/** A file that a rule does not hold for has its reason in the line above. */
function securityRules() {
  const config = ".oxlintrc.security.json";
  const [, overrides = ""] = readFileSync(join(ROOT, config), "utf8").split('"overrides"');
  const bare = overrides.match(/(?<!\/\/ .{20,}\n)^ {4}\{[\s\S]*?\]/gm) ?? [];
  if (bare.length > 0) fail(`security rules: write the reason in a comment above: ${bare.join("\n")}`);
  run(bin("oxlint"), ["-c", config, "packages"]);
}

/** Only a found vulnerability fails: whether a registry answers is not ours to say. */
function audit() {
  const { stdout, stderr } = spawnSync(pnpm(), ["audit", "--prod", "--json"], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 30_000,
  });
  const found = /"vulnerabilities":\s*(\{[^}]*\})/.exec(stdout ?? "")?.[1];
  if (found === undefined)
    return console.log(`audit: skipped, no audit endpoint answers: ${`${stderr}${stdout}`.split("\n")[0]}`);
  const { high = 0, critical = 0, ...rest } = JSON.parse(found);
  console.log(`audit: ${JSON.stringify({ critical, high, ...rest })}`);
  if (high + critical > 0) fail("audit: `pnpm audit --prod` names them");
}
