import { readFile } from "node:fs/promises";
import { CliError } from "../exit.ts";
import { systemCode } from "../files.ts";

/** Statements of a signature file, one to a line; none when there is no file yet. */
export async function readStatements(file: string): Promise<readonly string[]> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return "";
    throw new CliError(`${file} cannot be read (${systemCode(error)})`);
  });
  return text.split(/\s+/).filter((statement) => statement !== "");
}
