import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Express } from "express";

/** A server that has its port already, and answers once it is given an app. */
export interface Held {
  readonly port: number;
  serve(app: Express): void;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";

/** Plain http, on this machine only. */
export function holdPort(wanted: number): Promise<Held> {
  const server = createServer();
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
