import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { ConfigurationError } from "@wardline/policy-types";
import { codeIn } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { clientCertificate } from "../src/certificate/read.ts";
import { type ClientCertificateHeader, smartAuth } from "../src/index.ts";
import { parseOptions, type SmartAuthOptions } from "../src/options.ts";
import { createBackend } from "./support/backend.ts";
import { createAuthority, issue, type TestCertificate } from "./support/certificates.ts";
import { codeOf, createEdge } from "./support/edge.ts";
import { AUDIENCE, createIssuer, NOW } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

const AUTHORITY = createAuthority("Test CA");
const SERVER = issue(AUTHORITY, "Test CA", "server");
const CLIENT = issue(AUTHORITY, "Test CA", "client");
const OTHER = issue(AUTHORITY, "Test CA", "other client");
const FOREIGN = createAuthority("Nobody's CA");
const CHALLENGE = `Bearer realm="${AUDIENCE}", error="invalid_token"`;
const bound = (to: TestCertificate) => ({ cnf: { "x5t#S256": to.x5tS256 } });

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

describe.each(EXPRESS)("RFC 8705: a token over TLS on %s", (_name, express) => {
  async function askTls(claims: object, certificate?: TestCertificate, options: Partial<SmartAuthOptions> = {}) {
    const issuer = await createIssuer();
    const app = express();
    const guard = smartAuth({
      issuers: [issuer.policy],
      baseUrl: AUDIENCE,
      development: true,
      now: () => NOW * 1000,
      ...options,
    });
    app.use("/fhir", guard, createBackend(express).router);
    const tls = {
      key: SERVER.keyPem,
      cert: SERVER.pem,
      ca: AUTHORITY.pem,
      requestCert: true,
      rejectUnauthorized: false,
    };
    const server = createServer(tls, app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    const authorization = `Bearer ${await issuer.token({ ...claims })}`;
    return new Promise<{ status: number; code: string | undefined; challenge: string | undefined }>(
      (resolve, reject) => {
        const sent = request({
          host: "127.0.0.1",
          port: (server.address() as AddressInfo).port,
          path: "/fhir/Patient/p1",
          headers: { authorization },
          ca: AUTHORITY.pem,
          agent: false,
          ...(certificate === undefined ? {} : { key: certificate.keyPem, cert: certificate.pem }),
        });
        sent.once("error", reject);
        sent.once("response", (res) => {
          let text = "";
          res.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          res.once("end", () => {
            const challenge = res.headers["www-authenticate"];
            resolve({ status: res.statusCode ?? 0, code: codeIn(text), challenge });
          });
        });
        sent.end();
      },
    );
  }

  const refused = { status: 401, code: "smart-auth/token-invalid", challenge: CHALLENGE };

  it("counts with the certificate it is bound to", async () => {
    expect((await askTls(bound(CLIENT), CLIENT)).status).toBe(200);
  });

  it("counts without a binding, with and without a certificate", async () => {
    expect((await askTls({}, CLIENT)).status).toBe(200);
    expect((await askTls({})).status).toBe(200);
  });

  it.each<[string, object, TestCertificate | undefined, Partial<SmartAuthOptions>]>([
    ["bound to another certificate", bound(OTHER), CLIENT, {}],
    ["bound, without a certificate", bound(CLIENT), undefined, {}],
    ["bound to a certificate of an authority nobody trusts", bound(FOREIGN), FOREIGN, {}],
    ["not bound, where that is required", {}, CLIENT, { requireCertificateBound: true }],
    ["bound to a certificate and a key", { cnf: { ...bound(CLIENT).cnf, jkt: CLIENT.x5tS256 } }, CLIENT, {}],
    ["bound in hexadecimal", { cnf: { "x5t#S256": CLIENT.der.toString("hex") } }, CLIENT, {}],
    ["bound with padding", { cnf: { "x5t#S256": `${CLIENT.x5tS256}=` } }, CLIENT, {}],
    ["bound by a list", { cnf: [bound(CLIENT).cnf] }, CLIENT, {}],
    ["bound by a method beside it that nobody knows", { cnf: { ...bound(CLIENT).cnf, kid: "1" } }, CLIENT, {}],
    ["bound to nothing", { cnf: {} }, CLIENT, {}],
  ])("is refused: %s", async (_what, claims, certificate, options) => {
    expect(await askTls(claims, certificate, options)).toEqual(refused);
  });

  it("is refused with a header in place of the certificate, when nobody is trusted with it", async () => {
    const edge = await createEdge(express);
    const question = { headers: { "client-cert": `:${CLIENT.der.toString("base64")}:` } };
    const answer = await edge.as("patient/*.rs", "/Patient/p1", question, bound(CLIENT));
    expect([answer.status, codeOf(answer)]).toEqual([401, "smart-auth/token-invalid"]);
  });

  it("counts behind a trusted terminator, is remembered, and is refused without the header all the same", async () => {
    const clientCertificateHeader = { format: "rfc9440", trustedProxies: ["127.0.0.1"] } as const;
    const edge = await createEdge(express, { clientCertificateHeader, requireCertificateBound: true });
    const question = { headers: { "client-cert": `:${CLIENT.der.toString("base64")}:` } };
    const good = await edge.as("patient/*.rs", "/Patient/p1", question, bound(CLIENT));
    expect(good.status).toBe(200);
    expect(edge.context().principal?.confirmation).toEqual({ x5tS256: CLIENT.x5tS256 });
    const without = await edge.as("patient/*.rs", "/Patient/p1", {}, bound(CLIENT));
    expect([without.status, codeOf(without)]).toEqual([401, "smart-auth/token-invalid"]);
    expect(without.headers["www-authenticate"]).toBe(CHALLENGE);
  });
});

const escaped = encodeURIComponent(CLIENT.pem);
/** AWS leaves `+`, `=` and `/` as they are. */
const aws = escaped.replaceAll("%2B", "+").replaceAll("%3D", "=").replaceAll("%2F", "/");

describe("a terminator's header", () => {
  const PEER = "10.1.2.3";
  type Format = "rfc9440" | "nginx" | "envoy" | "aws";

  function read(format: Format, headers: readonly string[], peerAddress = PEER, own?: Buffer): Buffer | undefined {
    const clientCertificateHeader = { format, trustedProxies: ["10.0.0.0/8", "fd00::/8", "::ffff:192.0.2.0/120"] };
    const { certificateHeader } = parseOptions({
      issuers: [{ issuer: "https://as.example", audience: ["a"] }],
      baseUrl: "https://fhir.example.org/fhir",
      clientCertificateHeader,
    });
    const clientCertificateOf = (raw: Buffer) => ({ clientCertificate: { subject: "", fingerprint256: "", raw } });
    const transport = { peerAddress, ...(own === undefined ? {} : clientCertificateOf(own)) };
    return clientCertificate(headers, transport, certificateHeader);
  }

  const good: readonly [Format, string, string][] = [
    ["rfc9440", "Client-Cert", `:${CLIENT.der.toString("base64")}:`],
    ["nginx", "X-SSL-Client-Cert", escaped],
    ["envoy", "X-Forwarded-Client-Cert", `By=spiffe://a;Hash=ab;Cert="${escaped}";Subject="CN=\\"a;b\\"";URI=`],
    ["envoy", "X-Forwarded-Client-Cert", `Cert=${escaped}`],
    ["aws", "X-Amzn-Mtls-Clientcert-Leaf", aws],
  ];
  it.each(good)("is read as %s, %s", (format, name, value) => {
    expect(read(format, [name, value])).toEqual(CLIENT.der);
  });

  it.each(good)("as %s, %s counts once only", (format, name, value) => {
    expect(read(format, [name, value, name.toLowerCase(), value])).toBe(undefined);
    expect(read(format, [name, `${value}, ${value}`])).toBe(undefined);
    expect(read(format, [name, `${value},${value}`])).toBe(undefined);
  });

  it.each(good)("as %s, %s is one certificate or nothing", (format, name, value) => {
    expect(read(format, [name, ""])).toBe(undefined);
    expect(read(format, [name, value.slice(0, 200) + value.slice(204)])).not.toEqual(CLIENT.der);
    expect(read(format, [])).toBe(undefined);
  });

  it.each<[string, Format, string, string]>([
    ["PEM where DER belongs", "rfc9440", "Client-Cert", escaped],
    ["base64 without colons", "rfc9440", "Client-Cert", CLIENT.der.toString("base64")],
    ["base64url", "rfc9440", "Client-Cert", `:${CLIENT.der.toString("base64url")}:`],
    ["parameters", "rfc9440", "Client-Cert", `:${CLIENT.der.toString("base64")}:;a=1`],
    ["PEM that is not escaped", "nginx", "X-SSL-Client-Cert", CLIENT.pem.replaceAll("\n", " ")],
    ["a chain", "nginx", "X-SSL-Client-Cert", encodeURIComponent(CLIENT.pem + AUTHORITY.pem)],
    ["a broken escape", "nginx", "X-SSL-Client-Cert", "%E0%A4%A"],
    ["only a hash", "envoy", "X-Forwarded-Client-Cert", `Hash=${"ab".repeat(32)}`],
    ["two elements", "envoy", "X-Forwarded-Client-Cert", `Cert="${escaped}",Hash=1`],
    ["two certificates in one element", "envoy", "X-Forwarded-Client-Cert", `Cert="${escaped}";Cert="${escaped}"`],
    ["the certificate inside a quoted subject", "envoy", "X-Forwarded-Client-Cert", `Subject=";Cert=${escaped}"`],
    ["the unverified header of AWS", "aws", "X-Amzn-Mtls-Clientcert", aws],
  ])("is not read from %s", (_what, format, name, value) => {
    expect(read(format, [name, value])).toBe(undefined);
  });

  it.each(["192.0.2.7", "fd12::1", "10.255.255.255", "fd12::1%eth0", "::ffff:10.0.0.1"])(
    "is believed from %s",
    (peer) => {
      expect(read("nginx", ["X-SSL-Client-Cert", escaped], peer)).toEqual(CLIENT.der);
    },
  );

  it.each(["11.0.0.1", "192.0.3.7", "fe80::1", "::1", "", "10.0.0", "::a00:1"])("is not believed from %j", (peer) => {
    expect(read("nginx", ["X-SSL-Client-Cert", escaped], peer)).toBe(undefined);
  });

  it("does not replace the certificate of a peer that is not trusted", () => {
    expect(read("nginx", ["X-SSL-Client-Cert", escaped], "11.0.0.1", OTHER.der)).toEqual(OTHER.der);
  });

  it("is not replaced by the terminator's own certificate", () => {
    expect(read("nginx", [], PEER, OTHER.der)).toBe(undefined);
    expect(read("nginx", ["X-SSL-Client-Cert", escaped], PEER, OTHER.der)).toEqual(CLIENT.der);
  });

  it("never makes a certificate of anything else, and never throws", () => {
    fc.assert(
      fc.property(fc.constantFrom<Format>("rfc9440", "nginx", "envoy", "aws"), fc.string(), (format, value) => {
        const name = good.find(([one]) => one === format)?.[1] ?? "";
        expect(read(format, [name, value]) ?? CLIENT.der).toBeInstanceOf(Buffer);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the header's options", () => {
  it.each<[string, unknown, string]>([
    ["no object", null, "clientCertificateHeader not-an-object"],
    [
      "an unknown format",
      { format: "pem", trustedProxies: ["10.0.0.1"] },
      "clientCertificateHeader.format unknown-value",
    ],
    ["nobody trusted", { format: "nginx", trustedProxies: [] }, "clientCertificateHeader.trustedProxies missing"],
    ["everybody trusted", range("0.0.0.0/0"), "clientCertificateHeader.trustedProxies[0] not-a-range"],
    ["everybody trusted by IPv6", range("::/0"), "clientCertificateHeader.trustedProxies[0] not-a-range"],
    [
      "everybody trusted by a mapped range",
      range("::ffff:0.0.0.0/96"),
      "clientCertificateHeader.trustedProxies[0] not-a-range",
    ],
    ["a name in place of an address", range("proxy"), "clientCertificateHeader.trustedProxies[0] not-a-range"],
    ["too long a prefix", range("10.0.0.0/33"), "clientCertificateHeader.trustedProxies[0] not-a-range"],
    ["no header name", { ...range("10.0.0.1"), name: "a b" }, "clientCertificateHeader.name not-a-header"],
    ["a misspelled key", { ...range("10.0.0.1"), header: "a" }, "clientCertificateHeader.header unknown-option"],
  ])("with %s stop the start-up", (_what, clientCertificateHeader, issue) => {
    const build = () =>
      parseOptions({
        issuers: [{ issuer: "https://as.example", audience: ["a"] }],
        baseUrl: "https://fhir.example.org/fhir",
        clientCertificateHeader: clientCertificateHeader as ClientCertificateHeader,
      });
    try {
      build();
      expect("it started").toBe(issue);
    } catch (error) {
      const issues = error instanceof ConfigurationError ? error.issues : [];
      expect(issues.map(({ path, code }) => `${path} ${code}`)).toContain(issue);
    }
  });
});

function range(text: string): object {
  return { format: "nginx", trustedProxies: [text] };
}
