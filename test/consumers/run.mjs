// Installs the tarballs with npm into real consumer projects, type-checks them and runs them: ESM and CommonJS, TypeScript and
// JavaScript, one package and all, Express 4 and 5, Node 20, 22 and 24; and loads each package where no other is installed.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, readJson } from "../../scripts/setup.mjs";
import { loadAlone } from "./alone.mjs";
import { call, report } from "./packages.mjs";
import { writePrograms } from "./programs.mjs";

const EXPRESS = [
  { express: "4.21.2", types: "4.17.25" },
  { express: "5.3.0", types: "5.0.6" },
];

/** The other Node majors the packages promise, as far as this machine has them. */
export function otherNodes() {
  const folder = join(ROOT, "tools/node-matrix/node_modules");
  const own = `node-v${process.versions.node.split(".")[0]}`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith("node-v") && name !== own)
    .map((name) => join(folder, name, "bin/node"))
    .filter((path) => existsSync(path));
}

/** @param {Record<string, string>} tarballs by package name */
export async function runConsumers(tarballs) {
  const nodes = [process.execPath, ...otherNodes()];
  const tally = { passed: 0, failed: 0, skipped: 0 };
  if (nodes.length < 3) {
    tally.skipped++;
    console.log("  skipped: Node 20, 22 and 24 are not all on this machine (optional tools/node-matrix)");
  }
  const folder = mkdtempSync(join(tmpdir(), "wardline-consumers-"));
  for (const versions of EXPRESS) {
    console.log(`\nConsumers on Express ${versions.express}`);
    consume(join(folder, `express-${versions.express}`), versions, tarballs, nodes, tally);
  }
  rmSync(folder, { recursive: true, force: true });
  return tally;
}

function consume(project, { express, types }, tarballs, nodes, tally) {
  mkdirSync(project, { recursive: true });
  const packed = Object.fromEntries(Object.entries(tarballs).map(([name, file]) => [name, `file:${file}`]));
  const { dependencies: own } = readJson(join(ROOT, "packages/gateway/package.json"));
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({
      name: "consumer",
      private: true,
      type: "module",
      dependencies: { ...packed, express, winston: "3.19.0" },
      devDependencies: { "@types/express": types, "@types/node": "22.20.5" },
      // Packages that are not on a registry yet find each other here; the gateway brings its own Express.
      overrides: { ...packed, ...(own.express ? {} : { express }) },
    }),
  );
  cpSync(join(ROOT, "test/consumers/app"), project, { recursive: true });
  const programs = writePrograms(project, Object.keys(tarballs));
  const install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--legacy-peer-deps"];
  const installed = call("npm", install, project, 300_000);
  report(tally, "npm install", installed);
  if (!installed.ok) return;
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  report(
    tally,
    `types of ${programs.length} projects, in ESM and CommonJS, TypeScript and JavaScript`,
    call(process.execPath, [tsc, "-p", "."], project),
  );
  loadAlone(project, tarballs, tally);
  for (const node of nodes) {
    const version = call(node, ["--version"]).output.trim();
    for (const file of programs) {
      report(tally, `${file} on Node ${version}`, call(node, [join("out", file)], project, 60_000));
    }
  }
}
