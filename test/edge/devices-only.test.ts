import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AgentOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyDocument } from "@wardline/policy-types";
import { type IssuedCertificate, type TestCa, testCa } from "@wardline-tools/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fhir, type Json } from "./support/backend.ts";
import { type Edge, startEdge } from "./support/edge.ts";

let folder: string;
let ca: TestCa;
let monitor: IssuedCertificate;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "devices-only-"));
  ca = await testCa();
  monitor = await ca.issue({ name: "monitor", use: "client", uri: ["urn:example:monitor-1"] });
  const server = await ca.issue({ name: "edge", dns: ["localhost"], ip: ["127.0.0.1"] });
  await Promise.all([
    writeFile(join(folder, "cert.pem"), server.cert),
    writeFile(join(folder, "key.pem"), server.key),
    writeFile(join(folder, "ca.pem"), ca.cert),
  ]);
});
afterAll(() => rm(folder, { recursive: true }));

/** Nobody is named who could issue a token. */
function devicesOnly({ issuers: _nobody, ...policy }: PolicyDocument): PolicyDocument {
  const [first] = policy.routes;
  if (first === undefined) throw new Error("the edge has a route");
  return {
    ...policy,
    listen: {
      port: 0,
      zones: ["device"],
      tls: {
        cert: join(folder, "cert.pem"),
        key: `file:${join(folder, "key.pem")}`,
        clientCa: [join(folder, "ca.pem")],
      },
    },
    devices: [
      {
        name: "monitor",
        issuedBy: [join(folder, "ca.pem")],
        identity: { name: "uri", prefix: "urn:example:" },
        scopes: ["system/Observation.c"],
        addresses: ["127.0.0.0/8"],
      },
    ],
    routes: [{ ...first, zone: "device", apiType: "telemetry", interactions: ["create"], types: ["Observation"] }],
  } as unknown as PolicyDocument;
}

function send(
  edge: Edge,
  headers: Record<string, string>,
  caller: Pick<AgentOptions, "cert" | "key">,
): Promise<number> {
  const body = JSON.stringify({ resourceType: "Observation", status: "final", code: { text: "pulse" } });
  return new Promise((resolve) => {
    const req = request(
      {
        host: "127.0.0.1",
        port: edge.port,
        path: "/fhir/Observation",
        method: "POST",
        headers: { "Content-Type": "application/fhir+json", ...headers },
        ca: ca.cert,
        agent: false,
        ...caller,
      },
      (res) => {
        res.resume();
        res.once("end", () => resolve(res.statusCode ?? 0));
      },
    );
    req.once("error", () => resolve(0));
    req.end(body);
  });
}

describe("an edge for devices alone", () => {
  it("needs no issuer, and takes what devices send", async () => {
    const edge = await startEdge(devicesOnly);
    edge.backend.answer = (_req, res, body) => fhir(res, JSON.parse(body) as Json, 201);
    expect(await send(edge, {}, monitor)).toBe(201);
  });

  it("A5: takes no token of anybody, with a certificate or without", async () => {
    const edge = await startEdge(devicesOnly);
    const token = { Authorization: `Bearer ${await edge.issuer.token({ scope: "system/*.cruds" })}` };
    expect(await send(edge, token, {})).toBe(0);
    expect(await send(edge, token, monitor)).not.toBe(201);
    expect(edge.backend.asked).toEqual([]);
  });
});
