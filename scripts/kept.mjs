// What earlier runs of a benchmark found: the last few that were kept with `--keep` stand beside it in `<its name>.kept.json`. Absolute
// figures of two machines, or of two hours of one, say nothing beside each other; ratios within a run do.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { QUICK } from "./quick.mjs";

const MOST_RUNS = 5;
/** Worse than this beside the kept runs is told: what is less, the machine's own moods explain. */
const TOLD = 1.2;

/** What the figures depend on besides the code. */
export function facts() {
  return {
    at: new Date().toISOString(),
    node: process.version,
    processor: `${availableParallelism()} x ${cpus()[0]?.model}`,
    // At the end of the run: much above what the run itself needs, somebody else was using the machine.
    load: loadavg().map((one) => Math.round(one * 1000) / 1000),
  };
}

/** @param url `import.meta.url` of the benchmark */
export function keptRuns(url) {
  const file = fileOf(url);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).runs : [];
}

/** With `--keep`, and not `--quick`: the newest first, the oldest gives way. */
export function keepRun(url, run) {
  if (QUICK || !process.argv.includes("--keep")) return;
  const runs = [run, ...keptRuns(url)].slice(0, MOST_RUNS);
  writeFileSync(fileOf(url), `${JSON.stringify({ runs }, undefined, 2)}\n`);
}

/**
 * Tells of each figure that is a fifth worse than in the median of the kept runs, so that no regression is silent.
 *
 * @param now by name, ratios within this run of which less is better
 * @param kept the same of each kept run
 */
export function tellRegressions(now, kept) {
  if (QUICK) return;
  const worse = Object.entries(now).flatMap(([name, figure]) => {
    const before = median(kept.map((one) => one[name]).filter(Number.isFinite));
    return before !== undefined && figure > before * TOLD
      ? [`${name}: ${figure.toFixed(2)}, was ${before.toFixed(2)}`]
      : [];
  });
  const beside = `the median of ${kept.length} kept runs`;
  if (kept.length === 0) console.log("no run was kept to compare with");
  else if (worse.length === 0) console.log(`nothing is ${TOLD} times what it was in ${beside}`);
  else console.log(`WORSE than ${TOLD} times ${beside}:\n  ${worse.join("\n  ")}`);
}

/** For a benchmark whose figures are all there is to a run. */
export function noteFigures(url, figures) {
  tellRegressions(
    figures,
    keptRuns(url).map((run) => run.figures),
  );
  const rounded = Object.entries(figures).map(([name, figure]) => [name, Math.round(figure * 1000) / 1000]);
  keepRun(url, { ...facts(), figures: Object.fromEntries(rounded) });
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function fileOf(url) {
  return fileURLToPath(url).replace(/\.bench\.mjs$/, ".kept.json");
}
