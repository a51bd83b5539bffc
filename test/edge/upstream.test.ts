import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLedger, verifyLedger } from "@wardline/audit-event";
import { describe, expect, it } from "vitest";
import { type Answer, fhir, observation, patient, searchset } from "./support/backend.ts";
import { codeOf, raw, startEdge } from "./support/edge.ts";

const JSON_HEAD = { "Content-Type": "application/fhir+json" };

describe("an upstream that fails", () => {
  const FAILURES: readonly (readonly [string, Answer, number, string])[] = [
    [
      "dies in the middle of a body of known length",
      (_req, res) => {
        res.writeHead(200, { ...JSON_HEAD, "Content-Length": "5000" });
        res.write('{"resourceType":"Patient","id":"a"', () => res.destroy());
      },
      502,
      "gateway/upstream-broke-off",
    ],
    [
      "dies in the middle of a chunked body",
      (_req, res) => {
        res.writeHead(200, JSON_HEAD);
        res.write('{"resourceType":"Patient","id":"a"}', () => res.destroy());
      },
      502,
      "gateway/upstream-broke-off",
    ],
    ["dies before its answer", (_req, res) => res.destroy(), 502, "gateway/upstream-unreachable"],
    ["never answers", () => undefined, 504, "gateway/upstream-timeout"],
    [
      "stops in the middle of a body",
      (_req, res) => {
        res.writeHead(200, JSON_HEAD);
        res.write('{"resourceType":');
      },
      504,
      "gateway/upstream-timeout",
    ],
    [
      "sends a byte now and then",
      (_req, res) => {
        res.writeHead(200, JSON_HEAD);
        const dripping = setInterval(() => res.write(" "), 50);
        res.once("close", () => clearInterval(dripping));
      },
      504,
      "gateway/upstream-timeout",
    ],
    [
      "answers with what is no status",
      (_req, res) => void res.writeHead(999).end(),
      502,
      "gateway/upstream-unexpected",
    ],
    [
      "says it sends more than it does",
      (_req, res) => {
        res.writeHead(200, { ...JSON_HEAD, "Content-Length": "10", Connection: "close" });
        res.write("{}");
        setTimeout(() => res.socket?.end(), 20);
      },
      502,
      "gateway/upstream-broke-off",
    ],
    [
      "speaks something else",
      (_req, res) => void res.socket?.end("220 smtp ready\r\n"),
      502,
      "gateway/upstream-unreachable",
    ],
    [
      "redirects",
      (_req, res) => void res.writeHead(302, { Location: "http://elsewhere/" }).end(),
      502,
      "gateway/upstream-unexpected",
    ],
    [
      "asks the edge for credentials",
      (_req, res) => void res.writeHead(401, { "WWW-Authenticate": "Basic" }).end(),
      502,
      "gateway/upstream-unexpected",
    ],
    [
      "sends an HTML error page",
      (_req, res) => void res.writeHead(500, { "Content-Type": "text/html" }).end("<h1>secret</h1>"),
      502,
      "smart-auth/answer-opaque",
    ],
  ];

  it.each(FAILURES)("that %s gives a whole refusal, never a truncated 200", async (_what, answer, status, code) => {
    const edge = await startEdge();
    edge.backend.answer = answer;
    const got = await edge.ask("/Patient/a");
    expect([got.status, codeOf(got.json)]).toEqual([status, code]);
    expect(got.text).not.toContain("secret");
    expect(got.headers.get("www-authenticate")).toBe(null);
    edge.backend.answer = (_req, res) => fhir(res, patient("a"));
    expect((await edge.ask("/Patient/a")).status).toBe(200);
  });

  it("that is not there at all", async () => {
    const edge = await startEdge();
    await edge.backend.stop();
    const got = await edge.ask("/Patient/a");
    expect([got.status, codeOf(got.json)]).toEqual([502, "gateway/upstream-unreachable"]);
    expect(edge.events.some(({ code }) => code === "gateway/upstream-failed")).toBe(true);
  });

  it("S13: that dies in the middle of a stream breaks the transfer", async () => {
    const edge = await startEdge();
    let die = (): unknown => undefined;
    edge.backend.answer = (_req, res) => {
      res.writeHead(200, { "Content-Type": "application/fhir+ndjson" });
      res.write(`${JSON.stringify(observation("o1", "a"))}\n`);
      die = () => res.destroy();
    };
    const token = await edge.issuer.token({ patient: "a", scope: "patient/*.rs" });
    const response = await fetch(`${edge.base}/Observation`, { headers: { authorization: `Bearer ${token}` } });
    const reader = response.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    die();
    await expect(reader?.read()).rejects.toThrow();
    await expect.poll(() => edge.records.length).toBe(1);
    expect(edge.records[0]).toMatchObject({ completed: false });
  });

  it("takes its time over an answer that a client is slow to take", async () => {
    const edge = await startEdge((policy) => ({
      ...policy,
      upstreams: { ehr: { url: Object.values(policy.upstreams)[0]?.url ?? "", bodyTimeoutMs: 300 } },
    }));
    const line = `${JSON.stringify({ ...(observation("o1", "a") as object), note: [{ text: "x".repeat(20_000) }] })}\n`;
    const LINES = 1000;
    edge.backend.answer = (_req, res) => {
      res.writeHead(200, { "Content-Type": "application/fhir+ndjson" });
      let left = LINES;
      const more = (): void => {
        while (left > 0) {
          left--;
          if (!res.write(line)) return;
        }
        res.end();
      };
      res.on("drain", more);
      more();
    };
    const token = await edge.issuer.token({ patient: "a", scope: "patient/*.rs" });
    const response = await fetch(`${edge.base}/Observation`, { headers: { authorization: `Bearer ${token}` } });
    // Longer than the upstream may be silent.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const text = await response.text();
    expect(text.split("\n").length).toBe(LINES + 1);
  });

  it("F13: a client that leaves stops the work at the upstream", async () => {
    const edge = await startEdge();
    let closed = false;
    edge.backend.answer = (_req, res) =>
      void res.once("close", () => {
        closed = true;
      });
    const token = await edge.issuer.token({ patient: "a", scope: "patient/*.rs" });
    const client: Socket = connect(edge.port, "127.0.0.1");
    client.write(`GET /fhir/Patient/a HTTP/1.1\r\nHost: e\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await expect.poll(() => edge.backend.asked.length).toBe(1);
    client.destroy();
    await expect.poll(() => closed).toBe(true);
    await expect.poll(() => edge.records.length).toBe(1);
  });

  it("an answer over the limit sends nothing of itself", async () => {
    const edge = await startEdge((policy) => ({ ...policy, limits: { responseBodyBytes: 10_000 } }));
    edge.backend.answer = (_req, res) =>
      fhir(res, searchset(...Array.from({ length: 200 }, (_, index) => observation(`o${index}`, "a"))));
    const got = await edge.ask("/Observation");
    expect([got.status, codeOf(got.json)]).toEqual([502, "policy-types/answer-too-large"]);
  });
});

describe("an answer to a patient's app", () => {
  const entry = `[{"resource": {"resourceType":"Observation","id":"o1","status":"final","code":{"text":"p\\u0048"},
    "subject":{"reference":"Patient/a"},"valueQuantity":{"value":7.40}}, "search":{"mode":"match"}}]`;

  it("has its entries as the upstream wrote them, decimals and all, and a head of the edge's own", async () => {
    const edge = await startEdge();
    edge.backend.answer = (_req, res) => {
      res.writeHead(200, JSON_HEAD);
      res.end(`{"resourceType":"Bundle","type":"searchset","total":1,"entry":${entry}}`);
    };
    const got = await edge.ask("/Observation");
    expect(got.text).toBe(`{"resourceType":"Bundle","type":"searchset","entry":${entry}}`);
    expect(got.headers.get("content-length")).toBe(String(Buffer.byteLength(got.text)));
  });

  it("is called by the name of JSON it was asked by", async () => {
    const edge = await startEdge();
    const typeOf = async (accept: string): Promise<string | null> =>
      (await edge.ask("/Patient/a", { headers: { accept } })).headers.get("content-type");
    expect(await typeOf("application/json")).toBe("application/json");
    expect(await typeOf("text/json")).toBe("text/json");
    expect(await typeOf("application/fhir+json")).toBe("application/fhir+json");
    expect(await typeOf("*/*")).toBe("application/fhir+json");
  });
});

describe("the operator's listener", () => {
  it("says whether the edge is up and ready, and nothing else", async () => {
    const edge = await startEdge((policy) => ({ ...policy, admin: { port: 0 } }));
    const admin = `http://127.0.0.1:${edge.adminPort}`;
    const read = async (path: string): Promise<unknown> => {
      const response = await fetch(admin + path);
      return [response.status, await response.json()];
    };
    expect(await read("/healthz")).toEqual([200, { status: "up" }]);
    expect(await read("/readyz")).toEqual([
      200,
      {
        status: "ready",
        policy: edge.gateway.policyVersion,
        drift: [],
        audit: { status: "open", queuedBytes: 0 },
        upstreams: { ehr: { status: "ok" } },
        issuers: { [edge.issuer.url]: { status: "ok" } },
        degraded: [],
      },
    ]);
    await edge.backend.stop();
    await edge.ask("/Patient/a");
    expect(await read("/readyz")).toMatchObject([
      200,
      { upstreams: { ehr: { status: "failing" } }, degraded: ["upstream ehr"] },
    ]);
    expect(await read("/fhir/Patient/a")).toMatchObject([404, { code: "gateway/no-route" }]);
    expect((await fetch(edge.base.replace("/fhir", "/readyz"))).status).toBe(404);
  });
});

describe("what passes", () => {
  it("the upstream sees neither the client's token nor headers it might obey", async () => {
    const edge = await startEdge();
    const got = await edge.ask("/Patient/a", {
      headers: {
        "x-user": "root",
        cookie: "a=b",
        "accept-language": "de",
        "x-request-id": "abc",
      },
    });
    expect(got.status).toBe(200);
    const seen = edge.backend.headers[0] ?? {};
    expect(Object.keys(seen).sort()).toEqual(["accept", "accept-encoding", "connection", "host", "x-request-id"]);
    expect(seen["x-request-id"]).toBe("abc");
  });

  it("the client sees no fingerprint of the upstream, no-store, and its request id", async () => {
    const edge = await startEdge();
    const got = await edge.ask("/Patient/a", { headers: { "x-request-id": "abc" } });
    expect(got.headers.get("server")).toBe(null);
    expect(got.headers.get("x-powered-by")).toBe(null);
    expect(got.headers.get("cache-control")).toBe("no-store");
    expect(got.headers.get("x-request-id")).toBe("abc");
    expect(got.headers.get("x-content-type-options")).toBe("nosniff");
    expect(got.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("a body nobody changed arrives byte for byte, both ways", async () => {
    const edge = await startEdge();
    const text =
      '{ "resourceType":"Observation","id":"oa","status":"final","code":{"text":"w"},\n"subject":{"reference":"Patient/a"},"valueQuantity":{"value":2.00} }';
    edge.backend.answer = (_req, res) => {
      res.writeHead(201, { ...JSON_HEAD, ETag: 'W/"1"' });
      res.end(text);
    };
    const got = await edge.ask("/Observation", {
      method: "POST",
      body: text,
      headers: { "content-type": "application/fhir+json" },
      claims: { scope: "patient/*.cruds" },
    });
    expect([got.status, got.text]).toEqual([201, text]);
    expect(edge.backend.bodies).toEqual([text]);
  });

  it("HEAD is judged like GET and has no body", async () => {
    const edge = await startEdge();
    const whole = await edge.ask("/Patient/a");
    const head = await edge.ask("/Patient/a", { method: "HEAD" });
    expect([head.status, head.text, head.headers.get("content-length")]).toEqual([200, "", String(whole.text.length)]);
    expect((await edge.ask("/Patient/b", { method: "HEAD" })).status).toBe(404);
    expect(edge.records.map(({ method }) => method)).toContain("HEAD");
  });

  it("a start on a port that is taken leaves nothing open", async () => {
    const edge = await startEdge();
    const folder = await mkdtemp(join(tmpdir(), "edge-taken-"));
    const again = startEdge((policy) => ({ ...policy, listen: { port: edge.port }, audit: { folder } }));
    await expect(again).rejects.toMatchObject({
      code: "EADDRINUSE",
      message: expect.stringContaining("in use") as string,
    });
    // The ledger was given up, with its stop recorded.
    await (await openLedger({ folder })).close();
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 2 });
    await rm(folder, { recursive: true });
  });

  it("F15: a connection that never asked anything does not hold up the close", async () => {
    const edge = await startEdge();
    const silent = connect(edge.port, "127.0.0.1");
    silent.on("error", () => undefined);
    await new Promise((resolve) => silent.once("connect", resolve));
    const ended = new Promise((resolve) => silent.once("close", resolve));
    const start = performance.now();
    await edge.gateway.close();
    await ended;
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it("F15: closing tells a client that asks and asks to come no more on its connection, instead of cutting one of its requests", async () => {
    const edge = await startEdge();
    const held: (() => void)[] = [];
    edge.backend.answer = (_req, res) => void held.push(() => fhir(res, patient("a")));
    const head = `GET /fhir/Patient/a HTTP/1.1\r\nHost: e\r\nAuthorization: Bearer ${await edge.issuer.token({ patient: "a", scope: "patient/*.rs" })}\r\n\r\n`;
    const clients = Array.from({ length: 8 }, () => askOn(edge.port, head, 50));
    await expect.poll(() => held.length).toBe(8);
    const closing = edge.gateway.close();
    edge.backend.answer = (_req, res) => fhir(res, patient("a"));
    for (const answer of held) answer();
    for (const { answers, toldToClose } of await Promise.all(clients)) {
      expect(answers).toBeLessThan(50);
      expect(toldToClose).toBe(true);
    }
    await closing;
  });

  it("F15: closing lets the answer in work end, then refuses connections", async () => {
    const edge = await startEdge();
    edge.backend.answer = (_req, res) => void setTimeout(() => fhir(res, patient("a")), 200);
    const asked = edge.ask("/Patient/a");
    await expect.poll(() => edge.backend.asked.length).toBe(1);
    const closing = edge.gateway.close();
    expect((await asked).status).toBe(200);
    await closing;
    expect(await raw(edge.port, "GET / HTTP/1.1\r\nHost: e\r\n\r\n")).toBe("");
  });
});

/** Asks again on the same connection after each answer, until told to close it, or so many times. Rejects when one stays unanswered. */
function askOn(port: number, head: string, times: number): Promise<{ answers: number; toldToClose: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(head));
    let answers = 0;
    let got = "";
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the connection was closed with a request on it")));
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
      const body = got.split("\r\n\r\n")[1];
      if (body === undefined || body.length < Number(/content-length: (\d+)/i.exec(got)?.[1])) return;
      answers += 1;
      const toldToClose = /\r\nconnection: close\r\n/i.test(got);
      got = "";
      if (!toldToClose && answers < times) return void socket.write(head);
      resolve({ answers, toldToClose });
      socket.destroy();
    });
  });
}
