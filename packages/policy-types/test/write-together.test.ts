import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type ServerOpts,
  type Socket,
} from "node:net";
import { Duplex, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { testCa } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { writeTogether } from "../src/express/write-together.ts";
import { byTurn, joinTurn } from "../src/express.ts";

/** Listens until the test has ended, and tells on which port. */
async function listening(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** Both ends of a new connection; the server's writes together with others. */
async function connection(options: ServerOpts = {}): Promise<{ far: Socket; near: Socket }> {
  const server = createTcpServer(options);
  const port = await listening(server);
  const far = connect(port, "127.0.0.1");
  const [near] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => void near.destroy());
  writeTogether(near);
  return { far, near };
}

/** Two requests on connections of their own, and how each client's connection ends: what it read. */
async function twoRequests(): Promise<{
  requests: [[IncomingMessage, ServerResponse], [IncomingMessage, ServerResponse]];
  read: Promise<string>[];
}> {
  const server = createServer();
  const port = await listening(server);
  onTestFinished(() => server.closeAllConnections());
  const ask = async (path: string) => {
    const client = connect(port, "127.0.0.1");
    client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const exchange = (await once(server, "request")) as [IncomingMessage, ServerResponse];
    return { exchange, read: buffer(client).then(String) };
  };
  const [one, two] = [await ask("/1"), await ask("/2")];
  return { requests: [one.exchange, two.exchange], read: [one.read, two.read] };
}

it.each([
  ["served by turn", byTurn((req, res) => handle(req, res))],
  [
    "in an app that joins the turn",
    (req: IncomingMessage, res: ServerResponse) => joinTurn(res, () => handle(req, res)),
  ],
])("writes no answer before all requests of the turn have been handled: %s", async (_how, listener) => {
  const { requests, read } = await twoRequests();
  const seen: number[] = [];
  handle = (_req, res) => {
    res.end("answered");
    seen.push(...requests.map(([{ socket }]) => socket.bytesWritten));
  };
  for (const [req, res] of requests) listener(req, res);
  for (const text of await Promise.all(read)) expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*answered/s);
  expect(seen).toEqual([0, 0, 0, 0]);
});

let handle: (req: IncomingMessage, res: ServerResponse) => void;

it("tells of no end before all answers have been written, and of each in its own async context", async () => {
  const { requests, read } = await twoRequests();
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  handle = (req, res) => {
    storage.run(`of ${req.url}`, () => {
      res.once("finish", () => {
        const written = requests.every(([{ socket }]) => socket.bytesWritten > 0);
        seen.push([req.url, storage.getStore(), written]);
      });
      res.end();
    });
  };
  const listener = byTurn((req, res) => handle(req, res));
  for (const [req, res] of requests) listener(req, res);
  await Promise.all(read);
  expect(seen).toEqual([
    ["/1", "of /1", true],
    ["/2", "of /2", true],
  ]);
});

it("still sends what was written before the socket was destroyed", async () => {
  const { far, near } = await connection();
  const read = buffer(far);
  near.cork();
  near.write("first, ");
  near.write("second");
  near.uncork();
  near.destroy();
  expect(String(await read)).toBe("first, second");

  const other = await connection();
  const readThere = buffer(other.far);
  other.near.write("alone");
  other.near.destroy();
  expect(String(await readThere)).toBe("alone");
});

it("tells who writes that the other side has gone, and destroys the socket", async () => {
  const { far, near } = await connection({ pauseOnConnect: true });
  far.resetAndDestroy();
  await once(far, "close");
  const failed = once(near, "error");
  const told = new Promise((resolve) => near.write("to nobody", resolve));
  expect(await told).toMatchObject({ syscall: "write" });
  expect((await failed)[0]).toBe(await told);
  expect(near.destroyed).toBe(true);
});

it("holds a writer back as the socket does: no more than its mark is kept", async () => {
  const { far, near } = await connection();
  far.pause();
  let taken = 0;
  while (near.write(Buffer.alloc(1024))) taken += 1024;
  expect(taken).toBeLessThan(near.writableHighWaterMark);
  far.resume();
  await once(near, "drain");
  expect(near.writableLength).toBe(0);
});

const pieces = fc.array(fc.record({ size: fc.integer({ min: 0, max: 70_000 }), wait: fc.boolean() }), {
  maxLength: 12,
});

it("passes on every byte, in order, however it is written", async () => {
  await fc.assert(
    fc.asyncProperty(pieces, fc.boolean(), async (written, corked) => {
      const { far, near } = await connection();
      const read = buffer(far);
      const all: Buffer[] = [];
      if (corked) near.cork();
      for (const [index, { size, wait }] of written.entries()) {
        const piece = Buffer.alloc(size, index + 1);
        all.push(piece);
        near.write(piece);
        if (wait) await new Promise((resolve) => setImmediate(resolve));
      }
      near.end("the end");
      expect((await read).equals(Buffer.concat([...all, Buffer.from("the end")]))).toBe(true);
    }),
    { numRuns: 40 },
  );
});

it("does so over TLS, with a stream that waits for room", async () => {
  const ca = await testCa();
  const { cert, key } = await ca.issue({ name: "localhost", dns: ["localhost"], use: "server" });
  const blocks = Array.from({ length: 64 }, (_, index) => Buffer.alloc(50_000, index));
  const server = createTlsServer({ cert, key }, (socket) => {
    writeTogether(socket);
    void pipeline(Readable.from(blocks), socket);
  });
  const port = await listening(server);
  const client = connectTls({ host: "127.0.0.1", port, servername: "localhost", ca: ca.cert });
  expect((await buffer(client)).equals(Buffer.concat(blocks))).toBe(true);
});

it("is asked of a connection once, and leaves what is no socket of the system as it is", async () => {
  const { near } = await connection();
  const before = Reflect.ownKeys(near).map((name) => Reflect.get(near, name) as unknown);
  writeTogether(near);
  expect(Reflect.ownKeys(near).map((name) => Reflect.get(near, name) as unknown)).toEqual(before);

  for (const other of [new Duplex(), {}]) {
    const own = Reflect.ownKeys(other);
    writeTogether(other as Socket);
    expect(Reflect.ownKeys(other)).toEqual(own);
  }
  expect(() => writeTogether(undefined as unknown as Socket)).not.toThrow();
});
