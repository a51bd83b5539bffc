import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, utimesSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";

/** A real redis-server of this test file's own. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** SIGSTOP: the socket stays open and nothing is answered. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts again on the same port, empty unless persistence was asked for. */
  restart(): Promise<void>;
}

const INSTALLED = spawnSync("redis-server", ["--version"]).status === 0;

/** `describe` where redis-server is installed. Without it: skipped, saying so; a failure when `CI` is `true`. */
export function describeWithRedis(name: string, body: () => void): void {
  if (INSTALLED || process.env["CI"] === "true") {
    describe(name, body);
    return;
  }
  console.warn(`skipped: ${name} (redis-server is not installed)`);
  describe.skip(name, body);
}

/** Killed when this process ends, however it ends and wherever they were started. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts redis-server on a free loopback port until the test file ends. Call it at the top of a file or in a test. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  if (!INSTALLED) throw new Error("redis-server is not installed, and these tests need it");
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "wardline-redis-"));
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const fixed = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
    const started = spawn("redis-server", [...fixed, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    started.stdout.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-1000);
    });
    child = started;
    running.add(started);
    started.once("exit", () => running.delete(started));
    await answering(port, () => {
      if (started.exitCode !== null) throw new Error(`redis-server ended before it answered: ${said}`);
    });
  };
  const kill = async (): Promise<void> => {
    const current = child;
    if (current === undefined || current.exitCode !== null || current.signalCode !== null) return;
    const gone = new Promise((resolve) => current.once("exit", resolve));
    current.kill("SIGKILL");
    await gone;
  };
  await start();
  afterAll(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    kill,
    restart: async () => {
      await kill();
      await start();
    },
  };
}

/** Below the ports that systems give to whoever asks for any, so that nobody takes it in the meantime unless asking for it by name. */
const PORTS = { from: 12_000, count: 20_000 } as const;

const TAKEN = join(tmpdir(), "wardline-test-ports");
/** Longer than any run of tests. */
const TAKEN_MS = 3_600_000;

/** A loopback port that nobody listens on, and that no other test is given within the hour. */
export async function freePort(): Promise<number> {
  mkdirSync(TAKEN, { recursive: true });
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = PORTS.from + randomInt(PORTS.count);
    if (take(port) && (await isFree(port))) return port;
  }
  throw new Error("a hundred ports in a row are taken");
}

function take(port: number): boolean {
  const file = join(TAKEN, String(port));
  try {
    closeSync(openSync(file, "wx"));
    return true;
  } catch {
    if (Date.now() - statSync(file).mtimeMs < TAKEN_MS) return false;
    utimesSync(file, new Date(), new Date());
    return true;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** @param check throws where it cannot answer any more */
async function answering(port: number, check: () => void): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (await pings(port)) return;
    check();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("redis-server did not answer within ten seconds");
}

function pings(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" }, () => socket.write("PING\r\n"));
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("data", (data) => settle(data.toString().startsWith("+PONG")));
    socket.once("error", () => settle(false));
    socket.setTimeout(500, () => settle(false));
  });
}
