// What a package does not publish, for its benches and its fuzzer: bundled on the spot, as it is when published.
import { mkdtempSync, rmSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { isOfAnotherPackage, ROOT } from "./setup.mjs";

/**
 * Modules as they are named from the one at `here`; what several of them import is one to them.
 * @returns their exports, in that order
 */
export async function compiled(here, ...modules) {
  const files = modules.map((module) => fileURLToPath(new URL(module, here)));
  const output = mkdtempSync(join(packageOf(files[0]), "node_modules", ".compiled-")); // where its dependencies are found
  process.on("exit", () => rmSync(output, { recursive: true, force: true }));
  const bundled = await rolldown({
    input: Object.fromEntries(files.map((file, at) => [`module-${at}`, file])),
    external: isOfAnotherPackage,
    platform: "node",
    preserveEntrySignatures: "strict",
  });
  await bundled.write({
    dir: output,
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "[name]-[hash].mjs",
  });
  return Promise.all(files.map((_file, at) => import(pathToFileURL(join(output, `module-${at}.mjs`)))));
}

function packageOf(file) {
  const [name] = file.slice(join(ROOT, "packages").length + 1).split(sep);
  return join(ROOT, "packages", name);
}
