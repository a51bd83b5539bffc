// Packs every publishable package as it would be published, and lets publint and attw judge the tarballs.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync } from "node:fs";
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
    report(tally, `${name}: publint`, call(bin("publint"), ["run", filename, "--strict"]));
    // ESM only, on purpose: CommonJS reaches it by require(esm), which the consumers prove.
    report(tally, `${name}: attw`, call(bin("attw"), [filename, "--profile", "esm-only"]));
  }
  return tally;
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
