import { createServer, type Server } from "node:net";

/** A port held for a server that is not open yet. */
export interface HeldPort {
  readonly port: number;
  /** What `server.listen` takes over. */
  readonly handle: Server;
  /** Lets it go, if no server took it. */
  release(): void;
}

/**
 * Takes a free port before the edge is assembled: an edge without a given `publicOrigin` shows its own address in links and
 * expects it as audience, so it must know the port first. Holding the socket leaves no moment in which another can take it.
 */
export function holdPort(host: string): Promise<HeldPort> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true });
    server.once("error", reject);
    server.listen(0, host, () => {
      const { port } = server.address() as { port: number };
      resolve({ port, handle: server, release: () => void server.close() });
    });
  });
}
