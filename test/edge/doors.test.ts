import { createHash, X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AgentOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyDocument } from "@wardline/policy-types";
import { codeIn, type IssuedCertificate, type TestCa, testCa } from "@wardline-tools/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";

let folder: string;
let ca: TestCa;
let payer: IssuedCertificate;
let other: IssuedCertificate;
let revoked: IssuedCertificate;
let stranger: IssuedCertificate;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "doors-"));
  ca = await testCa();
  const client = (name: string): Promise<IssuedCertificate> => ca.issue({ name, use: "client" });
  [payer, other, revoked] = await Promise.all([client("payer"), client("other"), client("revoked")]);
  stranger = await (await testCa("Another CA")).issue({ name: "payer", use: "client" });
  const server = await ca.issue({ name: "edge", dns: ["localhost"], ip: ["127.0.0.1"] });
  await Promise.all([
    writeFile(join(folder, "cert.pem"), server.cert),
    writeFile(join(folder, "key.pem"), server.key),
    writeFile(join(folder, "ca.pem"), ca.cert),
    writeFile(join(folder, "crl.pem"), await ca.crl([revoked.serial])),
  ]);
});
afterAll(() => rm(folder, { recursive: true }));

function twoDoors(policy: PolicyDocument): PolicyDocument {
  const [patient] = policy.routes;
  if (patient === undefined) throw new Error("no route");
  return {
    ...policy,
    // Each route expects its own address, so that a token of one zone opens nothing in the other.
    issuers: policy.issuers.map(({ audience: _audience, ...issuer }) => issuer),
    listeners: {
      partners: {
        port: 0,
        zones: ["partner"],
        tls: {
          cert: join(folder, "cert.pem"),
          key: `file:${join(folder, "key.pem")}`,
          clientCa: [join(folder, "ca.pem")],
          crl: [join(folder, "crl.pem")],
        },
      },
    },
    routes: [patient, { ...patient, id: "payers", path: "/payer", zone: "partner", apiType: "payer-to-payer" }],
  };
}

/** The RFC 9728 document of the route, with whatever certificate. */
async function metadata(edge: Edge, path: string): Promise<unknown> {
  const { port } = edge.listeners["partners"] ?? {};
  const place = { host: "127.0.0.1", port, path: `/.well-known/oauth-protected-resource${path}`, ca: ca.cert };
  const text = await new Promise<string>((resolve, reject) => {
    const req = request({ ...place, agent: false, cert: payer.cert, key: payer.key }, (res) => {
      let got = "";
      res.setEncoding("utf8").on("data", (chunk: string) => {
        got += chunk;
      });
      res.once("end", () => resolve(got));
    });
    req.once("error", reject);
    req.end();
  });
  return JSON.parse(text) as unknown;
}

/** Status and code, or the error's own word where the handshake or the connection fails. */
function ask(
  edge: Edge,
  path: string,
  token: string,
  certificate: Pick<AgentOptions, "cert" | "key"> = {},
): Promise<unknown> {
  const { port } = edge.listeners["partners"] ?? {};
  const headers = { Authorization: `Bearer ${token}` };
  return new Promise((resolve) => {
    const req = request(
      { host: "127.0.0.1", port, path, headers, ca: ca.cert, agent: false, ...certificate },
      (res) => {
        let text = "";
        res.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        res.once("end", () => resolve([res.statusCode, codeIn(text)]));
      },
    );
    req.once("error", () => resolve("no connection"));
    req.end();
  });
}

const system = (edge: Edge, certificate?: IssuedCertificate): Promise<string> =>
  edge.issuer.token({
    aud: "http://127.0.0.1/payer",
    sub: "app",
    scope: "system/Patient.rs",
    ...(certificate === undefined ? {} : { cnf: { "x5t#S256": thumbprint(certificate) } }),
  });

function thumbprint({ cert }: IssuedCertificate): string {
  return createHash("sha256").update(new X509Certificate(cert).raw).digest("base64url");
}

