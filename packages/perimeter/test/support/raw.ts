import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { type Answer, codeIn } from "@wardline-tools/test-kit";

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
  return {
    status: Number(start.split(" ")[1] ?? 0),
    headers,
    bytes: Buffer.from(body, "latin1"),
    text: body,
    code: codeIn(body),
  };
}
