import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll } from "vitest";
import type { GatewayWish } from "./gateway.ts";
import { emptyFolder } from "./queues.ts";

interface Bundler {
  readonly build: (config: object) => Promise<unknown>;
}

export function bundleGateway(): Promise<string> {
  return bundle(new URL("./gateway.ts", import.meta.url));
}

/** One plain JavaScript file of a program, because the oldest Node we support does not read TypeScript. */
export async function bundle(program: URL): Promise<string> {
  const runner = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"));
  const { build } = (await import(pathToFileURL(runner.resolve("vite")).href)) as Bundler;
  const outDir = await emptyFolder();
  await build({
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["@wardline/source"] },
    ssr: { noExternal: true, resolve: { conditions: ["@wardline/source"] } },
    build: {
      ssr: fileURLToPath(program),
      outDir,
      emptyOutDir: false,
      target: "node20",
      rolldownOptions: { output: { entryFileNames: "program.mjs", codeSplitting: false } },
    },
  });
  return join(outDir, "program.mjs");
}

export interface Gateway {
  readonly process: ChildProcess;
  readonly told: Record<string, unknown>[];
  readonly origin: () => string | undefined;
  /** SIGKILL; resolves when the process is gone. */
  readonly kill: () => Promise<void>;
}

const open: ChildProcess[] = [];
afterAll(() => {
  for (const child of open) child.kill("SIGKILL");
});

export function startGateway(script: string, wish: GatewayWish): Gateway {
  const child = spawn(process.execPath, [script, JSON.stringify(wish)], { stdio: ["ignore", "pipe", "inherit"] });
  open.push(child);
  const told: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    // A line that a kill cut short was not told.
    if (line.endsWith("}")) told.push(JSON.parse(line) as Record<string, unknown>);
  });
  const gone = once(child, "exit");
  return {
    process: child,
    told,
    origin: () => {
      const port = told.find((fact) => fact["port"] !== undefined)?.["port"];
      return port === undefined ? undefined : `http://127.0.0.1:${Number(port)}`;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
