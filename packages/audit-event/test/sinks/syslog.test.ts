import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type LedgerEntry, type Shipper, shipLedger, syslogSink } from "../../src/index.ts";
import { renderSyslog } from "../../src/sinks/syslog.ts";
import { emptyFolder } from "../support/folders.ts";
import { type Certified, selfSigned } from "./support/certificate.ts";
import { distinct, entries, entry, idsOf, sourceOf, until } from "./support/entries.ts";

const running: Server[] = [];
const open: Shipper[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((shipper) => shipper.close()));
  for (const server of running.splice(0)) server.close();
});

interface SyslogServer {
  readonly port: number;
  readonly identity: Certified;
  /** Whole messages, in order. */
  readonly messages: string[];
  /** Bytes of frames that could not be read or were not whole. */
  readonly broken: string[];
  readonly connections: () => number;
}

/** A receiver of RFC 5425: counts octets, and nothing else tells it where a message ends. */
async function syslogServer(
  meet: (socket: TLSSocket, connection: number) => "read" | "leave",
  client?: Certified,
): Promise<SyslogServer> {
  const identity = selfSigned();
  const messages: string[] = [];
  const broken: string[] = [];
  let connections = 0;
  const mutual = client === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: client.cert };
  const server = createServer({ ...identity, ...mutual }, (socket) => {
    socket.on("error", () => undefined);
    if (meet(socket, connections++) === "leave") return;
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const [, digits] = /^([1-9][0-9]*) /.exec(rest.toString("latin1", 0, 16)) ?? [];
        if (digits === undefined) return;
        const start = digits.length + 1;
        if (rest.length < start + Number(digits)) return;
        messages.push(rest.toString("utf8", start, start + Number(digits)));
        rest = rest.subarray(start + Number(digits));
      }
    });
    socket.once("end", () => {
      if (rest.length > 0) broken.push(rest.toString());
    });
  });
  server.on("tlsClientError", () => undefined);
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { port, identity, messages, broken, connections: () => connections };
}

const idIn = (message: string): string => / id="([^"]+)"/.exec(message)?.[1] ?? "";

async function ship(server: SyslogServer, held: LedgerEntry[], tls: object = {}): Promise<Shipper> {
  const sink = syslogSink({
    host: "127.0.0.1",
    port: server.port,
    hostname: "edge-1",
    tls: { ca: server.identity.cert, ...tls },
    limits: { batchEntries: 10, deadlineMs: 200 },
  });
  const { read } = sourceOf(held);
  const shipper = shipLedger({
    folder: "unused",
    cursorFolder: await emptyFolder(),
    sinks: [sink],
    read,
    intervalMs: 5,
    firstRetryMs: 1,
    lastRetryMs: 10,
    closeDeadlineMs: 50,
    onChange: () => undefined,
  });
  open.push(shipper);
  return shipper;
}

describe("syslogSink()", () => {
  it("sends RFC 5424 messages, octet-counted over TLS (RFC 5425), a connection for each batch", async () => {
    const server = await syslogServer(() => "read");
    const held = [entry(0, { text: "zwei\nZeilen \u00e4\u{1f600}", outcome: "8" }), ...entries(14, 1)];
    const shipper = await ship(server, held);
    await shipper.caughtUp();
    expect(server.messages.map(idIn)).toEqual(idsOf(15));
    expect([server.connections(), server.broken]).toEqual([2, []]);
    const [first = "", second = ""] = server.messages;
    expect(second).toBe(
      `<110>1 2026-01-31T00:00:00.001Z edge-1 wardline - AuditEvent ` +
        `[wardline@32473 id="event-1" seq="1" hash="${entry(1).hash}"] ${JSON.stringify(entry(1).event)}`,
    );
    expect(first).toMatch(/^<107>1 /);
    expect(first).toMatch(/^[\u0020-\u007e]+$/);
    expect(JSON.parse(first.slice(first.indexOf("] ") + 2))).toEqual(held[0]?.event);
  });

  it("A14: no event and no name can end a message or a field before its time", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (text, hostname) => {
        const message = renderSyslog(entry(1, { id: text, text }), { hostname });
        expect(message).toMatch(/^[\u0020-\u007e]+$/);
        expect(message.split(" ").slice(1, 6)).toHaveLength(5);
        expect(message).toMatch(
          /^<110>1 \S+ \S+ wardline - AuditEvent \[wardline@32473 id="[A-Za-z0-9.-]+" seq="1" hash="[0-9a-f]{64}"\] \{/,
        );
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ["cuts the connection before it has read", (socket: TLSSocket) => void socket.destroy()],
    ["reads nothing and says nothing", (socket: TLSSocket) => void socket.pause()],
  ])("loses nothing when the receiver %s", async (_what, misbehave) => {
    const server = await syslogServer((socket, connection) => {
      if (connection % 2 === 1) return "read";
      misbehave(socket);
      return "leave";
    });
    const shipper = await ship(server, entries(20));
    await shipper.caughtUp();
    expect(distinct(server.messages.map(idIn))).toEqual(idsOf(20));
  });

  it("loses nothing when the receiver is cut off in the middle of a batch", async () => {
    const server = await syslogServer((socket, connection) => {
      if (connection === 0) socket.once("data", () => socket.destroy());
      return "read";
    });
    const shipper = await ship(server, [entry(0, { text: "x".repeat(300_000) }), ...entries(5, 1)]);
    await shipper.caughtUp();
    expect(server.connections()).toBe(2);
    expect(distinct(server.messages.map(idIn))).toEqual(idsOf(6));
  });

  it("shows its own certificate where one is asked for", async () => {
    const client = selfSigned("edge-1");
    const server = await syslogServer(() => "read", client);
    const refused = await ship(server, entries(1));
    await until(() => (refused.state()[0]?.failing?.attempts ?? 0) >= 2);
    const shipper = await ship(server, entries(1), client);
    await shipper.caughtUp();
    expect(server.messages.map(idIn)).toEqual(["event-0"]);
  });

  it("does not speak with a server whose certificate nobody vouches for", async () => {
    const server = await syslogServer(() => "read");
    const shipper = await ship(server, entries(1), { ca: selfSigned().cert });
    await until(() => (shipper.state()[0]?.failing?.attempts ?? 0) >= 2);
    expect(server.messages).toEqual([]);
  });
});