describe("a door with client certificates", () => {
  it("lets in who holds a certificate and a token bound to it", async () => {
    const edge = await startEdge(twoDoors);
    expect(await ask(edge, "/payer/Patient/a", await system(edge, payer), payer)).toEqual([200, undefined]);
    expect(edge.records.at(-1)).toMatchObject({ zone: "partner", clientCertificate: { subject: "CN=payer" } });
  });

  it.each<[string, () => IssuedCertificate | undefined]>([
    ["no certificate", () => undefined],
    ["a certificate of another authority", () => stranger],
    ["a revoked certificate", () => revoked],
  ])("gives no connection to %s", async (_what, certificate) => {
    const edge = await startEdge(twoDoors);
    expect(await ask(edge, "/payer/Patient/a", await system(edge, payer), certificate())).toBe("no connection");
    expect(edge.records).toEqual([]);
  });

  it.each<[string, () => IssuedCertificate | undefined, () => IssuedCertificate]>([
    ["a token bound to nobody", () => undefined, () => payer],
    ["somebody else's token", () => payer, () => other],
  ])("refuses %s", async (_what, bound, presented) => {
    const edge = await startEdge(twoDoors);
    expect(await ask(edge, "/payer/Patient/a", await system(edge, bound()), presented())).toEqual([
      401,
      "smart-auth/token-invalid",
    ]);
  });
});

describe("RFC 9728", () => {
  it("tells partners that tokens are bound to certificates, and patients nothing of it", async () => {
    const edge = await startEdge(twoDoors);
    const bound = { tls_client_certificate_bound_access_tokens: true };
    expect(await metadata(edge, "/payer")).toMatchObject({ resource: "http://127.0.0.1/payer", ...bound });
    const open = await fetch(`http://127.0.0.1:${edge.port}/.well-known/oauth-protected-resource/fhir`);
    expect(Object.keys((await open.json()) as object)).not.toContain("tls_client_certificate_bound_access_tokens");
  });
});

describe("zones do not meet", () => {
  it("no door leads to another zone's routes", async () => {
    const edge = await startEdge(twoDoors);
    const token = await system(edge, payer);
    expect(await ask(edge, "/fhir/Patient/a", token, payer)).toEqual([404, undefined]);
    const plain = await fetch(`http://127.0.0.1:${edge.port}/payer/Patient/a`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect([plain.status, codeOf(await plain.json())]).toEqual([404, undefined]);
  });

  it("a patient's token opens nothing in the partner zone", async () => {
    const edge = await startEdge(twoDoors);
    const token = await edge.issuer.token({ aud: "http://127.0.0.1/fhir", scope: "patient/*.rs", patient: "a" });
    expect(await ask(edge, "/payer/Patient/a", token, payer)).toEqual([401, "smart-auth/token-invalid"]);
  });
});

describe("behind a terminator", () => {
  it.each(["nginx", "aws"] as const)(
    "%s's usual header carries the certificate, from the terminator only",
    async (format) => {
      const name = format === "nginx" ? "X-SSL-Client-Cert" : "X-Amzn-Mtls-Clientcert-Leaf";
      const terminated = (proxies: string[]) => (policy: PolicyDocument) => ({
        ...policy,
        trustedProxies: proxies,
        clientCertificateHeader: { format },
        routes: policy.routes.map((route) => ({ ...route, zone: "partner" as const, apiType: "payer-to-payer" })),
      });
      const askedOf = async (edge: Edge): Promise<number> => {
        const claims = {
          sub: "app",
          scope: "system/Patient.rs",
          cnf: { "x5t#S256": thumbprint(payer) },
          patient: undefined,
        };
        const headers = {
          "X-Forwarded-For": "192.0.2.1",
          "X-Forwarded-Proto": "https",
          [name]: encodeURIComponent(payer.cert),
        };
        return (await edge.ask("/Patient/a", { claims, headers })).status;
      };
      expect(await askedOf(await startEdge(terminated(["127.0.0.1/32"])))).toBe(200);
      expect(await askedOf(await startEdge(terminated(["10.0.0.0/24"])))).not.toBe(200);
    },
  );
});
