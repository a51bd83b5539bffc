// `pnpm docs`: the static site of the Markdown pages, in .site. `pnpm docs --serve` shows it, and follows changes.
import { join } from "node:path";
import { ROOT, run, setUp } from "./setup.mjs";

setUp();
const vitepress = join(ROOT, "tools/docs-site/node_modules/vitepress/bin/vitepress.js");
const what = process.argv.includes("--serve") ? "dev" : "build";
run(process.execPath, [vitepress, what, join(ROOT, "tools/docs-site")]);
