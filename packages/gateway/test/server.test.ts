import type { RequestListener } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, it } from "vitest";
import { type EdgeServer, openServer } from "../src/server.ts";

const STALL_MS = 300;
const MIB = 1024 * 1024;
/** More than the sockets of both sides take. */
const LONG = Buffer.alloc(64 * MIB, "x");

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

async function serve(listener: RequestListener): Promise<number> {
  const server: EdgeServer = openServer(listener, { stallMs: STALL_MS });
  ended.push(() => server.drain(0));
  return (await server.listen({ port: 0, host: "127.0.0.1" })).port;
}

it("F13: who does not read its answer is cut, so that it keeps no slot from others", async () => {
  let closed = false;
  const port = await serve((_req, res) => {
    res.once("close", () => {
      closed = true;
    });
    res.end(LONG);
  });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await expect.poll(() => closed, { timeout: 5000 }).toBe(true);
  socket.destroy();
});

it("who reads slowly gets all of it", async () => {
  const port = await serve((_req, res) => void res.end(LONG));
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const began = performance.now();
  let got = 0;
  let restAt = MIB;
  socket.on("data", (piece) => {
    got += piece.length;
    if (got < restAt) return;
    restAt += MIB;
    socket.pause();
    setTimeout(() => socket.resume(), STALL_MS / 10);
  });
  await new Promise((resolve) => socket.once("close", resolve));
  expect(got).toBeGreaterThan(LONG.length);
  expect(performance.now() - began).toBeGreaterThan(2 * STALL_MS);
});

it("who waits for an answer waits as long as it takes, and a kept connection without a request is closed", async () => {
  const port = await serve((_req, res) => void setTimeout(() => res.end("late"), 4 * STALL_MS));
  const socket = connect(port, "127.0.0.1");
  let got = "";
  socket.on("data", (piece) => {
    got += piece.toString();
  });
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await new Promise((resolve) => socket.once("close", resolve));
  expect(got).toMatch(/^HTTP\/1\.1 200 .*late/s);
}, 15_000);
