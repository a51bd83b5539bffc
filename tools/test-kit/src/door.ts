import type { RequestListener, Server, ServerOptions } from "node:http";
import type { Express } from "express";
import { type Answer, ask } from "./ask.ts";
import { listen } from "./servers.ts";

/** Listens without Node's own check of the host, which is the middleware's to make; gives the port. */
export async function listenOnPort(
  app: Express | RequestListener,
  options: ServerOptions = {},
  prepare?: (server: Server) => void,
): Promise<number> {
  const origin = await listen(app, { requireHostHeader: false, ...options }, prepare);
  return Number(new URL(origin).port);
}

/** One request to a FHIR server whose header lines are sent as given, repeats included. */
export function askPort(
  port: number,
  sent: {
    readonly method?: string;
    readonly target?: string;
    readonly headers?: readonly string[];
    readonly body?: string;
  } = {},
): Promise<Answer> {
  const question = { target: "/fhir/Patient/1", headers: ["Host", "fhir.example.org"], ...sent };
  return ask(`http://127.0.0.1:${port}`, question);
}
