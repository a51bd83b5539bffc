export { buildEvidence, type Evidence, type EvidenceRow } from "./evidence/build.ts";
export { EXIT, type ExitCode } from "./exit.ts";
export { runCli } from "./run.ts";
export { processTerminal, type Terminal } from "./terminal.ts";
