import { createServer, type IncomingHttpHeaders, request, type Server } from "node:http";
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

/** Listens on a free loopback port until the test ends; gives the port. */
export async function listen(app: Express): Promise<number> {
  const server = createServer(app);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** `details.coding[0].code` of the OperationOutcome, if the body is one. */
  readonly code: string | undefined;
}

/** One request whose header lines are sent as given, repeats included. */
export function ask(
  port: number,
  sent: { method?: string; target?: string; headers?: readonly string[]; body?: string } = {},
): Promise<Answer> {
  const { method = "GET", target = "/fhir/Patient/1", headers = ["Host", "fhir.example.org"], body } = sent;
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: "127.0.0.1", method, path: target, headers, agent: false }, (res) => {
      let text = "";
      res.setEncoding("utf8");
      res.on("data", (chunk: string) => {
        text += chunk;
      });
      res.once("end", () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text, code: codeIn(text) }),
      );
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

function codeIn(text: string): string | undefined {
  if (!text.includes('"OperationOutcome"')) return undefined;
  const outcome = JSON.parse(text) as { issue: { details: { coding: { code: string }[] } }[] };
  return outcome.issue[0]?.details.coding[0]?.code;
}
