import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";
import express5, { type Express } from "express";
import express4 from "express4";
import { afterEach } from "vitest";

/** Every Express test runs on both supported majors. */
export const EXPRESS: readonly [readonly [name: string, typeof express5], readonly [name: string, typeof express5]] = [
  ["Express 5", express5],
  ["Express 4", express4],
];

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Listens on a free loopback port until the test ends; gives the origin. */
export async function listen(
  app: Express | RequestListener,
  options: ServerOptions = {},
  prepare: (server: Server) => void = () => undefined,
): Promise<string> {
  const server = createServer(options, app);
  prepare(server);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
