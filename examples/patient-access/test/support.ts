import { createServer } from "node:http";
import type { Express } from "express";
import { afterAll } from "vitest";
import { type Ports, settlePorts } from "../src/ports.ts";

export function freePorts(): Promise<Ports> {
  return settlePorts({ PORT: "0", BACKEND_PORT: "0", OAUTH_PORT: "0" });
}

const open: (() => void)[] = [];
afterAll(() => {
  for (const end of open.splice(0)) end();
});

/** Listens until the suite ends. */
export async function listen(app: Express, port: number): Promise<void> {
  const server = createServer(app);
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
}
