import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type ExitCode, runCli, type Terminal } from "../../src/index.ts";

export interface Run {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, at a terminal that is piped and asks nobody unless told otherwise. */
export async function run(args: readonly string[], given: Partial<Terminal> = {}): Promise<Run> {
  let out = "";
  let err = "";
  const code = await runCli(args, {
    out: (text) => {
      out += text;
      return Promise.resolve();
    },
    err: (text) => {
      err += text;
    },
    colours: false,
    watched: false,
    ask: undefined,
    environment: {},
    now: Date.now,
    ...given,
  });
  return { code, out, err };
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
