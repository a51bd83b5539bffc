import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPolicy, createGateway, type Gateway } from "@wardline/gateway";
import type { PolicySource, RouteSource } from "@wardline/policy-types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Issuer, startIssuer } from "./support/issuer.ts";

interface Asked {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** Says of each Patient which version it is of. */
async function startUpstream(fhirVersion: string): Promise<{ url: string; asked: Asked[]; stop: () => Promise<void> }> {
  const asked: Asked[] = [];
  const server = createServer((req, res) => {
    asked.push({ url: req.url ?? "", headers: req.headers });
    const patient = { resourceType: "Patient", id: "a", meta: { versionId: fhirVersion } };
    req.resume().once("end", () => {
      res.writeHead(req.method === "POST" ? 201 : 200, {
        "Content-Type": `application/fhir+json; fhirVersion=${fhirVersion}`,
      });
      res.end(JSON.stringify(patient));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${fhirVersion}`,
    asked,
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

const ROUTE: RouteSource = {
  id: "fhir",
  path: "/fhir",
  zone: "patient",
  apiType: "patient-access",
  upstream: "r4",
  interactions: ["read", "create"],
  versions: [{ fhirVersion: "4.3", upstream: "r4b" }],
  redaction: "full",
};
const WEIGHT = {
  resourceType: "Observation",
  status: "final",
  code: { text: "weight" },
  subject: { reference: "Patient/a" },
};
const R4B = "application/fhir+json; fhirVersion=4.3";

describe("versions of FHIR", () => {
  let folder: string;
  let issuer: Issuer;
  let r4: Awaited<ReturnType<typeof startUpstream>>;
  let r4b: typeof r4;
  let gateway: Gateway;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "versions-"));
    [issuer, r4, r4b] = await Promise.all([
      startIssuer(() => "http://127.0.0.1/fhir"),
      startUpstream("4.0"),
      startUpstream("4.3"),
    ]);
    gateway = await createGateway(policyOf([ROUTE, { ...ROUTE, id: "plain", path: "/r4", versions: [] }]), {
      onEvent: () => undefined,
    });
    url = (await gateway.listen()).url;
  });
  afterAll(async () => {
    await gateway.close();
    await Promise.all([issuer.close(), r4.stop(), r4b.stop()]);
    await rm(folder, { recursive: true });
  });

  const policyOf = (routes: readonly RouteSource[], more: Partial<PolicySource> = {}): PolicySource => ({
    development: true,
    publicOrigin: "http://127.0.0.1",
    listen: { port: 0 },
    issuers: [{ issuer: issuer.url, jwksUri: issuer.jwksUri, audience: ["http://127.0.0.1/fhir"] }],
    upstreams: { r4: { url: r4.url }, r4b: { url: r4b.url } },
    routes: routes.map((route) => (route.versions?.length === 0 ? withoutVersions(route) : route)),
    audit: { folder },
    ...more,
  });

  async function ask(path: string, headers: Record<string, string>, body?: object): Promise<Response> {
    const token = await issuer.token({ patient: "a", scope: "patient/*.crs" });
    return fetch(url + path, {
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
  }

  const versionIn = async (answer: Response): Promise<unknown> =>
    ((await answer.json()) as { meta?: { versionId?: string } }).meta?.versionId;

  it.each([
    ["no version", { accept: "application/fhir+json" }, "4.0"],
    ["R4", { accept: "application/fhir+json; fhirVersion=4.0" }, "4.0"],
    ["R4B", { accept: R4B }, "4.3"],
  ])("who asks for %s is answered by its upstream, in it", async (_what, headers, version) => {
    const answer = await ask("/fhir/Patient/a", headers);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain(`fhirVersion=${version}`);
    expect(await versionIn(answer)).toBe(version);
  });

  it("an upstream is told which version the answer, and the body, is to be in", async () => {
    expect((await ask("/fhir/Observation", { "content-type": R4B }, WEIGHT)).status).toBe(201);
    expect(r4b.asked.at(-1)).toMatchObject({ url: "/4.3/Observation", headers: { accept: R4B, "content-type": R4B } });
    expect(
      (await ask("/fhir/Observation", { "content-type": "application/fhir+json", accept: R4B }, WEIGHT)).status,
    ).toBe(201);
    expect(r4b.asked.at(-1)?.headers["content-type"]).toBe(R4B);
  });

  it.each([
    ["a version that is not served", "/fhir", { accept: "application/fhir+json; fhirVersion=5.0" }, undefined, 406],
    ["a body of such a version", "/fhir", { "content-type": "application/fhir+json; fhirVersion=3.0" }, {}, 415],
    [
      "two versions in one exchange",
      "/fhir",
      { "content-type": R4B, accept: "application/fhir+json; fhirVersion=4.0" },
      {},
      406,
    ],
    ["R4B where only R4 is served", "/r4", { accept: R4B }, undefined, 406],
    ["a body of R4B there", "/r4", { "content-type": R4B }, {}, 415],
  ])("R4 3.1.0.1.14: %s is refused, and no upstream is asked", async (_what, path, headers, more, status) => {
    const before = r4.asked.length + r4b.asked.length;
    const body = more === undefined ? undefined : WEIGHT;
    expect((await ask(path + (body === undefined ? "/Patient/a" : "/Observation"), headers, body)).status).toBe(status);
    expect(r4.asked.length + r4b.asked.length).toBe(before);
  });

  it("R4B is guarded as R4 is: another patient's data do not leave", async () => {
    const token = await issuer.token({ patient: "b", scope: "patient/*.rs" });
    const answer = await fetch(`${url}/fhir/Patient/a`, { headers: { authorization: `Bearer ${token}`, accept: R4B } });
    expect(answer.status).toBe(404);
  });

  it.each<[string, RouteSource, Partial<PolicySource>, string]>([
    [
      "the first version again",
      { ...ROUTE, versions: [{ fhirVersion: "4.0", upstream: "r4b" }] },
      {},
      "versions[0].fhirVersion: two upstreams answer for FHIR 4.0",
    ],
    [
      "an unknown upstream",
      { ...ROUTE, versions: [{ fhirVersion: "4.3", upstream: "r5" }] },
      {},
      "versions[0].upstream: there is no upstream `r5`",
    ],
    ["a version it cannot judge", { ...ROUTE, fhirVersion: "5.0" as "4.0" }, {}, "routes[0].fhirVersion: "],
    [
      "exports of its own",
      { ...ROUTE, operations: ["export"] },
      { bulkExport: { folder: "x" } },
      "versions: an export that this edge answers later names no version",
    ],
  ])("F11: a policy with %s is refused", (_what, route, more, message) => {
    expect(() => checkPolicy(policyOf([route], more))).toThrow(message);
  });
});

function withoutVersions({ versions: _versions, ...route }: RouteSource): RouteSource {
  return route;
}
