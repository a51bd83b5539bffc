import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type GatewayEvent, servePolicy } from "@wardline/gateway";

/** A served policy file, here or in a process of its own. */
export interface SoakedEdge {
  readonly url: string;
  /** Resident memory of its process, in bytes; `undefined` where it shares ours. */
  rssBytes(): number | undefined;
  /** What it told its operator. */
  readonly events: Pick<GatewayEvent, "level" | "code">[];
  stop(): Promise<void>;
}

export async function serveHere(policyFile: string): Promise<SoakedEdge> {
  const events: GatewayEvent[] = [];
  const served = await servePolicy(policyFile, { onEvent: (event) => events.push(event) });
  return { url: served.url, rssBytes: () => undefined, events, stop: () => served.close() };
}

/** `wardline serve`, as it is built. */
export async function serveApart(policyFile: string): Promise<SoakedEdge> {
  const bin = join(import.meta.dirname, "../../../packages/cli/dist/bin.js");
  const child = spawn(process.execPath, [bin, "serve", policyFile, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  const events: SoakedEdge["events"] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (line.startsWith("{")) events.push(JSON.parse(line) as GatewayEvent);
  });
  const url = await readyUrl(child);
  return {
    url,
    events,
    // The second number of `statm` is resident pages, of 4 KiB each.
    rssBytes: () => Number(readFileSync(`/proc/${child.pid}/statm`, "utf8").split(" ")[1]) * 4096,
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the edge ended with ${code}`)));
    if (child.stdout === null) throw new Error("the edge has no output");
    createInterface({ input: child.stdout }).once("line", (line) => resolve((JSON.parse(line) as { url: string }).url));
  });
}
