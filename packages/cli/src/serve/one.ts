import type { ServeOptions } from "@wardline/gateway";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Terminal } from "../terminal.ts";
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
  const served = await serveHere(file, flags.port === undefined ? {} : { port: flags.port }, options);
  const ended = untilSignal(() => void served.reload());
  await tellReady({ ...served.ready, workers: 1 }, flags.json === true, terminal);
  await ended;
  await served.close();
  return EXIT.fine;
}
