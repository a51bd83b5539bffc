import { connect, type Socket } from "node:net";
import type { PolicyDocument } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { fhir, startBackend } from "./support/backend.ts";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";

const OBSERVATION = {
  resourceType: "Observation",
  status: "final",
  code: { text: "weight" },
  subject: { reference: "Patient/a" },
};
const CLAIMS = { patient: "a", scope: "patient/*.cruds" };

function create(edge: Edge, key: string, body: object = OBSERVATION, claims: object = CLAIMS): ReturnType<Edge["ask"]> {
  return edge.ask("/Observation", {
    method: "POST",
    headers: { "Content-Type": "application/fhir+json", "Idempotency-Key": key },
    body: JSON.stringify(body),
    claims: { ...claims },
  });
}

/** On a connection of its own, which may be left. */
async function send(edge: Edge, key: string): Promise<Socket> {
  const token = await edge.issuer.token(CLAIMS);
  const body = JSON.stringify(OBSERVATION);
  const socket = connect(edge.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(
    `POST /fhir/Observation HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: ${key}\r\n` +
      `Content-Type: application/fhir+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return socket;
}

/** Sends one whose client has gone before the upstream answers; what it gives lets the upstream answer. */
async function sendAndLeave(edge: Edge): Promise<() => void> {
  const held: (() => void)[] = [];
  edge.backend.answer = (_req, res) => void held.push(() => fhir(res, OBSERVATION, 201));
  const socket = await send(edge, "k");
  await expect.poll(() => held.length).toBe(1);
  socket.destroy();
  await expect.poll(() => edge.records.length).toBe(1);
  return () => held[0]?.();
}

describe("Idempotency-Key", () => {
  it("a repeat is answered again and not done again", async () => {
    const edge = await startEdge();
    const first = await create(edge, '"a-1"');
    const second = await create(edge, '"a-1"');
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.text).toBe(first.text);
    expect(second.headers.get("location")).toBe(first.headers.get("location"));
    expect(first.headers.get("cache-status")).toBe(null);
    expect(second.headers.get("cache-status")).toBe("wardline; hit; detail=idempotency-key");
    expect(edge.backend.asked.filter((asked) => asked.startsWith("POST"))).toHaveLength(1);
  });

  it("the upstream gets a key of ours, so that two callers' keys do not meet there", async () => {
    const edge = await startEdge();
    await create(edge, "same");
    await create(edge, "same", OBSERVATION, { ...CLAIMS, sub: "somebody-else" });
    const keys = edge.backend.headers.map((headers) => headers["idempotency-key"]);
    expect(new Set(keys).size).toBe(2);
    expect(keys).not.toContain("same");
  });

  it.each([
    [
      "another body under the same key",
      "k",
      { ...OBSERVATION, status: "amended" },
      422,
      "gateway/idempotency-other-request",
    ],
    ["a key that is none", "two, keys", OBSERVATION, 400, "gateway/idempotency-key-invalid"],
  ])("refuses %s", async (_what, key, body, status, code) => {
    const edge = await startEdge();
    await create(edge, "k");
    const got = await create(edge, key, body);
    expect([got.status, codeOf(got.json)]).toEqual([status, code]);
  });

  it("S15: the answer of one system is not given for a request to another, and tells nothing of where the first lies", async () => {
    const lab = await startBackend();
    const edge = await startEdge((policy) => ({
      ...policy,
      upstreams: { ...policy.upstreams, lab: { url: lab.url } },
      routes: policy.routes.flatMap((route) => [route, { ...route, id: "lab", path: "/lab", upstream: "lab" }]),
    }));
    edge.backend.answer = (_req, res) => {
      res.setHeader("Location", `${edge.backend.url}/Observation/1`);
      fhir(res, { ...OBSERVATION, note: [{ text: edge.backend.url }] }, 201);
    };
    expect((await create(edge, "k")).status).toBe(201);
    const headers = {
      Authorization: `Bearer ${await edge.issuer.token(CLAIMS)}`,
      "Content-Type": "application/fhir+json",
      "Idempotency-Key": "k",
    };
    const init = { method: "POST", headers, body: JSON.stringify(OBSERVATION) };
    const got = await fetch(edge.base.replace("/fhir", "/lab/Observation"), init);
    const text = await got.text();
    await lab.stop();
    expect([got.status, codeOf(JSON.parse(text))]).toEqual([422, "gateway/idempotency-other-request"]);
    expect(`${JSON.stringify([...got.headers])} ${text}`).not.toContain(new URL(edge.backend.url).host);
  });

  it("F2: what was cut off half-way is not done again under its key", async () => {
    const edge = await startEdge();
    edge.backend.answer = (_req, res) => void res.destroy();
    expect((await create(edge, "k")).status).toBe(502);
    const again = await create(edge, "k");
    expect([again.status, codeOf(again.json)]).toEqual([409, "gateway/idempotency-in-work"]);
  });

  it.each([502, 504])(
    "F2: what a proxy before the upstream answers with %i is not done again under its key",
    async (status) => {
      const edge = await startEdge();
      let asked = 0;
      edge.backend.answer = (_req, res) => {
        asked += 1;
        res.writeHead(status, { "Content-Type": "application/fhir+json" }).end('{"resourceType":"OperationOutcome"}');
      };
      expect((await create(edge, "k")).status).toBe(status);
      const again = await create(edge, "k");
      expect([again.status, codeOf(again.json), asked]).toEqual([409, "gateway/idempotency-in-work", 1]);
    },
  );

  it.each([429, 500, 503])("what the upstream refuses with %i may be tried again", async (status) => {
    const edge = await startEdge();
    const { answer } = edge.backend;
    edge.backend.answer = (_req, res) => {
      res.writeHead(status, { "Content-Type": "application/fhir+json" }).end('{"resourceType":"OperationOutcome"}');
    };
    expect((await create(edge, "k")).status).toBe(status);
    edge.backend.answer = answer;
    expect((await create(edge, "k")).status).toBe(200);
  });

  it("what never reached the upstream may be tried again", async () => {
    const edge = await startEdge();
    await edge.backend.stop();
    expect((await create(edge, "k")).status).toBe(502);
    expect((await create(edge, "k")).status).toBe(502);
  });

  it("a client that left finds what came of its request", async () => {
    const edge = await startEdge();
    const answer = edge.backend.answer;
    let release: (() => void) | undefined;
    const began = new Promise<void>((resolve) => {
      edge.backend.answer = (req, res, body) => {
        release = () => answer(req, res, body);
        resolve();
      };
    });
    const socket = await send(edge, "k");
    await began;
    socket.destroy();
    await expect.poll(() => edge.records.length).toBe(1);
    release?.();
    await expect.poll(async () => (await create(edge, "k")).status).toBe(200);
    expect(edge.backend.asked.filter((asked) => asked.startsWith("POST"))).toHaveLength(1);
  });

  it.each<[string, (policy: PolicyDocument) => PolicyDocument, string]>([
    ["a pool", (policy) => ({ ...policy, pools: { capacity: 1, pools: { ordinary: {} } } }), "pool-full"],
    [
      "its tier",
      ({ tiers, ...policy }) => ({ ...policy, tiers: { ...tiers, apps: { ...tiers["apps"], concurrency: 1 } } }),
      "concurrency-exceeded",
    ],
  ])(
    "F13: what a client left to be carried through keeps its slot of %s until it ends",
    async (_what, change, code) => {
      const edge = await startEdge(change);
      const release = await sendAndLeave(edge);
      expect(codeOf((await create(edge, "l")).json)).toBe(`tiered-throttle/${code}`);
      edge.backend.answer = (_req, res) => fhir(res, OBSERVATION, 201);
      release();
      await expect.poll(async () => (await create(edge, "l")).status).toBe(201);
    },
  );

  it("F13: a new policy with other upstreams does not cut off what a client left to be carried through", async () => {
    let policy: PolicyDocument | undefined;
    const edge = await startEdge((given) => {
      policy = given;
      return given;
    });
    const release = await sendAndLeave(edge);
    const upstreams = { ehr: { url: edge.backend.url, connections: 5 } };
    await edge.gateway.reload({ ...policy, upstreams } as PolicyDocument);
    release();
    await expect.poll(async () => (await create(edge, "k")).status).toBe(201);
    expect(edge.backend.asked).toHaveLength(1);
  });
});
