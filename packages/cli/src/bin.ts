#!/usr/bin/env node
import { runCli } from "./run.ts";
import { processTerminal } from "./terminal.ts";

// Whoever reads our output may have seen enough: `wardline audit show | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 2));

const code = await runCli(process.argv.slice(2), processTerminal());
// Waits for what was written, and for nothing else: a pool's idle socket must not hold the process.
process.stdout.write("", () => process.exit(code));
