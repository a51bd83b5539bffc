import { type Command, InvalidArgumentError } from "commander";
import type { ExitCode } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** What every group of commands gets. */
export interface Commands {
  readonly program: Command;
  readonly terminal: Terminal;
  /** A command's answer, when it is not `fine`. */
  readonly exit: (code: ExitCode) => void;
}

/** An example under the options: what most people come to the help for. */
export function example(...lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  $ ${line}\n`).join("")}`;
}

/** For options that count something. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("Write a whole number.");
  return value;
}

export function positive(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("Write a whole number above 0.");
  return value;
}

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
