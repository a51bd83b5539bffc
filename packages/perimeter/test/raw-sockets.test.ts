import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { listenOnPort } from "@wardline-tools/test-kit";
import express from "express";
import { describe, expect, it } from "vitest";
import { clientErrorHandler, perimeter, serverTimeouts } from "../src/index.ts";
import { parseRaw, sendRaw } from "./support/raw.ts";

const HOST = "Host: fhir.example.org\r\n";
const FORM = "Content-Type: application/x-www-form-urlencoded\r\n";
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;

async function serve(): Promise<{ port: number; paths: string[] }> {
  const paths: string[] = [];
  const app = express();
  app.use(perimeter({ development: true }), (req, res) => {
    req.resume().once("end", () => {
      paths.push(req.path);
      res.json({});
    });
  });
  const limits = serverTimeouts({ headersMs: 300, requestMs: 600, keepAliveMs: 200, checkMs: 50 });
  const port = await listenOnPort(app, limits, (server) => server.on("clientError", clientErrorHandler));
  return { port, paths };
}

describe("smuggling shapes", () => {
  it.each([
    ["a length before a coding", `${FORM}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a coding before a length", `${FORM}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n`],
    ["two lengths", `${FORM}Content-Length: 0\r\nContent-Length: 44\r\n\r\n`],
    ["a list of lengths", `${FORM}Content-Length: 0, 44\r\n\r\n`],
    ["a length with a sign", `${FORM}Content-Length: +0\r\n\r\n`],
    ["a negative length", `${FORM}Content-Length: -1\r\n\r\n`],
    ["a hexadecimal length", `${FORM}Content-Length: 0x0\r\n\r\n`],
    ["a blank before the colon", `${FORM}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ["an unknown coding", `${FORM}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ["chunked and something after it", `${FORM}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ["chunked twice", `${FORM}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a vertical tab before chunked", `${FORM}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
    ["a bare line feed as end of line", `${FORM}Content-Length: 0\nX: y\r\n\r\n`],
    ["a bare carriage return in a name", `${FORM}X\rTransfer-Encoding: chunked\r\n\r\n`],
    ["a folded coding", `${FORM}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
    ["a coding in HTTP/1.0", `${FORM}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, "1.0"],
    ["a chunk size that is none", `${FORM}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`],
    ["a chunk longer than it says", `${FORM}Transfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n0\r\n\r\n`],
  ])("%s: one refusal, and what follows is not a request", async (_what, rest, version = "1.1") => {
    const { port, paths } = await serve();
    const text = await sendRaw(port, `POST /first HTTP/${version}\r\n${HOST}${rest}${SMUGGLED}`);
    expect(parseRaw(text).status).toBeGreaterThanOrEqual(400);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(paths).not.toContain("/smuggled");
  });

  it("a body on GET is not the next request", async () => {
    const { port, paths } = await serve();
    const text = await sendRaw(
      port,
      `GET /first HTTP/1.1\r\n${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    );
    expect([parseRaw(text).status, parseRaw(text).code]).toEqual([400, "perimeter/body-unexpected"]);
    expect(paths).toEqual([]);
  });

  it("two whole requests on one connection are two requests", async () => {
    const { port, paths } = await serve();
    const one = `GET /one HTTP/1.1\r\n${HOST}\r\n`;
    const text = await sendRaw(port, `${one}GET /two HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(paths).toEqual(["/one", "/two"]);
  });

  it.each(["Host", "Authorization", "DPoP", "Content-Type", "If-Match", "If-None-Exist", "Origin"])(
    "a second %s is refused, in any case",
    async (name) => {
      const { port, paths } = await serve();
      const lines = `${name}: a\r\n${name.toUpperCase()}: a\r\n`;
      const text = await sendRaw(
        port,
        `GET /x HTTP/1.1\r\n${name === "Host" ? "" : HOST}${lines}Connection: close\r\n\r\n`,
      );
      expect([parseRaw(text).status, parseRaw(text).code]).toEqual([400, "perimeter/header-repeated"]);
      expect(paths).toEqual([]);
    },
  );
});

describe("slow and broken-off clients", () => {
  it("headers that trickle are cut off with 408", async () => {
    const { port, paths } = await serve();
    const text = await trickle(port, `GET /slow HTTP/1.1\r\n${HOST}`, "X-A: b\r\n");
    expect(parseRaw(text).code).toBe("perimeter/request-timeout");
    expect(paths).toEqual([]);
  });

  it("a body that trickles is cut off with 408", async () => {
    const { port, paths } = await serve();
    const text = await trickle(port, `POST /slow HTTP/1.1\r\n${HOST}${FORM}Content-Length: 9999\r\n\r\n`, "a");
    expect(parseRaw(text).code).toBe("perimeter/request-timeout");
    expect(paths).toEqual([]);
  });

  it("a connection without a request is closed", async () => {
    const { port } = await serve();
    const text = await sendRaw(port, "");
    expect(parseRaw(text).code).toBe("perimeter/request-timeout");
  });

  it.each([
    ["in the request line", "GET /x HT"],
    ["in the headers", `GET /x HTTP/1.1\r\nHo`],
    ["in the body", `POST /x HTTP/1.1\r\n${HOST}${FORM}Content-Length: 50\r\n\r\nhalf`],
    ["in a chunk", `POST /x HTTP/1.1\r\n${HOST}${FORM}Transfer-Encoding: chunked\r\n\r\n50\r\nhalf`],
  ])("a client that leaves %s is no request, and the next one is served", async (_where, bytes) => {
    const { port, paths } = await serve();
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(bytes, () => socket.resetAndDestroy()));
      socket.once("close", () => resolve()).once("error", () => undefined);
    });
    const text = await sendRaw(port, `GET /next HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expect(parseRaw(text).status).toBe(200);
    expect(paths).toEqual(["/next"]);
  });

  it("a giant header is refused before it has all arrived", async () => {
    const { port, paths } = await serve();
    const text = await sendRaw(port, `GET /x HTTP/1.1\r\n${HOST}X-A: ${"a".repeat(20_000)}`);
    expect([parseRaw(text).status, parseRaw(text).code]).toEqual([431, "perimeter/header-bytes"]);
    expect(paths).toEqual([]);
  });
});

describe("server time-outs", () => {
  it.each([{ headerMs: 1 }, { headersMs: 0 }, { requestMs: 1000 }, { maxHeaderBytes: Number.POSITIVE_INFINITY }])(
    "refuses %j",
    (given) => expect(() => serverTimeouts(given)).toThrow("mistake"),
  );
});

/** Sends a beginning, and then a little again and again, until the server has closed. */
function trickle(port: number, beginning: string, more: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    let open = true;
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(beginning);
      void (async () => {
        while (open) {
          await wait(20);
          socket.write(more);
        }
      })();
    });
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.once("error", () => undefined);
    socket.once("close", () => {
      open = false;
      resolve(text);
    });
  });
}
