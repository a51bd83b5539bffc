import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { AccessRecord } from "@wardline/policy-types";
import { afterAnswer } from "@wardline/policy-types/express";
import { listenOnPort } from "@wardline-tools/test-kit";
import express from "express";
import { expect, it } from "vitest";
import { clientErrorHandler, perimeter, serverTimeouts } from "../src/index.ts";
import { parseRaw, sendRaw } from "./support/raw.ts";

const REQUEST = "GET /first HTTP/1.1\r\nHost: fhir.example.org\r\n\r\n";
const NEXT = "GET /next HTTP/1.1\r\nHost: fhir.example.org\r\nConnection: close\r\n\r\n";

/** A server whose handler decides when to answer `/first`, and what was recorded of each request. */
async function serve(handle: (req: IncomingMessage, res: ServerResponse) => void) {
  const records: AccessRecord[] = [];
  let connections = async (): Promise<number> => 0;
  const app = express();
  app.use(perimeter({ development: true }), (req, res) => {
    afterAnswer(res, (record) => records.push(record));
    if (req.path === "/first") handle(req, res);
    else res.json({});
  });
  const port = await listenOnPort(app, serverTimeouts(), (server) => {
    server.on("clientError", clientErrorHandler);
    connections = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  });
  return { port, records, connections: () => connections() };
}

/** A client that sends bytes and is told of nothing. */
function open(port: number, bytes: string): Socket {
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  return socket.on("error", () => undefined);
}

it("who leaves before the answer is recorded once, as not completed; what is answered then goes nowhere", async () => {
  let answer: (() => void) | undefined;
  const { port, records, connections } = await serve((_req, res) => {
    answer = () => void res.end("{}");
  });
  const socket = open(port, REQUEST);
  await expect.poll(() => answer).toBeDefined();
  socket.resetAndDestroy();
  await expect.poll(() => records.length).toBe(1);
  answer?.();
  expect(parseRaw(await sendRaw(port, NEXT)).status).toBe(200);
  await expect.poll(connections).toBe(0);
  expect(records.map(({ completed }) => completed)).toEqual([false, true]);
});

it("who leaves in the middle of an answer is recorded as not completed, with what was sent", async () => {
  const { port, records, connections } = await serve((_req, res) => {
    const more = (): void => {
      while (res.writable && res.write("x".repeat(65_536)));
    };
    res.on("drain", more);
    more();
  });
  const socket = open(port, REQUEST);
  await new Promise((resolve) => socket.once("data", resolve));
  socket.resetAndDestroy();
  await expect.poll(() => records.length).toBe(1);
  expect(records[0]).toMatchObject({ completed: false, outcome: "permit" });
  expect(records[0]?.responseBytes).toBeGreaterThan(0);
  expect(parseRaw(await sendRaw(port, NEXT)).status).toBe(200);
  await expect.poll(connections).toBe(0);
});

it("who sends a request and the end of all requests gets its answer", async () => {
  const { port, records } = await serve((_req, res) => void res.end("{}"));
  const text = await new Promise<string>((resolve) => {
    let all = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.end(REQUEST));
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      all += chunk;
    });
    socket.once("close", () => resolve(all));
  });
  expect(parseRaw(text).status).toBe(200);
  expect(records.map(({ completed }) => completed)).toEqual([true]);
});

it("A15, F13: who leaves with several requests under way: each ends and is recorded, the one without its turn too", async () => {
  let runs = 0;
  let closed = 0;
  const { port, records } = await serve((_req, res) => {
    runs++;
    res.once("close", () => closed++);
  });
  const socket = open(port, REQUEST.repeat(3));
  await expect.poll(() => runs).toBe(3);
  socket.resetAndDestroy();
  await expect.poll(() => records.length).toBe(3);
  expect(closed).toBe(3);
  expect(records.every(({ completed }) => !completed)).toBe(true);
  expect(parseRaw(await sendRaw(port, NEXT)).status).toBe(200);
});

it("requests sent at once are answered in their order, each recorded once, and nothing is kept of them", async () => {
  const { port, records, connections } = await serve((_req, res) => void setTimeout(() => res.end("{}"), 5));
  const text = await sendRaw(port, REQUEST.repeat(12) + NEXT);
  expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(13);
  await expect.poll(connections).toBe(0);
  expect(records.map(({ completed }) => completed)).toEqual(Array.from({ length: 13 }, () => true));
});
