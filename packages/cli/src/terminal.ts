import { once } from "node:events";
import { createInterface } from "node:readline/promises";

/** The world around a command, so that a test can be that world. */
export interface Terminal {
  /** Standard output: the answer, nothing else. Resolves when more may be written. */
  out(text: string): Promise<void>;
  /** Standard error: progress, warnings, errors. */
  err(text: string): void;
  /** Answers are for human eyes: colours. */
  readonly colours: boolean;
  /** Somebody watches standard error: progress bars. */
  readonly watched: boolean;
  /** Somebody can be asked. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The process's own terminal. Colours are off when piped or where `NO_COLOR` is set (https://no-color.org). */
export function processTerminal(): Terminal {
  const { stdout, stderr, stdin, env } = process;
  return {
    async out(text) {
      if (!stdout.write(text)) await once(stdout, "drain");
    },
    err: (text) => void stderr.write(text),
    colours: stdout.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
    watched: stderr.isTTY === true,
    ask: stdin.isTTY === true && stderr.isTTY === true ? askOnStandardError : undefined,
    environment: env,
    now: Date.now,
  };
}

/** Standard output stays clean, so that an answer can be piped while somebody is asked. */
async function askOnStandardError(question: string): Promise<string> {
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await dialogue.question(question)).trim();
  } finally {
    dialogue.close();
  }
}
