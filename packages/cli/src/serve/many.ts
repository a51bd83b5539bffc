import cluster, { type Worker } from "node:cluster";
import { createServer } from "node:net";
import { loadPolicy } from "@wardline/gateway";
import { CliError, EXIT, type ExitCode } from "../exit.ts";
import type { Terminal } from "../terminal.ts";
import type { LocalFacts, ServedHere } from "./facts.ts";
import { follow } from "./follow.ts";
import { tellReady } from "./ready.ts";
import { untilSignal } from "./signals.ts";
import { FACTS } from "./worker.ts";

interface ManyFlags {
  readonly workers: number;
  readonly port?: number;
  readonly signature?: string;
  readonly watch: boolean;
  readonly json?: boolean;
}

const RESTART_MS = 1000;

/**
 * Runs the edge in several processes on one port. One that dies is replaced after a pause; when one cannot start in the
 * first place, all end.
 */
export async function serveMany(file: string, flags: ManyFlags, terminal: Terminal): Promise<ExitCode> {
  const { policy } = await loadPolicy(file);
  const port = flags.port ?? policy.listen?.port;
  // Every process must know the one port before it starts.
  const shared = port === 0 ? await freePort(policy.listen?.host ?? "127.0.0.1") : flags.port;
  let ending = false;
  const start = (worker: number): Worker => {
    const facts: LocalFacts = { worker, ...(shared === undefined ? {} : { port: shared }) };
    const child = cluster.fork({ [FACTS]: JSON.stringify(facts) });
    child.once("exit", (code) => {
      if (ending || !running) return;
      terminal.err(
        `${JSON.stringify({ level: "error", code: "cli/worker-ended", message: "a worker ended and is replaced", facts: { worker, exit: code } })}\n`,
      );
      setTimeout(() => ending || start(worker), RESTART_MS).unref();
    });
    return child;
  };
  let running = false;
  const first = Array.from({ length: flags.workers }, (_, index) => start(index + 1));
  const tellAll = (message: string): void => {
    for (const worker of Object.values(cluster.workers ?? {})) if (worker?.isConnected()) worker.send(message);
  };
  const endAll = async (): Promise<void> => {
    ending = true;
    const left = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    await Promise.all(
      left.map((worker) => {
        const gone = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
        worker.process.kill("SIGTERM");
        return gone;
      }),
    );
  };

  const ended = untilSignal(() => tellAll("reload"));
  const ready = await Promise.race([Promise.all(first.map(readyOf)), ended]);
  if (ready === undefined || ready.some((one) => one === undefined)) {
    await endAll();
    if (ready === undefined) return EXIT.fine;
    throw new CliError("a worker could not start; what was wrong stands above");
  }
  running = true;
  const [facts] = ready;
  if (facts !== undefined) await tellReady({ ...facts, workers: flags.workers }, flags.json === true, terminal);
  const watchers = flags.watch
    ? [file, flags.signature ?? `${file}.sig`].map((path) => follow(path, () => tellAll("reload")))
    : [];
  await ended;
  for (const watcher of watchers) watcher?.close();
  await endAll();
  return EXIT.fine;
}

/** What a worker tells when it listens; nothing when it ends before. */
function readyOf(worker: Worker): Promise<ServedHere["ready"] | undefined> {
  return new Promise((resolve) => {
    worker.on("message", (message: { ready?: ServedHere["ready"] }) => {
      if (message.ready !== undefined) resolve(message.ready);
    });
    worker.once("exit", () => resolve(undefined));
  });
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", () => reject(new CliError(`no port can be had on ${host}`)));
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === "object" ? address.port : 0));
    });
  });
}
