import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { verifyLedger } from "@wardline/audit-event";
import { afterEach, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const MAIN = join(ROOT, "dist/main.js");
const ANY_PORTS = { PORT: "0", BACKEND_PORT: "0", OAUTH_PORT: "0" };

beforeAll(async () => {
  const tsc = [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", ROOT];
  await promisify(execFile)(process.execPath, tsc).catch((error: { stdout: string }) => {
    throw new Error(`the example does not compile\n${error.stdout}`);
  });
});

const started: ChildProcess[] = [];
const listening: Server[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  for (const server of listening.splice(0)) server.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly status: number | null; readonly out: string; readonly err: string }>;
  readonly until: (text: string) => Promise<string>;
}

function start(args: readonly string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env["PATH"], ...ANY_PORTS, ...env } });
  started.push(child);
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const ended = new Promise<{ status: number | null; out: string; err: string }>((resolve) => {
    child.once("close", (status) => resolve({ status, out, err }));
  });
  const until = async (text: string) => {
    await expect.poll(() => out + err, { timeout: 15_000 }).toContain(text);
    return out;
  };
  return { child, ended, until };
}

describe("npm start -- --once", () => {
  it("makes every request of the tour as told, and ends with 0", async () => {
    const { status, out, err } = await start(["--once"]).ended;
    expect([status, err]).toEqual([0, ""]);
    expect(out).toContain("15 steps, all as told.");
    expect(out.match(/^✔ /gm)).toHaveLength(15);
    // No colour where nobody sees it.
    expect(out.includes("\u001b")).toBe(false);
  });
});

describe("npm start", () => {
  it("stays up for curl, ends on a signal that comes twice, and leaves a whole ledger", async () => {
    const folder = await mkdtemp(join(tmpdir(), "patient-access-"));
    folders.push(folder);
    const run = start([], { AUDIT_FOLDER: folder });
    const out = await run.until("stays up until Ctrl-C");
    const [, token] = /^ {2}TOKEN=(\S+)$/m.exec(out) ?? [];
    const [, url = ""] = /\$TOKEN" '(\S+\/Encounter)'/.exec(out) ?? [];
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect([answer.status, await answer.json()]).toMatchObject([200, { resourceType: "Bundle", entry: [{}] }]);

    run.child.kill("SIGINT");
    run.child.kill("SIGINT");
    const { status, err } = await run.ended;
    expect([status, err]).toEqual([0, ""]);
    expect(await verifyLedger(folder)).toMatchObject({ ok: true });
  });

  it("does not call a tour cut short a success", async () => {
    const run = start(["--once"]);
    await run.until("signs in");
    run.child.kill("SIGTERM");
    expect((await run.ended).status).not.toBe(0);
  });

  it("says which port is in use, and how to choose another", async () => {
    const server = createServer();
    listening.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { status, err } = await start(["--once"], { BACKEND_PORT: String(port) }).ended;
    expect(status).toBe(1);
    expect(err).toBe(`port ${port} for the backend is in use; stop what uses it, or set BACKEND_PORT to another\n`);
  });

  it.each([
    ["an unknown argument", ["--onec"], {}, 2, "npm start -- --once"],
    ["a port that is none", ["--once"], { PORT: "http" }, 1, "PORT is not a port: http"],
  ])("refuses %s", async (_what, args, env, expected, sentence) => {
    const { status, err } = await start(args, env).ended;
    expect([status, err.includes(sentence)]).toEqual([expected, true]);
  });
});
