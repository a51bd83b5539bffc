import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Answer = (req: IncomingMessage, res: ServerResponse, body: string) => void;

/** A FHIR server that trusts everybody: it answers whatever it is asked, as most do. */
export interface Backend {
  readonly url: string;
  /** `METHOD target` of every request that arrived. */
  readonly asked: string[];
  readonly bodies: string[];
  readonly headers: IncomingMessage["headers"][];
  answer: Answer;
  readonly resources: Map<string, Json>;
  readonly stop: () => Promise<void>;
}

export const patient = (id: string): Json => ({ resourceType: "Patient", id, name: [{ family: `Family-${id}` }] });
export const observation = (id: string, of: string, more: Record<string, Json> = {}): Json => ({
  resourceType: "Observation",
  id,
  status: "final",
  code: { text: "weight" },
  subject: { reference: `Patient/${of}` },
  ...more,
});

export function fhir(res: ServerResponse, body: Json, status = 200): void {
  res.writeHead(status, { "Content-Type": "application/fhir+json", Server: "secret/1.0", "X-Powered-By": "secret" });
  res.end(JSON.stringify(body));
}

export const searchset = (...resources: Json[]): Json => ({
  resourceType: "Bundle",
  type: "searchset",
  total: resources.length,
  entry: resources.map((resource) => ({ resource, search: { mode: "match" } })),
});

export async function startBackend(): Promise<Backend> {
  const resources = new Map<string, Json>([
    ["Patient/a", patient("a")],
    ["Patient/b", patient("b")],
    ["Observation/oa", observation("oa", "a")],
    ["Observation/ob", observation("ob", "b")],
    ["Practitioner/p", { resourceType: "Practitioner", id: "p" }],
  ]);
  const sockets = new Set<Socket>();
  const backend: Backend = {
    url: "",
    asked: [],
    bodies: [],
    headers: [],
    resources,
    answer: (req, res) => {
      const [path = ""] = (req.url ?? "").split("?");
      const name = path.replace(/^\/r4\//, "");
      const found = resources.get(name);
      if (found !== undefined) return fhir(res, found);
      if (/^[A-Z][A-Za-z]+$/.test(name)) {
        return fhir(
          res,
          searchset(...[...resources].filter(([key]) => key.startsWith(`${name}/`)).map(([, value]) => value)),
        );
      }
      fhir(res, { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "not-found" }] }, 404);
    },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  const server = createServer((req, res) => {
    backend.asked.push(`${req.method} ${req.url}`);
    backend.headers.push(req.headers);
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      backend.bodies.push(body);
      backend.answer(req, res, body);
    });
  });
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(backend, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/r4` });
}
