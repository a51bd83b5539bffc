// `npm run sizes`: what each package weighs when it is installed, with all it brings (peers aside), compared with sizes.json, the budget.
// `npm run sizes -- --update` writes the budget and the columns of README.md.
import { existsSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, fail, ROOT, readJson, setUp } from "./setup.mjs";

/** A package may grow by this much before somebody has to say so. */
const ROOM = 1.1;
const BUDGET = join(ROOT, "sizes.json");
const README = join(ROOT, "README.md");

setUp();
build("packages/cli"); // and with it every other
const names = readdirSync(join(ROOT, "packages"));
const now = Object.fromEntries(names.map((name) => [name, weigh(join(ROOT, "packages", name))]));
if (process.argv.includes("--update")) {
  writeFileSync(BUDGET, `${JSON.stringify(now, undefined, 2)}\n`);
  writeFileSync(README, withSizes(readFileSync(README, "utf8"), now));
}
const budget = readJson(BUDGET);
const over = names.filter((name) => {
  const { kB = 0, packages = -1 } = budget[name] ?? {};
  return now[name].kB > kB * ROOM || now[name].packages > packages;
});
for (const name of over)
  console.error(`${name}: ${JSON.stringify(now[name])}, the budget is ${JSON.stringify(budget[name])}`);
if (over.length > 0) fail("sizes: over the budget; find out why, or accept it with `npm run sizes -- --update`");
if (withSizes(readFileSync(README, "utf8"), budget) !== readFileSync(README, "utf8")) {
  fail("sizes: README.md shows other sizes than sizes.json; write them with `npm run sizes -- --update`");
}
console.log(`sizes: ${names.length} packages within their budget`);

/** kB of 1,000 bytes on disk, and the number of packages that come with it. */
function weigh(folder) {
  const seen = new Set();
  collect(folder, seen);
  const bytes = [...seen].reduce((sum, each) => sum + bytesOf(each), 0);
  return { kB: Math.ceil(bytes / 10_000) * 10, packages: seen.size - 1 };
}

function collect(folder, seen) {
  if (seen.has(folder)) return;
  seen.add(folder);
  const { dependencies = {} } = readJson(join(folder, "package.json"));
  for (const name of Object.keys(dependencies)) collect(find(name, folder), seen);
}

function find(name, from) {
  const here = join(from, "node_modules", name);
  if (existsSync(here)) return realpathSync(here);
  if (dirname(from) === from) fail(`sizes: ${name} is not installed`);
  return find(name, dirname(from));
}

/** Of ours, what is published; of others, all that is installed. */
function bytesOf(folder) {
  if (!folder.startsWith(join(ROOT, "packages"))) return bytesIn(folder);
  const { files } = readJson(join(folder, "package.json"));
  const left = files
    .filter((name) => name.startsWith("!"))
    .map((name) => join(folder, name.slice(1).replace(/\*$/, "")));
  const published = [...files.filter((name) => !name.startsWith("!")), "README.md", "CHANGELOG.md", "package.json"];
  return published.reduce((sum, name) => sum + bytesIn(join(folder, name), left), statSync(join(ROOT, "LICENSE")).size);
}

/** @param left beginnings of paths that are not published */
function bytesIn(path, left = []) {
  if (!existsSync(path) || left.some((start) => path.startsWith(start))) return 0;
  const found = statSync(path);
  if (!found.isDirectory()) return found.size;
  return readdirSync(path)
    .filter((name) => name !== "node_modules")
    .reduce((sum, name) => sum + bytesIn(join(path, name), left), 0);
}

/** The table of the packages with its last two columns replaced. */
function withSizes(text, sizes) {
  const lines = text.split("\n").map((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    const name = /^\[`([a-z0-9-]+)`\]\(packages\//.exec(cells[1] ?? "")?.[1];
    if (name !== undefined) return [cells[1], cells[2], size(sizes[name]), String(sizes[name]?.packages)];
    if (cells[1] === "Package") return [cells[1], cells[2], "Installed", "Packages it brings"];
    return line;
  });
  const rows = lines.filter(Array.isArray);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return lines
    .map((line, at) => {
      if (Array.isArray(line)) return `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
      if (!Array.isArray(lines[at - 1]) || !line.startsWith("| -")) return line;
      return `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
    })
    .join("\n");
}

function size({ kB } = { kB: 0 }) {
  return kB < 1000 ? `${kB} kB` : `${(kB / 1000).toFixed(1)} MB`;
}
