import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Health } from "./health.ts";

/**
 * The operator's listener, apart from the clients' and by default on loopback: `/healthz` (the process answers) and
 * `/readyz` (it may be sent requests; 503 when not). Answers nothing else.
 */
export function openAdmin(health: Health): Server {
  return createServer({ maxHeaderSize: 8_192, requestTimeout: 5_000 }, (req, res) => answer(req, res, health));
}

function answer(req: IncomingMessage, res: ServerResponse, health: Health): void {
  const isRead = req.method === "GET" || req.method === "HEAD";
  if (isRead && req.url === "/healthz") send(res, 200, { status: "up" });
  else if (isRead && req.url === "/readyz") {
    const readiness = health.readiness();
    send(res, readiness.status === "ready" ? 200 : 503, readiness);
  } else send(res, 404, { status: "unknown" });
}

function send(res: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": bytes.length,
    "Cache-Control": "no-store",
    Connection: "close",
  });
  res.end(bytes);
}
