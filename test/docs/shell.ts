import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { endChild, ROOT } from "./support.ts";

/** What the reader of a page has before them. */
export interface ShellOptions {
  /** Where the reader stands. */
  readonly folder: string;
  /** Holds the stand-ins for programs; outside `folder`. */
  readonly programs: string;
  /** What a page writes, and what stands for it here: ports, hosts, folders of a real installation. */
  readonly replaced?: readonly (readonly [written: string, here: string])[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Servers: the page gives each a terminal of its own. A further edge ends the one before, whose port it takes. */
  readonly staysUp?: RegExp;
}

/** What one command did. */
export interface Ran {
  /** As the page has it. */
  readonly written: string;
  readonly command: string;
  /** Of a server, what it had printed when it was up. */
  readonly out: string;
  readonly err: string;
  /** Nothing of a server that stays up. */
  readonly code: number | null | undefined;
  /** Of the answers that `curl` got. */
  readonly statuses: readonly number[];
}

export interface Shell {
  /** Runs one command as `sh` does, in the folder in which the one before ended. */
  readonly run: (command: string) => Promise<Ran>;
  /** Variables that later commands find. */
  readonly environment: Record<string, string>;
  /** Ends the servers, in the order in which they started. */
  readonly close: () => Promise<void>;
}

const EDGE = /wardline serve |^node edge\.mjs/;
const WARDLINE = join(ROOT, "packages/cli/dist/bin.js");
const BUILD = join(ROOT, "scripts/build.mjs");

/** As they will be once the packages are installed. `curl` is the real one and says, besides, which status came. */
const PROGRAMS: Readonly<Record<string, string>> = {
  wardline: `exec "${process.execPath}" "${WARDLINE}" "$@"`,
  npx: `case "$1" in
  wardline) shift; exec "${process.execPath}" "${WARDLINE}" "$@" ;;
  *) echo "npx: no stand-in for $1" >&2; exit 127 ;;
esac`,
  npm: `[ "$1 $2" = "run build" ] || PATH="$REST" exec npm "$@"
shift 3
exec "${process.execPath}" "${BUILD}" "$@"`,
  curl: `PATH="$REST" exec curl --max-time 20 --write-out '%{stderr}\\nstatus %{http_code}\\n' "$@"`,
};

/** What asks by `curl` is skipped where it is not installed, and says so; a failure when `CI` is `true`. */
export const NO_CURL: boolean = process.env["CI"] !== "true" && spawnSync("curl", ["--version"]).status !== 0;
if (NO_CURL) console.warn("skipped: pages that ask by curl (curl is not installed)");

/** A block's commands: lines, with what continues them and the documents that stand in them. */
export function commandsIn(text: string): readonly string[] {
  const commands: string[] = [];
  let rest = "";
  for (const line of text.split("\n")) {
    const isNote = rest === "" && /^\s*(?:#|$)/.test(line);
    if (isNote) continue;
    rest += rest === "" ? line : `\n${line}`;
    const [, end] = /<<'?(\w+)'?/.exec(rest) ?? [];
    if (line.endsWith("\\") || (end !== undefined && line !== end)) continue;
    commands.push(rest);
    rest = "";
  }
  if (rest !== "") throw new Error(`this command has no end: ${rest}`);
  return commands;
}

export function openShell(options: ShellOptions): Shell {
  const { folder, programs, replaced = [], staysUp = /wardline serve / } = options;
  mkdirSync(programs, { recursive: true });
  for (const [name, text] of Object.entries(PROGRAMS)) {
    writeFileSync(join(programs, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(programs, name), 0o755);
  }
  const rest = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  const environment: Record<string, string> = { ...options.environment };
  const servers: { readonly command: string; readonly child: ChildProcess }[] = [];
  let cwd = folder;

  function start(script: string): ChildProcess {
    const env = { ...environment, HOME: folder, REST: rest, PATH: [programs, rest].join(delimiter) };
    return spawn("sh", ["-eu", "-c", script], { cwd, env, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  }

  async function run(written: string): Promise<Ran> {
    const command = replaced.reduce((text, [from, to]) => text.replaceAll(from, to), written);
    if (!staysUp.test(written)) {
      const ended = await watch(start(`trap 'pwd >&3' EXIT\n${command}`), false);
      cwd = ended.folder || cwd;
      return { written, command, ...ended, statuses: statusesIn(ended.err) };
    }
    if (EDGE.test(written)) {
      for (const one of servers.filter((server) => EDGE.test(server.command))) await endChild(one.child);
    }
    const child = start(`exec ${command}`);
    servers.push({ command: written, child });
    return { written, command, ...(await watch(child, true)), statuses: [] };
  }

  return {
    run,
    environment,
    close: async () => {
      for (const { child } of servers.reverse()) await endChild(child);
    },
  };
}

function statusesIn(err: string): readonly number[] {
  return [...err.matchAll(/^status (\d{3})$/gm)].map(([, status]) => Number(status));
}

type Watched = Pick<Ran, "out" | "err" | "code"> & { readonly folder: string };

/** Until the program ends or, of one that is to stay up, until it has said its first line. */
function watch(child: ChildProcess, staysUp: boolean): Promise<Watched> {
  return new Promise((resolve, reject) => {
    const heard = ["", "", ""];
    const tell = (code: number | null | undefined): void => {
      const [out = "", err = "", folder = ""] = heard;
      resolve({ out, err, code, folder: folder.trim() });
    };
    for (const [index, stream] of child.stdio.slice(1).entries()) {
      stream?.on("data", (piece: Buffer) => {
        heard[index] += piece.toString();
        if (staysUp && index === 0 && heard[0]?.includes("\n") === true) tell(undefined);
      });
    }
    child.once("error", reject);
    child.once("close", tell);
  });
}
