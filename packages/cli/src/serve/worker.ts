import cluster from "node:cluster";
import type { ServeOptions } from "@wardline/gateway";
import { EXIT, type ExitCode } from "../exit.ts";
import type { LocalFacts } from "./facts.ts";
import { serveHere } from "./local.ts";
import { untilSignal } from "./signals.ts";

/** Set by the primary for each worker. */
export const FACTS = "WARDLINE_WORKER";

/** Runs one of several processes that share a port; the primary says when to reload and when to end. */
export async function serveWorker(file: string, options: ServeOptions): Promise<ExitCode> {
  const facts = JSON.parse(process.env[FACTS] ?? "{}") as LocalFacts;
  // Files are followed by the primary, so that all processes change at once.
  // The terminal's own signals reach every process; a hangup is the primary's to pass on.
  const ended = untilSignal(() => undefined);
  const served = await serveHere(file, facts, { ...options, watch: false });
  process.on("message", (message) => {
    if (message === "reload") void served.reload();
  });
  process.send?.({ ready: served.ready });
  await ended;
  await served.close();
  if (cluster.worker?.isConnected() === true) cluster.worker.disconnect();
  return EXIT.fine;
}
