import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "undici";
import { expect, it, onTestFinished } from "vitest";
import { Abort } from "../src/proxy/abort.ts";

/** An upstream that never answers, and what has arrived there. */
async function silent(): Promise<{ url: string; arrived: IncomingMessage[] }> {
  const arrived: IncomingMessage[] = [];
  const server = createServer((req) => void arrived.push(req));
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrived };
}

it("ends a request under way, at the upstream too, and says why", async () => {
  const { url, arrived } = await silent();
  const abort = new Abort();
  const asked = request(url, { signal: abort.signal });
  await expect.poll(() => arrived.length).toBe(1);
  const gone = once((arrived[0] as IncomingMessage).socket, "close");
  const reason = new DOMException("no answer within the deadline", "TimeoutError");
  abort.abort(reason);
  await expect(asked).rejects.toBe(reason);
  await gone;
});

it("ends a request before it is sent", async () => {
  const { url, arrived } = await silent();
  const abort = new Abort();
  abort.abort();
  await expect(request(url, { signal: abort.signal })).rejects.toMatchObject({ name: "AbortError" });
  expect(arrived).toEqual([]);
});

it("aborts once: the first reason stands", () => {
  const abort = new Abort();
  let told = 0;
  abort.on("abort", () => told++);
  abort.abort("first");
  abort.abort("second");
  expect([told, abort.aborted, abort.reason]).toEqual([1, true, "first"]);
});
