import { ConfigurationError, DependencyError } from "@wardline/policy-types";
import { CommanderError } from "commander";
import { CliError, EXIT, type ExitCode } from "./exit.ts";
import { systemCode } from "./files.ts";
import { jsonLine, painter, shown } from "./output.ts";
import { createProgram } from "./program.ts";
import type { Terminal } from "./terminal.ts";

/** Runs one command line, without the program's name, and gives its exit code. Never rejects. */
export function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  return runTelling(args, terminal, () => undefined);
}

/** The same. `onAnswer` hears of an exit code before what goes with it is written. */
export async function runTelling(
  args: readonly string[],
  terminal: Terminal,
  onAnswer: (code: ExitCode) => void,
): Promise<ExitCode> {
  let answer: ExitCode = EXIT.fine;
  try {
    const program = await createProgram(args, terminal, (code) => {
      answer = code;
      onAnswer(code);
    });
    await program.parseAsync([...args], { from: "user" });
    return answer;
  } catch (error) {
    // Help and version end in this way too; commander has said what there is to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    terminal.err(renderError(error, args.includes("--json"), terminal));
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  return error instanceof DependencyError ? EXIT.no : EXIT.usage;
}

function renderError(error: unknown, json: boolean, terminal: Terminal): string {
  if (json) return jsonLine(errorFacts(error));
  const paint = painter({ colours: terminal.colours && terminal.watched });
  const lines = messageOf(error).split("\n").map(shown);
  return `${paint("red", "error:")} ${lines.join("\n")}\n`;
}

function errorFacts(error: unknown): object {
  if (error instanceof ConfigurationError) {
    return { error: messageOf(error).split("\n")[0], code: error.code, issues: error.issues };
  }
  const code = error instanceof Error && "code" in error ? { code: systemCode(error) } : {};
  return { error: messageOf(error), ...code };
}

/** No stack: it helps whoever wrote this program, not whoever runs it. */
function messageOf(error: unknown): string {
  if (error instanceof DependencyError) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : "something that is no error was thrown";
}
