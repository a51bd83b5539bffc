import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { Commands } from "./commands.ts";
import { type ExitCode, MEANS_NO } from "./exit.ts";
import { inPackage } from "./folder.ts";
import { painter } from "./output.ts";
import type { Terminal } from "./terminal.ts";

const FIRST_STEPS = `
First steps:
  $ wardline init edge --upstream https://ehr.example/r4 --issuer https://id.example
  $ wardline policy lint edge/policy.yaml
  $ wardline serve edge/policy.yaml

Exit codes: 0 fine; 1 refused, not intact or failed rows; 2 usage or configuration.
Every command takes --json. Colours are off when piped or with NO_COLOR set.
`;

type Add = (commands: Commands) => void;

/** In the order of the help. Read when they are asked for: a start of the edge has no use for the rest. */
const GROUPS: readonly (readonly [words: readonly string[], load: () => Promise<Add>])[] = [
  [["init"], async () => (await import("./init/command.ts")).addInit],
  [["serve"], async () => (await import("./serve/command.ts")).addServe],
  [["policy"], async () => (await import("./policy/command.ts")).addPolicy],
  [["keys"], async () => (await import("./keys/command.ts")).addKeys],
  [["audit"], async () => (await import("./audit/command.ts")).addAudit],
  [["inventory", "metrics"], async () => (await import("./inventory/command.ts")).addInventory],
  [["abuse"], async () => (await import("./abuse/command.ts")).addAbuse],
  [["evidence"], async () => (await import("./evidence/command.ts")).addEvidence],
];

/** With the commands that begin with the first of `args`; with all of them where none does, for help and for hints. */
export async function createProgram(
  args: readonly string[],
  terminal: Terminal,
  exit: (code: ExitCode) => void,
): Promise<Command> {
  const asked = GROUPS.filter(([words]) => words.includes(args[0] ?? ""));
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
  for (const [, load] of asked.length === 0 ? GROUPS : asked) (await load())(commands);
  for (const command of program.commands) tellExitCodes(command, command.name());
  return program;
}

function tellExitCodes(command: Command, words: string): void {
  for (const child of command.commands) tellExitCodes(child, `${words} ${child.name()}`);
  if (command.commands.length > 0) return;
  const no = MEANS_NO[words]?.replaceAll("`", "");
  command.addHelpText("after", `\nExit codes: 0 fine; ${no === undefined ? "" : `1 ${no}; `}2 usage or configuration.`);
}

function ownVersion(): string {
  const text = readFileSync(inPackage("package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
