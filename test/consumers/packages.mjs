// Packs every publishable package as it would be published, and lets publint and attw judge the tarballs.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin, pnpm, ROOT, readJson } from "../../scripts/setup.mjs";

/** @returns {{ passed: number, failed: number, tarballs: Record<string, string> }} tarballs by package name */
export function checkPackages() {
  console.log("\nPackages as published (publint, attw)");
  const folder = mkdtempSync(join(tmpdir(), "wardline-tarballs-"));
  const tally = { passed: 0, failed: 0, tarballs: {} };
  for (const directory of readdirSync(join(ROOT, "packages"))) {
    const cwd = join(ROOT, "packages", directory);
    const { name, private: kept } = readJson(join(cwd, "package.json"));
    if (kept) continue;
    const packed = call(pnpm(), ["pack", "--json", "--pack-destination", folder], cwd);
    if (!packed.ok) {
      report(tally, `${name} is packed`, packed);
      continue;
    }
    const described = JSON.parse(packed.output.slice(packed.output.search(/[[{]/)));
    const { filename } = Array.isArray(described) ? described[0] : described;
    tally.tarballs[name] = filename;
    report(tally, `${name}: has what a registry and a reader need`, complete(cwd, described));
    report(tally, `${name}: publint`, call(bin("publint"), ["run", filename, "--strict"]));
    // ESM only, on purpose: CommonJS reaches it by require(esm), which the consumers prove.
    report(tally, `${name}: attw`, call(bin("attw"), [filename, "--profile", "esm-only"]));
  }
  return tally;
}

/** A licence, a changelog, a map for every script with code in it, types for every entry, provenance, no script that runs while installing. */
function complete(cwd, described) {
  const { files } = Array.isArray(described) ? described[0] : described;
  const paths = new Set(files.map(({ path }) => path));
  const { exports, publishConfig, scripts = {}, sideEffects } = readJson(join(cwd, "package.json"));
  const scriptsOf = [...paths].filter((path) => path.startsWith("dist/") && path.endsWith(".js"));
  const lacking = [
    ...["LICENSE", "README.md", "CHANGELOG.md"].filter((path) => !paths.has(path)),
    ...scriptsOf.filter((path) => hasCode(join(cwd, path)) && !paths.has(`${path}.map`)).map((path) => `${path}.map`),
    ...Object.values(exports).flatMap(({ types }) => (types === undefined || paths.has(types.slice(2)) ? [] : [types])),
    ...["preinstall", "install", "postinstall", "prepare"].filter((name) => name in scripts),
    ...(publishConfig?.provenance === true ? [] : ["publishConfig.provenance"]),
    ...(sideEffects === undefined ? ["sideEffects"] : []),
    ...(scriptsOf.length === 0 ? ["dist"] : []),
  ];
  return { ok: lacking.length === 0, trouble: lacking.slice(0, 10).join(", ") };
}

/** More than what it takes from others and hands on. */
function hasCode(file) {
  return readFileSync(file, "utf8")
    .split("\n")
    .some((line) => !/^(?:(?:import|export) \{.*\} from ".*";)?$|^export \{.*\};$|^\/\//.test(line));
}

export function call(command, args, cwd = ROOT, timeout = 180_000) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", timeout });
  return { ok: status === 0, output: stdout ?? "", trouble: `${error ?? ""}${stdout ?? ""}${stderr ?? ""}` };
}

export function report(tally, what, { ok, trouble }) {
  tally[ok ? "passed" : "failed"]++;
  console.log(`  ${ok ? "ok    " : "FAILED"} ${what}`);
  if (!ok) console.log(trouble.replaceAll(/^/gm, "         "));
}
