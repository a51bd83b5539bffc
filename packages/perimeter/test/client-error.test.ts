import { createServer, type ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { type Answer, listenOnPort } from "@wardline-tools/test-kit";
import express from "express";
import { describe, expect, it, vi } from "vitest";
import { clientErrorHandler, perimeter } from "../src/index.ts";
import { parseRaw, sendRaw } from "./support/raw.ts";

const HOST = "Host: fhir.example.org\r\n";

/** Long enough for a busy machine; short where running out of time is what is tried. */
const PATIENT = { requestTimeout: 20_000, headersTimeout: 20_000 };
const SHORT = { requestTimeout: 300, headersTimeout: 200 };

async function serve(limits: ServerOptions = PATIENT): Promise<{ port: number; ran: () => number }> {
  const seen = vi.fn();
  const app = express();
  app.use(perimeter({ development: true }), (req, res) => {
    seen();
    req.on("data", () => undefined);
    req.once("end", () => res.json({ ok: true }));
  });
  const port = await listenOnPort(app, { ...limits, connectionsCheckingInterval: 50 }, (server) =>
    server.on("clientError", clientErrorHandler),
  );
  return { port, ran: () => seen.mock.calls.length };
}

const expectAnswer = (answer: Answer, status: number, name: string): void => {
  expect([answer.status, answer.code]).toEqual([status, `perimeter/${name}`]);
  expect(answer.headers).toMatchObject({
    "content-type": "application/fhir+json; charset=utf-8",
    "content-length": String(answer.text.length),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    connection: "close",
  });
};

describe("what Node cannot read as a request", () => {
  it.each([
    ["1 MB of header", `GET / HTTP/1.1\r\n${HOST}X-A: ${"x".repeat(1 << 20)}\r\n\r\n`, 431, "header-bytes"],
    ["a URL of 1 MB", `GET /${"x".repeat(1 << 20)} HTTP/1.1\r\n${HOST}\r\n`, 431, "header-bytes"],
    [
      "a length and a coding",
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      "request-unreadable",
    ],
    ["a space before the colon", `GET / HTTP/1.1\r\n${HOST}X-A : 1\r\n\r\n`, 400, "request-unreadable"],
    ["a bare carriage return", `GET / HTTP/1.1\r\n${HOST}X-A: 1\rX-B: 2\r\n\r\n`, 400, "request-unreadable"],
    ["a folded header", `GET / HTTP/1.1\r\n${HOST}X-A: 1\r\n 2\r\n\r\n`, 400, "request-unreadable"],
    ["an unknown method", `HACK / HTTP/1.1\r\n${HOST}\r\n`, 400, "request-unreadable"],
    [
      "a second length",
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
      400,
      "request-unreadable",
    ],
    [
      "a coding that does not end in chunked",
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, gzip\r\n\r\n`,
      400,
      "request-unreadable",
    ],
    ["a NUL in a header", `GET / HTTP/1.1\r\n${HOST}X-A: a\0b\r\n\r\n`, 400, "request-unreadable"],
    ["a raw byte above ASCII in the URL", `GET /\u00ff HTTP/1.1\r\n${HOST}\r\n`, 400, "request-unreadable"],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "request-unreadable"],
    ["another protocol", "\x16\x03\x01\x02\x00\x01\x00", 400, "request-unreadable"],
    ["half a request", "GET / HTTP/1.1\r\nHost:", 408, "request-timeout"],
  ])("%s is answered, and the connection closed", async (_what, bytes, status, name) => {
    const { port, ran } = await serve(name === "request-timeout" ? SHORT : PATIENT);
    const text = await sendRaw(port, bytes);
    expectAnswer(parseRaw(text), status, name);
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(ran()).toBe(0);
  });

  it("a broken chunk is answered, because nobody else will answer that request", async () => {
    const { port } = await serve();
    const text = await sendRaw(
      port,
      `POST / HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    );
    expectAnswer(parseRaw(text), 400, "request-unreadable");
  });

  it("a broken request behind one not yet answered cuts the connection: its answer would be taken for the other's", async () => {
    const server = createServer(() => undefined);
    server.on("clientError", clientErrorHandler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await sendRaw(port, `GET / HTTP/1.1\r\n${HOST}\r\nHACK / HTTP/1.1\r\n\r\n`)).toBe("");
    server.close();
  });

  it("what follows a request that is the last of its connection is not read, and takes nobody's answer away", async () => {
    const app = express();
    app.use((_req, res) => void setTimeout(() => res.end("answered"), 20));
    const port = await listenOnPort(app, {}, (server) => server.on("clientError", clientErrorHandler));
    const text = await sendRaw(port, `GET / HTTP/1.1\r\n${HOST}Connection: close\r\nContent-Length: 0\r\n\r\na=b\r\n`);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
    expect(text).toContain("answered");
  });

  it("who goes on and on behind the last request is cut off: nobody has asked for it, and no limit would count it", async () => {
    const app = express();
    let reached = false;
    app.use(() => {
      reached = true;
    });
    const port = await listenOnPort(app, {}, (server) => server.on("clientError", clientErrorHandler));
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    socket.resume().write(`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    await expect.poll(() => reached).toBe(true);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const writing = setInterval(() => socket.write("a=b\r\n"), 20);
    await closed;
    clearInterval(writing);
  });

  it.each([
    ["silent", false],
    ["talking", true],
  ])("a client that stays, %s, is let go", async (_how, talking) => {
    let connections = async (): Promise<number> => 0;
    const port = await listenOnPort(express(), {}, (server) => {
      server.on("clientError", clientErrorHandler);
      connections = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
    });
    // Half open: it does not leave when the server has ended.
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => undefined).resume();
    socket.write("HACK / HTTP/1.1\r\n\r\n");
    const writing = setInterval(() => talking && socket.write("x"), 50);
    await expect.poll(connections).toBe(1);
    await expect.poll(connections, { timeout: 3000 }).toBe(0);
    clearInterval(writing);
    socket.destroy();
  });
});

describe("what Node reads and the perimeter does not", () => {
  const raw = async (bytes: string): Promise<Answer> => parseRaw(await sendRaw((await serve()).port, bytes));
  const CLOSE = "Connection: close\r\n";

  it.each([
    ["two Host lines", `GET / HTTP/1.1\r\n${HOST}${HOST}${CLOSE}\r\n`, 400, "header-repeated"],
    ["no Host in HTTP/1.1", `GET / HTTP/1.1\r\n${CLOSE}\r\n`, 400, "host-missing"],
    ["no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 400, "host-missing"],
    ["an absolute target", `GET http://x.example/ HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 400, "target-form"],
    ["an asterisk", `OPTIONS * HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 400, "target-form"],
    [
      "gzip before chunked",
      `POST / HTTP/1.1\r\n${HOST}${CLOSE}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      501,
      "transfer-coding",
    ],
    ["bytes above ASCII in a header", `GET / HTTP/1.1\r\n${HOST}${CLOSE}X-A: \u00ff\r\n\r\n`, 400, "header-characters"],
    [
      "an upgrade is an ordinary request",
      `GET / HTTP/1.1\r\n${HOST}Connection: upgrade, close\r\nUpgrade: h2c\r\n\r\n`,
      200,
      "",
    ],
  ])("%s", async (_what, bytes, status, name) => {
    const answer = await raw(bytes);
    expect([answer.status, answer.code]).toEqual([status, name === "" ? undefined : `perimeter/${name}`]);
  });

  it("CONNECT finds nobody", async () => {
    expect(await sendRaw((await serve()).port, `CONNECT x.example:443 HTTP/1.1\r\n${HOST}\r\n`)).toBe("");
  });
});
