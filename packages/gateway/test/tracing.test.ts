import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Attributes, type Context, type SpanOptions, trace } from "@opentelemetry/api";
import { assertNoPhi } from "@wardline/phi-redact";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createGateway, type Gateway } from "../src/index.ts";

interface Made {
  readonly name: string;
  readonly attributes: Attributes;
  readonly parent: string | undefined;
  ended: boolean;
}

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const OWN = "00f067aa0ba902b7";
const spans: Made[] = [];
/** Remembers spans as an SDK would be told them. */
const tracerProvider = {
  getTracer: () => ({
    startSpan(name: string, { attributes = {} }: SpanOptions, parent: Context) {
      const above = trace.getSpanContext(parent);
      const made: Made = { name, attributes: { ...attributes }, parent: above?.spanId, ended: false };
      spans.push(made);
      return {
        spanContext: () => ({ traceId: above?.traceId ?? TRACE, spanId: OWN, traceFlags: 1 }),
        isRecording: () => true,
        setAttribute: (key: string, value: string) => Object.assign(made.attributes, { [key]: value }),
        setAttributes: (more: Attributes) => Object.assign(made.attributes, more),
        setStatus: () => undefined,
        end() {
          made.ended = true;
        },
      };
    },
  }),
};

const PATIENT = { resourceType: "Patient", id: "jane-roe-1970", name: [{ family: "Roe", given: ["Jane"] }] };
const asked: Record<string, string | string[] | undefined>[] = [];
let gateway: Gateway;
let url: string;
let token: string;
let folder: string;
const servers: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracing-"));
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" }] };
  const issuer = await listen((_req, res) => res.end(JSON.stringify(keys)));
  const upstream = await listen((req, res) => {
    asked.push(req.headers);
    if (req.url?.includes("broken") === true) {
      req.socket.destroy();
      return;
    }
    res.writeHead(200, { "Content-Type": "application/fhir+json" });
    res.end(JSON.stringify(req.url?.includes("?") === true ? { resourceType: "Bundle", type: "searchset" } : PATIENT));
  });
  gateway = await createGateway(
    {
      development: true,
      publicOrigin: "http://127.0.0.1",
      listen: { port: 0 },
      upstream: `${upstream}/r4`,
      issuers: [{ issuer, jwksUri: `${issuer}/jwks` }],
      audit: { folder },
    },
    { tracerProvider, onEvent: () => undefined },
  );
  url = (await gateway.listen()).url;
  token = await new SignJWT({
    client_id: "app",
    scope: "patient/*.rs",
    patient: "jane-roe-1970",
    jti: "secret-token-id",
  })
    .setProtectedHeader({ alg: "ES256", kid: "k", typ: "at+jwt" })
    .setIssuer(issuer)
    .setAudience("http://127.0.0.1/fhir")
    .setSubject("jane.roe@example.org")
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(privateKey);
});
afterAll(async () => {
  await gateway.close();
  for (const server of servers) server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  spans.length = 0;
  asked.length = 0;
});

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<number> {
  const answer = await fetch(url + path, { method, headers: { Authorization: `Bearer ${token}`, ...headers } });
  await answer.arrayBuffer();
  return answer.status;
}

describe("spans", () => {
  it("tell route, zone, interaction and status of a request", async () => {
    expect(await ask("/fhir/Patient/jane-roe-1970")).toBe(200);
    await expect.poll(() => spans.map(({ ended }) => ended)).toEqual([true]);
    expect(spans[0]).toMatchObject({
      name: "GET /fhir",
      parent: undefined,
      attributes: {
        "http.request.method": "GET",
        "http.route": "/fhir",
        "http.response.status_code": 200,
        "wardline.zone": "patient",
        "wardline.api_type": "patient-access",
        "wardline.route": "patient-access",
        "wardline.interaction": "read",
        "wardline.resource_type": "Patient",
      },
    });
  });

  it("continue a trace, and are continued by the upstream", async () => {
    await ask("/fhir/Patient/jane-roe-1970", { traceparent: `00-${TRACE}-1111111111111111-01` });
    expect(spans[0]?.parent).toBe("1111111111111111");
    expect(asked[0]?.["traceparent"]).toBe(`00-${TRACE}-${OWN}-01`);
  });

  it.each(["nonsense", `00-${"0".repeat(32)}-1111111111111111-01`])(
    "begin anew under a traceparent that is none",
    async (traceparent) => {
      await ask("/fhir/Patient/jane-roe-1970", { traceparent });
      expect(spans[0]?.parent).toBeUndefined();
    },
  );

  it("pass on no free text of others", async () => {
    const headers = { tracestate: "vendor=jane", baggage: "patient=jane" };
    await ask("/fhir/Patient/jane-roe-1970", { traceparent: `00-${TRACE}-1111111111111111-01`, ...headers });
    expect(asked[0]).not.toHaveProperty("tracestate");
    expect(asked[0]).not.toHaveProperty("baggage");
  });

  it.each<[string, string, Record<string, string>, string]>([
    ["a read", "/fhir/Patient/jane-roe-1970", {}, "GET"],
    ["a search by name", "/fhir/Patient?name=Roe&birthdate=1970-05-04", {}, "GET"],
    ["a search by an identifier", "/fhir/Patient?identifier=http://hl7.org/fhir/sid/us-ssn|123-45-6789", {}, "GET"],
    ["somebody else's record", "/fhir/Patient/john-doe-1944", {}, "GET"],
    ["a path nothing is served under", "/Roe/123-45-6789", {}, "GET"],
    ["a type that is a name", "/fhir/Roe/123-45-6789", {}, "GET"],
    ["a method of the client's own", "/fhir/Patient/jane-roe-1970", {}, "PROPFIND"],
    ["nobody", "/fhir/Patient/jane-roe-1970", { Authorization: "Bearer Roe" }, "GET"],
    ["an upstream that breaks off", "/fhir/Patient?name=broken-Roe", {}, "GET"],
  ])("A14: hold nothing of %s", async (_what, path, headers, method) => {
    await ask(path, headers, method);
    await expect.poll(() => spans.map(({ ended }) => ended)).toEqual([true]);
    const texts = ["jane", "roe", "john", "1970", "123-45-6789", "secret-token-id", "PROPFIND", url];
    expect(() => assertNoPhi(spans, { texts, resources: [PATIENT] })).not.toThrow();
    expect(JSON.stringify(spans)).not.toMatch(/127\.0\.0\.1|bearer/i);
  });
});
