import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { emptyFolder } from "./folders.ts";

interface Bundler {
  readonly build: (config: object) => Promise<unknown>;
}

/**
 * Makes a plain JavaScript file of `appender.ts` and what it imports, because the oldest Node we support does not read
 * TypeScript. The bundler is the test runner's own.
 */
export async function bundleAppender(): Promise<string> {
  const runner = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"));
  const { build } = (await import(pathToFileURL(runner.resolve("vite")).href)) as Bundler;
  const outDir = await emptyFolder();
  await build({
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["@wardline/source"] },
    ssr: { noExternal: true, resolve: { conditions: ["@wardline/source"] } },
    build: {
      ssr: fileURLToPath(new URL("./appender.ts", import.meta.url)),
      outDir,
      emptyOutDir: false,
      target: "node20",
      rolldownOptions: { output: { entryFileNames: "appender.mjs" } },
    },
  });
  return join(outDir, "appender.mjs");
}

export interface Child {
  readonly process: ChildProcess;
  /** What it has told so far, one parsed line each. */
  readonly told: Record<string, unknown>[];
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export function start(command: string, args: readonly string[]): Child {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], timeout: 15_000, killSignal: "SIGKILL" });
  const told: Record<string, unknown>[] = [];
  const lines = createInterface({ input: child.stdout });
  // A line that a kill cut short was not told.
  lines.on("line", (line) => {
    if (line.endsWith("}")) told.push(JSON.parse(line) as Record<string, unknown>);
  });
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]).then(([[code, signal]]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  return { process: child, told, ended };
}
