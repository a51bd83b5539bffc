// Each package where nothing lies that it does not declare: a forgotten dependency, or a sibling imported by mistake, does not load.
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readJson } from "../../scripts/setup.mjs";
import { call, report } from "./packages.mjs";

/** @param project where everything is installed: what a package declares is taken from there */
export function loadAlone(project, tarballs, tally) {
  const folder = mkdtempSync(join(tmpdir(), "wardline-alone-"));
  for (const name of Object.keys(tarballs)) {
    const home = join(folder, name.replace("/", "-"));
    lay(home, name, project, tarballs, new Set());
    const load = `import(${JSON.stringify(name)}).then((all) => process.exit(Object.keys(all).length > 0 ? 0 : 1))`;
    report(tally, `${name} alone`, call(process.execPath, ["--input-type=module", "-e", load], home, 60_000));
  }
  rmSync(folder, { recursive: true, force: true });
}

function lay(home, name, project, tarballs, laid) {
  if (laid.has(name)) return;
  laid.add(name);
  const place = join(home, "node_modules", name);
  const source = join(project, "node_modules", name);
  if (!existsSync(source)) return; // a peer that nobody needs
  mkdirSync(dirname(place), { recursive: true });
  if (tarballs[name] === undefined) return symlinkSync(source, place);
  mkdirSync(place);
  call("tar", ["xzf", tarballs[name], "-C", place, "--strip-components=1"]);
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = readJson(join(place, "package.json"));
  const peers = Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true);
  for (const needed of [...Object.keys(dependencies), ...peers]) lay(home, needed, project, tarballs, laid);
}
