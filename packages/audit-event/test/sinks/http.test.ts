import { ConfigurationError } from "@wardline/policy-types";
import { afterEach, describe, expect, it } from "vitest";
import {
  elasticSink,
  fhirSink,
  type HttpSinkOptions,
  type LedgerEntry,
  type Shipper,
  type Sink,
  shipLedger,
  splunkSink,
} from "../../src/index.ts";
import { emptyFolder } from "../support/folders.ts";
import { distinct, entries, entry, idsOf, sourceOf, until } from "./support/entries.ts";
import { type Behaviour, type Received, type Receiver, receiver } from "./support/receiver.ts";

const open: Shipper[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((shipper) => shipper.close()));
});

async function ship(sink: Sink, held: LedgerEntry[]): Promise<Shipper> {
  const shipper = shipLedger({
    folder: "unused",
    cursorFolder: await emptyFolder(),
    sinks: [sink],
    read: sourceOf(held).read,
    intervalMs: 5,
    firstRetryMs: 1,
    lastRetryMs: 10,
    closeDeadlineMs: 50,
    onChange: () => undefined,
  });
  open.push(shipper);
  return shipper;
}

interface Kind {
  readonly name: string;
  readonly sink: (options: HttpSinkOptions) => Sink;
  /** The ids a request brought, as that receiver reads them. */
  readonly idsIn: (got: Received) => string[];
  /** What that receiver answers; `poison` is an id it never takes, `known` those it has. */
  readonly answer: (ids: readonly string[], poison: string, known: ReadonlySet<string>) => object;
}

interface FhirBundle {
  readonly entry: readonly { readonly resource: { readonly id: string } }[];
}

const lines = (body: string): unknown[] =>
  body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

const KINDS: readonly Kind[] = [
  {
    name: "splunkSink()",
    sink: (options) => splunkSink({ ...options, token: "secret-token", index: "audit", host: "edge-1" }),
    idsIn: ({ body }) => (lines(body) as { fields: { id: string } }[]).map(({ fields }) => fields.id),
    answer: (ids, poison) =>
      ids.includes(poison) ? { text: "Invalid data format", code: 6 } : { text: "Success", code: 0 },
  },
  {
    name: "elasticSink()",
    sink: (options) => elasticSink({ ...options, index: "audit", headers: { Authorization: "ApiKey secret-token" } }),
    idsIn: ({ body }) =>
      (lines(body) as { create?: { _id: string } }[]).flatMap(({ create }) =>
        create === undefined ? [] : [create._id],
      ),
    answer: (ids, poison, known) => ({
      errors: true,
      items: ids.map((id) => ({ create: { _id: id, status: id === poison ? 400 : known.has(id) ? 409 : 201 } })),
    }),
  },
  {
    name: "fhirSink()",
    sink: (options) => fhirSink({ ...options, headers: async () => ({ Authorization: "Bearer secret-token" }) }),
    idsIn: ({ body }) => (JSON.parse(body) as FhirBundle).entry.map(({ resource }) => resource.id),
    answer: (ids, poison, known) => ({
      resourceType: "Bundle",
      type: "batch-response",
      entry: ids.map((id) => ({
        response: { status: id === poison ? "422 Unprocessable" : known.has(id) ? "200 OK" : "201 Created" },
      })),
    }),
  },
];

