import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Express } from "express";

export interface Ports {
  readonly gateway: number;
  readonly backend: number;
  readonly oauth: number;
}

/** Which environment variable sets which port. 0 takes any free one. */
const PORTS = {
  gateway: { variable: "PORT", standard: 8080 },
  backend: { variable: "BACKEND_PORT", standard: 8081 },
  oauth: { variable: "OAUTH_PORT", standard: 8082 },
} as const satisfies Record<keyof Ports, { variable: string; standard: number }>;

const HOST = "127.0.0.1";

/**
 * Settles every port before anything starts: the three servers name each other in their answers. Throws a sentence for
 * the user when one is taken or is no port.
 */
export async function settlePorts(env: NodeJS.ProcessEnv): Promise<Ports> {
  const held: Server[] = [];
  try {
    for (const name of ["gateway", "backend", "oauth"] as const) held.push(await hold(name, env));
    const [gateway = 0, backend = 0, oauth = 0] = held.map((server) => (server.address() as AddressInfo).port);
    return { gateway, backend, oauth };
  } finally {
    await Promise.all(held.map(close));
  }
}

async function hold(name: keyof Ports, env: NodeJS.ProcessEnv): Promise<Server> {
  const { variable, standard } = PORTS[name];
  const text = env[variable] ?? String(standard);
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new Error(`${variable} is not a port: ${text}`);
  const server = createServer();
  try {
    await listen(server, Number(text));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    throw new Error(`port ${text} for the ${name} is in use; stop what uses it, or set ${variable} to another`, {
      cause,
    });
  }
  return server;
}

export async function serve(app: Express, port: number): Promise<Server> {
  const server = createServer(app);
  await listen(server, port);
  return server;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

/** Does not wait for connections that are merely kept alive. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
