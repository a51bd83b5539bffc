import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Printed, pipedTerminal } from "@wardline-tools/test-kit";
import { afterEach, beforeEach } from "vitest";
import { type ExitCode, runCli, type Terminal } from "../../src/index.ts";

export interface Run extends Printed {
  readonly code: ExitCode;
}

/** Runs a command line in this process, at a terminal that is piped and asks nobody unless told otherwise. */
export async function run(args: readonly string[], given: Partial<Terminal> = {}): Promise<Run> {
  const [terminal, printed] = pipedTerminal();
  const code = await runCli(args, { ...terminal, ...given });
  return { code, ...printed() };
}

/** A folder for each test, gone afterwards. */
export function testFolder(): (name?: string) => string {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cli-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  return (name = "") => join(folder, name);
}
