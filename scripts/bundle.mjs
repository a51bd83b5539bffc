// `node scripts/bundle.mjs [package ...]`: makes of each package's modules the files it publishes, one for each of its entries (and
// one for what entries share or load later): a module loader takes a third of a millisecond for a file, and there were a thousand.
// docs/adr/0019 says why. The types, which nothing loads, stay as the compiler wrote them, a file for each module.
import { readdirSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { rolldown } from "rolldown";
import { fail, isOfAnotherPackage, ROOT, readJson } from "./setup.mjs";

const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : readdirSync(join(ROOT, "packages"))) {
  await bundle(join(ROOT, "packages", name));
}

async function bundle(folder) {
  const sources = join(folder, "src");
  const output = join(folder, "dist");
  for (const file of readdirSync(output, { recursive: true })) {
    if (/\.js(?:\.map)?$/.test(file)) rmSync(join(output, file));
  }
  const bundled = await rolldown({
    input: entries(folder),
    external: isOfAnotherPackage,
    platform: "node",
    onLog: (_level, { message }) => fail(`bundle: ${folder}: ${message}`),
  });
  await bundled.write({
    dir: output,
    format: "esm",
    sourcemap: true,
    sourcemapExcludeSources: true, // `src` is published beside
    entryFileNames: "[name].js",
    chunkFileNames: ({ name, facadeModuleId }) =>
      `${facadeModuleId ? relative(sources, facadeModuleId).replace(/\.ts$/, "").replaceAll(sep, "-") : name}.js`,
  });
}

/** What the package gives to others, and to the shell, by name: `./dist/express.js` is made of `src/express.ts`. */
function entries(folder) {
  const { exports, bin = {} } = readJson(join(folder, "package.json"));
  const files = [...Object.values(exports).map((to) => to.default), ...Object.values(bin)];
  const names = files.flatMap((file) => /^\.\/dist\/(.+)\.js$/.exec(file ?? "")?.[1] ?? []);
  return Object.fromEntries(names.map((name) => [name, join(folder, "src", `${name}.ts`)]));
}
