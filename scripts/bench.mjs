// `pnpm bench [name ...] [--quick]`: runs every package's bench/*.bench.mjs on the built packages, each in a process of its
// own. What begins with a dash is handed on: `--quick` only checks that they run, `--keep` keeps the edge's ratios.
import { benches } from "./benches.mjs";
import { build, run, setUp } from "./setup.mjs";

setUp();
build();

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith("-"));
for (const { name, file, args } of benches()) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n${name}: ${file}`);
  run(process.execPath, [...args, ...flags]);
}