describe.each(KINDS)("$name", ({ sink, idsIn, answer }) => {
  interface Collector extends Receiver {
    readonly stored: string[];
  }

  async function collector(script: Behaviour[] = [], poison = ""): Promise<Collector> {
    const stored: string[] = [];
    const known = new Set<string>();
    const server = await receiver((got) => {
      const ids = idsIn(got);
      const body = answer(ids, poison, known);
      const whole = "code" in body && body.code !== 0;
      for (const id of ids) {
        if (whole || id === poison) continue;
        stored.push(id);
        known.add(id);
      }
      return body;
    }, script);
    return { ...server, stored };
  }

  const to = ({ url, identity }: Receiver, deadlineMs = 2000): Sink =>
    sink({ url, tls: { ca: identity.cert }, limits: { batchEntries: 10, deadlineMs } });

  it("delivers batches over TLS, with its credentials", async () => {
    const server = await collector();
    const shipper = await ship(to(server), entries(25));
    await shipper.caughtUp();
    expect(server.stored).toEqual(idsOf(25));
    expect(server.received.map(({ headers }) => headers.authorization?.includes("secret-token"))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it.each<[Behaviour, string]>([
    ["fail", "audit-event/sink-refused"],
    ["refuse", "audit-event/sink-refused"],
    ["redirect", "audit-event/sink-refused"],
    ["hang", "audit-event/sink-timeout"],
    ["take-and-lose-the-answer", "audit-event/sink-unreachable"],
  ])("F1: loses nothing when the collector would %s, and repeats only under the same id", async (behaviour, code) => {
    const server = await collector([behaviour, "take", behaviour]);
    const seen = new Set<string>();
    const inner = to(server, behaviour === "hang" ? 500 : 2000);
    const watched: Sink = {
      ...inner,
      send: (batch, signal) =>
        inner.send(batch, signal).catch((error: unknown) => {
          seen.add((error as { code: string }).code);
          throw error;
        }),
    };
    const shipper = await ship(watched, entries(30));
    await shipper.caughtUp();
    expect(distinct(server.stored)).toEqual(idsOf(30));
    const twice = server.stored.length - 30;
    expect(twice).toBe(behaviour === "take-and-lose-the-answer" ? 20 : 0);
    // The delivery's own deadline is told by the shipper; the connection that it cuts is what the sink sees of it.
    expect([...seen]).toEqual([code === "audit-event/sink-timeout" ? "audit-event/sink-unreachable" : code]);
  });

  it("waits as long as a 429 asks", async () => {
    const server = await collector(["busy"]);
    const before = performance.now();
    const shipper = await ship(to(server), entries(3));
    await shipper.caughtUp();
    expect(performance.now() - before).toBeGreaterThanOrEqual(990);
    expect(server.stored).toEqual(idsOf(3));
  });

  it("isolates the event that is never taken", async () => {
    const server = await collector([], "event-7");
    const shipper = await ship(to(server), entries(10));
    await shipper.caughtUp();
    expect(distinct(server.stored).sort()).toEqual(idsOf(10).filter((id) => id !== "event-7"));
    expect(shipper.state()).toMatchObject([{ delivered: 10, rejected: 1 }]);
  });

  it("does not take an answer for a success that is none", async () => {
    let answers = 0;
    const server = await receiver((got) => {
      answers += 1;
      if (answers === 1) return "<html>login</html>";
      if (answers === 2) return {};
      return answer(idsIn(got), "", new Set());
    });
    const shipper = await ship(to(server), entries(2));
    await shipper.caughtUp();
    expect(answers).toBe(3);
  });

  it("does not speak with a server whose certificate nobody vouches for, nor tells its token in the error", async () => {
    const server = await collector();
    const shipper = await ship(sink({ url: server.url }), entries(1));
    await until(() => (shipper.state()[0]?.failing?.attempts ?? 0) >= 2);
    expect(server.received).toEqual([]);
    const failure = await sink({ url: server.url })
      .send([entry(0)], new AbortController().signal)
      .catch(String);
    expect(failure).toBe("DeliveryError: the receiver cannot be reached");
  });

  it.each(["http://siem.example.org", "ftp://siem.example.org", "siem", ""])("refuses the address %j", (url) => {
    expect(() => sink({ url })).toThrow(ConfigurationError);
  });
});

describe("what a failure means", () => {
  const once = async (sink: (options: HttpSinkOptions) => Sink, answer: object): Promise<unknown> => {
    const server = await receiver(() => answer);
    const options = { url: server.url, tls: { ca: server.identity.cert } };
    return sink(options)
      .send(entries(2), new AbortController().signal)
      .then(
        () => "taken",
        ({ code, retryable }: { code: string; retryable: boolean }) => `${code} ${retryable ? "again" : "never"}`,
      );
  };
  const AGAIN = "audit-event/sink-refused again";
  const NEVER = "audit-event/entry-rejected never";

  it.each([
    [{ code: 0 }, "taken"],
    [{ code: 6 }, NEVER],
    [{ code: 12 }, NEVER],
    [{ code: 7 }, AGAIN],
    [{ code: 9 }, AGAIN],
    [{ text: "nothing" }, AGAIN],
    [{ code: "0" }, AGAIN],
    [{ code: null }, AGAIN],
  ])("Splunk's %j: %s", async (answer, expected) => {
    expect(await once((options) => splunkSink({ ...options, token: "t" }), answer)).toBe(expected);
  });

  it.each([
    [[201, 409], "taken"],
    [[201, 400], NEVER],
    [[429, 400], AGAIN],
    [[503, 201], AGAIN],
    [[201], AGAIN],
    [[201, undefined], AGAIN],
  ])("Elastic's items %j: %s", async (statuses, expected) => {
    const items = statuses.map((status) => ({ create: { status } }));
    expect(await once((options) => elasticSink({ ...options, index: "i" }), { items })).toBe(expected);
  });

  it.each([
    [["201 Created", "200 OK"], "taken"],
    [["200", "422 no"], NEVER],
    [["200", "500"], AGAIN],
    // F9: an update that met another one was not stored.
    [["200", "409 Conflict"], AGAIN],
    [["200", ""], AGAIN],
    [["200"], AGAIN],
  ])("a FHIR server's entries %j: %s", async (statuses, expected) => {
    const entry = statuses.map((status) => ({ response: { status } }));
    expect(await once(fhirSink, { entry })).toBe(expected);
  });
});

describe("what is sent", () => {
  it("has the event, its time and where it stands in the ledger", async () => {
    const bodies: unknown[] = [];
    const server = await receiver((got) => {
      bodies.push(...(got.path === "/_bulk" ? lines(got.body) : [JSON.parse(got.body) as unknown]));
      if (got.path === "/_bulk") return { items: [{ create: { status: 201 } }] };
      return got.path === "/fhir" ? { entry: [{ response: { status: "201" } }] } : { code: 0 };
    });
    const options = { url: server.url, tls: { ca: server.identity.cert } };
    const { signal } = new AbortController();
    const one = entry(5);
    await splunkSink({ ...options, token: "t" }).send([one], signal);
    await elasticSink({ ...options, index: "audit" }).send([one], signal);
    await fhirSink({ ...options, url: `${server.url}/fhir/` }).send([one], signal);
    expect(server.received.map(({ path }) => path)).toEqual(["/services/collector/event", "/_bulk", "/fhir"]);
    const place = { seq: 5, hash: one.hash };
    expect(bodies).toMatchObject([
      { time: Date.parse(one.at) / 1000, event: one.event, fields: { id: "event-5", ...place } },
      { create: { _index: "audit", _id: "event-5" } },
      { "@timestamp": one.at, ...place, event: one.event },
      {
        resourceType: "Bundle",
        type: "batch",
        entry: [{ resource: { id: "event-5" }, request: { method: "PUT", url: "AuditEvent/event-5" } }],
      },
    ]);
  });
});
