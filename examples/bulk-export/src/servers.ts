import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Express } from "express";
import type { Certificate } from "./ca.ts";

/** A server that has its port already, and answers once it is given an app. */
export interface Held {
  readonly port: number;
  serve(app: Express): void;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";

/** Plain http, on this machine only. */
export function holdPort(port: number): Promise<Held> {
  return open(createServer(), port);
}

/** Mutual TLS: nobody enters without a certificate of `clientCa`. */
export function holdTlsPort(port: number, { cert, key }: Certificate, clientCa: string): Promise<Held> {
  return open(createTlsServer({ cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: true }), port);
}

function open(server: Server, wanted: number): Promise<Held> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(wanted, HOST, () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        port,
        serve: (app) => void server.on("request", app),
        close: () =>
          new Promise((settle) => {
            server.close(() => settle());
            server.closeAllConnections();
          }),
      });
    });
  });
}
