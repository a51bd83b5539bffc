import { stat } from "node:fs/promises";
import { localKeyRing } from "@wardline/audit-event";
import type { KeyProvider } from "@wardline/policy-types";
import type { Command } from "commander";
import { CliError } from "../exit.ts";

export interface RingFlags {
  readonly keyRing?: string;
  readonly passphraseEnv: string;
}

/** The flags that open an encrypted log. */
export function withRing(command: Command): Command {
  return command
    .option("--key-ring <file>", "opens an encrypted log")
    .option("--passphrase-env <name>", "variable that holds the ring's passphrase", "WARDLINE_PASSPHRASE");
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Makes a ring; gives its first key's id. */
export async function newRing(file: string, environment: Environment, variable: string): Promise<string> {
  if (await isThere(file)) throw new CliError(`${file} is there already; rotate it with \`wardline keys rotate ring\``);
  return (await localKeyRing({ file, passphrase: passphraseOf(environment, variable), create: true })).currentKeyId;
}

/** Adds a key; gives its id. */
export async function rotateRing(file: string, environment: Environment, variable: string): Promise<string> {
  if (!(await isThere(file))) throw new CliError(`${file} is not there; make it with \`wardline keys new ring\``);
  return (await localKeyRing({ file, passphrase: passphraseOf(environment, variable) })).rotate();
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

export async function openRing(file: string, environment: Environment, variable: string): Promise<KeyProvider> {
  return localKeyRing({ file, passphrase: passphraseOf(environment, variable) });
}

/** Never an argument: those are visible to every process of the machine. */
function passphraseOf(environment: Environment, variable: string): string {
  const passphrase = environment[variable];
  if (passphrase === undefined || passphrase === "") {
    throw new CliError(`set the passphrase in the variable ${variable}, or name another with --passphrase-env`);
  }
  return passphrase;
}
