import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };

/** Uses and drops 32 buffers of an answer's size at a time, and tells the page faults for one. */
const SOURCE = `
import { readFileSync } from "node:fs";
import { keepFreedMemory } from ${JSON.stringify(join(import.meta.dirname, "../dist/express.js"))};

const faults = () => Number(readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ")[7]);
const turn = () => new Promise((resolve) => setImmediate(resolve));
const use = () => Array.from({ length: 32 }, () => Buffer.allocUnsafeSlow(60_000).fill(1)).length;
async function rounds() {
  for (let n = 0; n < 20; n++) {
    use();
    gc();
    await turn();
  }
}
keepFreedMemory();
gc();
await turn();
await rounds();
const start = faults();
await rounds();
console.log((faults() - start) / 20 / 32);
`;

it.skipIf(header.glibcVersionRuntime === undefined)(
  "memory of answers that have left serves those that follow, and is not fetched anew page by page (glibc)",
  () => {
    const file = join(mkdtempSync(join(tmpdir(), "heap-")), "faults.mjs");
    writeFileSync(file, SOURCE);
    const perBuffer = Number(execFileSync(process.execPath, ["--expose-gc", file], { encoding: "utf8" }));
    // Fifteen pages; without it up to thirteen are fetched anew, as the heap happens to lie.
    expect(perBuffer).toBeLessThan(4);
  },
);
