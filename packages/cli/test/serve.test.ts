import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parsePolicy } from "@wardline/gateway";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { record, writeLedger } from "./support/ledger.ts";
import { run, testFolder } from "./support/terminal.ts";

const BIN = fileURLToPath(new URL("../dist/bin.js", import.meta.url));
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const TSC = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
/** Several processes start on a busy machine. */
const PATIENCE = 60_000;
const poll = { timeout: PATIENCE };

// The program as it is installed: the oldest Node we support reads no TypeScript.
beforeAll(() => {
  const { status, stdout } = spawnSync(process.execPath, [TSC, "-b", PACKAGE], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the program does not compile: ${stdout}`);
}, PATIENCE);

const folder = testFolder();
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

interface Served {
  readonly child: ChildProcess;
  out: string;
  err: string;
}

function serve(...args: readonly string[]): Served {
  const child = spawn(process.execPath, [BIN, "serve", folder("policy.yaml"), ...args], { cwd: folder() });
  children.push(child);
  const served: Served = { child, out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    served.out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    served.err += text;
  });
  return served;
}

const DEVELOPMENT =
  "development: true\nupstream: http://127.0.0.1:9/r4\nissuer: http://127.0.0.1:9\nadmin: { port: 0 }\n";
const PRODUCTION = "upstream: https://ehr.example/r4\nissuer: https://id.example\n";
const write = (text: string): Promise<void> => writeFile(folder("policy.yaml"), text);

interface Ready {
  readonly url: string;
  readonly port: number;
  readonly policyVersion: string;
}

async function ready(served: Served): Promise<Ready> {
  await expect.poll(() => served.out + (served.child.exitCode ?? ""), poll).not.toBe("");
  return JSON.parse(served.out) as Ready;
}

async function end({ child }: Served, signal: NodeJS.Signals): Promise<number | null> {
  const ended = once(child, "exit");
  child.kill(signal);
  return ((await ended) as [number | null])[0];
}

describe("wardline serve", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "F15: prints one line when ready and ends with 0 on %s, its log intact",
    async (signal) => {
      await write(DEVELOPMENT);
      const served = serve("--port", "0", "--json");
      const { url, port, policyVersion } = await ready(served);
      expect(JSON.parse(served.out)).toEqual({
        ready: true,
        url,
        port,
        adminPort: expect.any(Number) as number,
        policyVersion: parsePolicy(DEVELOPMENT).version,
      });
      expect(policyVersion).toHaveLength(64);
      expect((await fetch(`${url}/fhir/Patient/a`)).status).toBe(401);
      expect(served.err).toContain("DEVELOPMENT");
      expect(await end(served, signal)).toBe(0);
      expect(served.out.trim().split("\n")).toHaveLength(1);
      expect(await run(["audit", "verify", folder("wardline-audit")])).toMatchObject({ code: 0 });
      expect((await run(["audit", "show", folder("wardline-audit")])).out).toContain("401");
    },
    PATIENCE,
  );

  it(
    "F11: on SIGHUP takes a good policy and keeps the running one over a bad one",
    async () => {
      await write(DEVELOPMENT);
      const served = serve("--port", "0", "--json", "--no-watch");
      await ready(served);
      await write("routes: [");
      served.child.kill("SIGHUP");
      await expect.poll(() => served.err, poll).toContain("gateway/policy-refused");
      await write(`${DEVELOPMENT}door: { limit: 7 }\n`);
      served.child.kill("SIGHUP");
      await expect.poll(() => served.err, poll).toContain("gateway/policy-changed");
      expect(await end(served, "SIGTERM")).toBe(0);
    },
    PATIENCE,
  );

  it(
    "shares a port between workers, each with a log of its own",
    async () => {
      await write(DEVELOPMENT);
      const served = serve("--port", "0", "--json", "--workers", "2");
      const { url } = await ready(served);
      expect((await fetch(`${url}/fhir/Patient/a`)).status).toBe(401);
      expect(await end(served, "SIGTERM")).toBe(0);
      expect(readdirSync(folder("wardline-audit")).sort()).toEqual(["edge-1", "edge-2"]);
      for (const instance of ["edge-1", "edge-2"]) {
        expect(await run(["audit", "verify", folder(`wardline-audit/${instance}`)])).toMatchObject({ code: 0 });
      }
    },
    PATIENCE,
  );

  it(
    "F11: starts a signed policy on another port, under the version that was signed",
    async () => {
      await write(PRODUCTION);
      const jwks = folder("jwks.json");
      await run(["keys", "new", "policy", "--key-id", "anna", "--out", folder("anna.json"), "--jwks", jwks]);
      await run(["policy", "sign", folder("policy.yaml"), "--key", folder("anna.json")]);
      const served = serve("--port", "0", "--json", "--keys", jwks);
      expect((await ready(served)).policyVersion).toBe(parsePolicy(PRODUCTION).version);
      expect(served.err).not.toContain("DEVELOPMENT");
      expect(await end(served, "SIGTERM")).toBe(0);
    },
    PATIENCE,
  );

  it.each<[string, string, readonly string[], RegExp]>([
    ["F11: an unsigned policy", PRODUCTION, [], /public keys of those who may approve/],
    ["F11: an unsigned policy on another port", PRODUCTION, ["--port", "0"], /--keys/],
    ["a policy with a mistake", `${DEVELOPMENT}lisen: {}`, [], /did you mean|lisen/],
    ["half a checkpoint key", DEVELOPMENT, ["--checkpoint-key", "x"], /belong together/],
  ])(
    "does not start %s, and exits with 2",
    async (_what, text, args, message) => {
      await write(text);
      const served = serve("--json", ...args);
      const [code] = (await once(served.child, "exit")) as [number];
      await expect.poll(() => served.err).toMatch(message);
      expect(served.out).toBe("");
      expect(code).toBe(2);
    },
    PATIENCE,
  );
});

describe("a command whose reader has gone", () => {
  it(
    "A15: does not say that a changed log is intact",
    async () => {
      await writeLedger(folder("audit"), [record()]);
      const [segment = ""] = readdirSync(folder("audit")).filter((name) => name.endsWith(".jsonl"));
      await appendFile(join(folder("audit"), segment), "no entry\n");
      const child = spawn(process.execPath, [BIN, "audit", "verify", folder("audit")]);
      children.push(child);
      child.stdout.destroy();
      expect(await once(child, "exit")).toEqual([1, null]);
    },
    PATIENCE,
  );
});
