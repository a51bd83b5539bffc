import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express5, { type Express } from "express";
import express4 from "express4";
import { afterEach } from "vitest";

/** Every Express test runs on both supported majors. */
export const EXPRESS = [
  ["Express 5", express5],
  ["Express 4", express4 as unknown as typeof express5],
] as const;

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Listens on a free loopback port until the test ends; gives the origin. */
export async function listen(app: Express | RequestListener): Promise<string> {
  const server = createServer(app);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface Question {
  readonly method?: string;
  /** A list repeats the header. */
  readonly headers?: Record<string, string | readonly string[]>;
  readonly body?: string;
}

/** One request without any help of `fetch`: no decoding, no redirects, the method and the path as given. */
export function ask(
  origin: string,
  path: string,
  { method = "GET", headers = {}, body }: Question = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers: headers as Record<string, string> }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.once("end", () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString() }),
      );
      res.once("error", reject);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
