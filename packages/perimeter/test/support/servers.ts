import type { IncomingHttpHeaders, RequestListener, Server, ServerOptions } from "node:http";
import { connect } from "node:net";
import { ask as askUrl, codeIn, EXPRESS, type Answer as KitAnswer, listen as listenAt } from "@wardline-tools/test-kit";
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

/** Sends bytes as they are and gives everything the server says until it closes the connection. */
export function sendRaw(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.once("error", () => undefined);
    socket.once("close", () => resolve(text));
  });
}

/** Reads one raw answer. */
export function parseRaw(text: string): Answer {
  const [head = "", body = ""] = text.split("\r\n\r\n", 2);
  const [start = "", ...lines] = head.split("\r\n");
  const headers: IncomingHttpHeaders = Object.fromEntries(
    lines.map((line): [string, string] => [line.replace(/:.*/, "").toLowerCase(), line.replace(/^[^:]*: */, "")]),
  );
  return { status: Number(start.split(" ")[1] ?? 0), headers, body, code: codeIn(body) };
}
