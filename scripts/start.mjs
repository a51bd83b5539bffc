// `npm start [-- --once]`: sets up what is missing, compiles what has changed, runs the patient-access example.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { build, ROOT, setUp } from "./setup.mjs";

setUp();
build("examples/patient-access");

const example = spawn(
  process.execPath,
  [join(ROOT, "examples/patient-access/dist/main.js"), ...process.argv.slice(2)],
  { stdio: "inherit" },
);
// The example ends itself in order; this process only waits for it.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => example.kill(signal));
example.once("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
