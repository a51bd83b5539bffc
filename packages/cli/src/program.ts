import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addAbuse } from "./abuse/command.ts";
import { addAudit } from "./audit/command.ts";
import type { Commands } from "./commands.ts";
import { addEvidence } from "./evidence/command.ts";
import type { ExitCode } from "./exit.ts";
import { addInit } from "./init/command.ts";
import { addInventory } from "./inventory/command.ts";
import { addKeys } from "./keys/command.ts";
import { painter } from "./output.ts";
import { addPolicy } from "./policy/command.ts";
import { addServe } from "./serve/command.ts";
import type { Terminal } from "./terminal.ts";

const FIRST_STEPS = `
First steps:
  $ wardline init edge --upstream https://ehr.example/r4 --issuer https://id.example
  $ wardline policy lint edge/policy.yaml
  $ wardline serve edge/policy.yaml

Exit codes: 0 fine; 1 refused, not intact or failed rows; 2 usage or configuration.
Every command takes --json. Colours are off when piped or with NO_COLOR set.
`;

export function createProgram(terminal: Terminal, exit: (code: ExitCode) => void): Command {
  const paint = painter(terminal);
  const program = new Command("wardline")
    .description("Guards a FHIR API: starts the edge, judges its policy, keeps its keys, reads its audit log.")
    .version(ownVersion(), "--version", "the version of this program")
    .helpOption("-h, --help", "this help")
    .addHelpText("after", FIRST_STEPS)
    .showHelpAfterError("(add --help for usage and an example)")
    .configureOutput({
      writeOut: (text) => void terminal.out(text),
      writeErr: (text) => terminal.err(text),
      getOutHasColors: () => terminal.colours,
      getErrHasColors: () => terminal.colours,
    })
    .configureHelp({ sortSubcommands: false, styleTitle: (title) => paint("bold", title) })
    .exitOverride();
  const commands: Commands = { program, terminal, exit };
  addInit(commands);
  addServe(commands);
  addPolicy(commands);
  addKeys(commands);
  addAudit(commands);
  addInventory(commands);
  addAbuse(commands);
  addEvidence(commands);
  return program;
}

function ownVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
