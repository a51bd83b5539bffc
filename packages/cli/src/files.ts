import { chmod, open, readFile, rename, rm } from "node:fs/promises";
import { parse } from "yaml";
import { CliError } from "./exit.ts";

export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CliError(`${file} cannot be read (${systemCode(error)}); check the path`);
  }
}

/** YAML or JSON: every JSON text is YAML too. */
export async function readStructured(file: string): Promise<unknown> {
  return parseStructured(await readText(file), file);
}

/** A JSON value given in place, or the path of a YAML or JSON file. */
export async function readValue(given: string, option: string): Promise<unknown> {
  return /^\s*[[{"]/.test(given) ? parseStructured(given, option) : readStructured(given);
}

function parseStructured(text: string, name: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 }) as unknown;
  } catch {
    throw new CliError(`${name} is neither YAML nor JSON; check its syntax`);
  }
}

/** Writes a file that must not be there yet. */
export async function writeNew(file: string, text: string, mode = 0o644): Promise<void> {
  try {
    const handle = await open(file, "wx", mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === "EEXIST") throw new CliError(`${file} is there already; nothing was overwritten`);
    throw new CliError(`${file} cannot be written (${systemCode(error)})`);
  }
}

/** Puts a new content in a file's place, whole or not at all. */
export async function replaceText(file: string, text: string): Promise<void> {
  const aside = `${file}.${process.pid}.new`;
  await writeNew(aside, text);
  try {
    await chmod(aside, 0o644);
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true });
    throw new CliError(`${file} cannot be written (${systemCode(error)})`);
  }
}

export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}
