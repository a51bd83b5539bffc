// `pnpm bench [name ...] [--quick]`: runs every package's bench/*.bench.mjs on the built packages, each in a process of its
// own. What begins with a dash is handed on: `--quick` only checks that the edge's benchmark runs, `--keep` keeps its ratios.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { build, ROOT, run, setUp } from "./setup.mjs";

setUp();
build();

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith("-"));
for (const name of readdirSync(join(ROOT, "packages"))) {
  const folder = join(ROOT, "packages", name, "bench");
  if (!existsSync(folder) || (wanted.length > 0 && !wanted.includes(name))) continue;
  for (const file of readdirSync(folder).filter((entry) => entry.endsWith(".bench.mjs"))) {
    console.log(`\n${name}: ${file}`);
    run(process.execPath, ["--expose-gc", join(folder, file), ...flags]);
  }
}
