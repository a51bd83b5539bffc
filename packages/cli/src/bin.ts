#!/usr/bin/env node
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

// Node 22 and later: what was compiled once is read the next time. Kept beside the code, where only whoever may change the code
// may write; where nobody may, nothing is kept.
const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(fileURLToPath(new URL(".compiled", import.meta.url)));

const [{ runTelling }, { processTerminal }] = await Promise.all([import("./run.ts"), import("./terminal.ts")]);

// Whoever reads our output may have seen enough: `wardline audit show | head`. What was found by then is the answer all the same.
let answer = 0;
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? answer : 2));

const code = await runTelling(process.argv.slice(2), processTerminal(), (found) => {
  answer = found;
});
// Waits for what was written, and for nothing else: a pool's idle socket must not hold the process.
process.stdout.write("", () => process.exit(code));
