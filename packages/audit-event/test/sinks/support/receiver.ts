import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";
import { type Certified, selfSigned } from "./certificate.ts";

const running: Server[] = [];
afterEach(() => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** One request as it came in, whole. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What a receiver does with a request: take it and answer, or misbehave. */
export type Behaviour = "take" | "fail" | "hang" | "busy" | "take-and-lose-the-answer" | "redirect" | "refuse";

export interface Receiver {
  readonly url: string;
  readonly identity: Certified;
  readonly received: Received[];
  /** What the next requests meet, in order; then they are taken. */
  readonly script: Behaviour[];
}

/** An HTTPS server on loopback that misbehaves by script. `take` stores a request and gives the answer's body. */
export async function receiver(take: (got: Received) => object | string, script: Behaviour[] = []): Promise<Receiver> {
  const identity = selfSigned();
  const received: Received[] = [];
  const server = createServer(identity, (req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.once("end", () => {
      const got = { path: req.url ?? "", headers: req.headers, body: Buffer.concat(chunks).toString() };
      received.push(got);
      behave(script.shift() ?? "take", got, res);
    });
  });
  const behave = (how: Behaviour, got: Received, res: ServerResponse): void => {
    if (how === "hang") return;
    if (how === "fail") return void res.writeHead(500).end("oops");
    if (how === "refuse") return void res.writeHead(401).end("no");
    if (how === "redirect") return void res.writeHead(307, { Location: "https://127.0.0.1:1/" }).end();
    if (how === "busy") return void res.writeHead(429, { "Retry-After": "1" }).end();
    const answer = take(got);
    if (how === "take-and-lose-the-answer") return void res.destroy();
    const collectorRefuses = typeof answer === "object" && "code" in answer && answer.code !== 0;
    res.writeHead(collectorRefuses ? 400 : 200, { "Content-Type": "application/json" });
    res.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  };
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, identity, received, script };
}
