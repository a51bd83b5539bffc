import { createServer, type RequestOptions, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { clientErrorHandler, perimeter, type TlsServerPolicy, tlsServerOptions } from "@wardline/perimeter";
import { contextOf } from "@wardline/policy-types/express";
import express from "express";
import { afterEach } from "vitest";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

export interface TlsDoor {
  readonly port: number;
  readonly server: Server;
  reload(): Promise<boolean>;
}

/** A perimeter behind TLS, on loopback, until the test ends. Tells the client certificate it saw. */
export async function openDoor(policy: TlsServerPolicy): Promise<TlsDoor> {
  const tls = await tlsServerOptions({ reloadSeconds: 0, ...policy });
  const app = express();
  app.use(perimeter(), (req, res) => {
    res.json({ client: contextOf(req).transport.clientCertificate?.subject ?? null });
  });
  const server = createServer(tls.options, app);
  server.on("clientError", clientErrorHandler);
  tls.attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    tls.close();
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server, reload: () => tls.reload() };
}

export type Reached = { readonly status: number; readonly client: string | null } | { readonly error: string };

/** One HTTPS request over a connection of its own; how it failed, if it did. */
export function reach(port: number, options: RequestOptions): Promise<Reached> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path: "/fhir",
        agent: false,
        servername: "localhost",
        headers: { host: "localhost" },
        ...options,
      },
      (res) => {
        let text = "";
        res.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        res.once("end", () => {
          const { client = null } = JSON.parse(text) as { client?: string | null };
          resolve({ status: res.statusCode ?? 0, client });
        });
      },
    );
    sent.once("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
    sent.end();
  });
}

/** A handshake alone. */
export function shake(port: number, options: ConnectionOptions): Promise<TLSSocket | { readonly error: string }> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ...options }, () => {
      closing.push(() => socket.destroy());
      resolve(socket);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
  });
}
