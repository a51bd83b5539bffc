// Brings pnpm and the dependencies when they are missing or out of date; does nothing, quickly, when they are not.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");
const MINIMUM_NODE = [20, 19];
const STAMP = join(ROOT, "node_modules", ".wardline-setup");
const WINDOWS = process.platform === "win32";

/** Runs a program to its end; ends this process with its exit status when it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: "inherit", shell: WINDOWS, ...options });
  if (error !== undefined) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** A program of an installed dependency. */
export function bin(name) {
  return join(ROOT, "node_modules", ".bin", name);
}

export function pnpm() {
  const { packageManager } = readJson(join(ROOT, "package.json"));
  const version = packageManager.slice("pnpm@".length);
  const own = join(ROOT, ".tools", "node_modules");
  const installed = join(own, "pnpm", "package.json");
  if (!existsSync(installed) || readJson(installed).version !== version) {
    console.log(`Fetching pnpm ${version} into .tools`);
    const prefix = join(ROOT, ".tools");
    run("npm", ["install", "--prefix", prefix, "--no-audit", "--no-fund", "--ignore-scripts", `pnpm@${version}`]);
  }
  return join(own, ".bin", "pnpm");
}

export function setUp() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])) {
    fail(`Wardline needs Node ${MINIMUM_NODE.join(".")} or newer; this is ${process.versions.node}.`);
  }
  const wanted = fingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;
  run(pnpm(), ["install", "--frozen-lockfile"]);
  writeFileSync(STAMP, wanted);
}

/** Compiles what has changed since the last time, and bundles what was compiled. */
export function build(...projects) {
  run(bin("tsc"), ["-b", ...projects]);
  const stale = readdirSync(join(ROOT, "packages")).filter(isStale);
  if (stale.length > 0) run(process.execPath, [join(ROOT, "scripts/bundle.mjs"), ...stale]);
}

/** Whether a package was compiled, or the way to bundle it changed, after it was bundled. */
function isStale(name) {
  const dist = join(ROOT, "packages", name, "dist");
  const compiled = writtenAt(join(dist, ".tsbuildinfo"));
  return (
    compiled > 0 && Math.max(compiled, writtenAt(join(ROOT, "scripts/bundle.mjs"))) > writtenAt(join(dist, "index.js"))
  );
}

/** What a bundle of a package leaves outside: whatever is imported by a name, of ours or of others. */
export function isOfAnotherPackage(id) {
  return !id.startsWith(".") && !isAbsolute(id);
}

function writtenAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Of everything that decides what must be installed. */
function fingerprint() {
  const hash = createHash("sha256");
  const manifests = ["packages", "examples", "tools"].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name, "package.json")),
  );
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...manifests]) {
    if (existsSync(join(ROOT, file))) hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest("hex");
}

export function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
