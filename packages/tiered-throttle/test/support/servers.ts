import type { RequestListener, Server, ServerOptions } from "node:http";
import { ask as askUrl, EXPRESS, type Answer as KitAnswer, listen as listenAt } from "@wardline-tools/test-kit";
import type { Express } from "express";

export { EXPRESS };

export interface Answer extends Pick<KitAnswer, "status" | "headers" | "code"> {
  readonly body: string;
}

/** Listens on a free loopback port until the test ends; gives the port. */
export async function listen(
  app: Express | RequestListener,
  options: ServerOptions = {},
  prepare?: (server: Server) => void,
): Promise<number> {
  const origin = await listenAt(app, { requireHostHeader: false, ...options }, prepare);
  return Number(new URL(origin).port);
}

/** One request whose header lines are sent as given, repeats included. */
export async function ask(
  port: number,
  sent: { method?: string; target?: string; headers?: readonly string[]; body?: string } = {},
): Promise<Answer> {
  const question = { target: "/fhir/Patient/1", headers: ["Host", "fhir.example.org"], ...sent };
  const { text, ...answer } = await askUrl(`http://127.0.0.1:${port}`, question);
  return { ...answer, body: text };
}
