import type { ServeOptions } from "@wardline/gateway";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Terminal } from "../terminal.ts";
import type { ServedHere } from "./facts.ts";
import { serveHere } from "./local.ts";
import { tellReady } from "./ready.ts";
import { untilSignal } from "./signals.ts";

/** Runs the edge in this process until it is told to end. */
export async function serveOne(
  file: string,
  flags: { readonly port?: number; readonly json?: boolean },
  options: ServeOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  let served: ServedHere | undefined;
  // Before anything is open, so that an early signal ends what was begun instead of cutting it off.
  const ended = untilSignal(() => void served?.reload());
  served = await serveHere(file, flags.port === undefined ? {} : { port: flags.port }, options);
  await tellReady({ ...served.ready, workers: 1 }, flags.json === true, terminal);
  await ended;
  await served.close();
  return EXIT.fine;
}
