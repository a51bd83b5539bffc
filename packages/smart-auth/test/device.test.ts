import { createPrivateKey, sign as signBytes, X509Certificate } from "node:crypto";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { ConfigurationError, findings } from "@wardline/policy-types";
import { codeIn, type TestCa, testCa } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { alternativeNames } from "../src/device/alternative-names.ts";
import { readCrl } from "../src/device/crl.ts";
import { derOf, readDer } from "../src/device/der.ts";
import { createDeviceIdentifier } from "../src/device/identify.ts";
import { parseDevices } from "../src/device/options.ts";
import { createMemoryRevocationList, type DeviceClass, type SmartAuthOptions, smartAuth } from "../src/index.ts";
import { createProblems } from "../src/token-problems.ts";
import { createBackend } from "./support/backend.ts";
import { createEdge } from "./support/edge.ts";
import { AUDIENCE, createIssuer } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

const DAY = 86_400_000;
let ca: TestCa;
let other: TestCa;
let elsewhere: TestCa;
beforeAll(async () => {
  [ca, other, elsewhere] = await Promise.all([testCa("Pump CA"), testCa("Pump CA"), testCa("Meter CA")]);
});

const pumps = (more: Partial<DeviceClass> = {}): DeviceClass => ({
  name: "pump",
  issuedBy: [ca.cert],
  identity: { name: "uri", prefix: "urn:device:" },
  scopes: ["system/Observation.c"],
  organisation: "acme",
  ...more,
});
const raw = (pem: string) => new X509Certificate(pem).raw;
const pump = (more: object = {}, by = ca) =>
  by.issue({ name: "pump 7", uri: ["urn:device:7"], use: "client", ...more });

function identify(classes: readonly DeviceClass[], now: () => number = Date.now) {
  const found = findings();
  const parsed = parseDevices(found, classes, "devices");
  found.throwIfAny("devices");
  const identifier = createDeviceIdentifier(parsed, now);
  const problems = createProblems(AUDIENCE);
  return async (certificate: Buffer) => {
    const decision = await identifier(certificate, problems);
    return decision.kind === "permit"
      ? decision.grant
      : [decision.problem.code, decision.problem.status, ...decision.because];
  };
}

const NOT_IN_FORCE = ["smart-auth/certificate-invalid", 401, "the certificate is not in force"];
const NOBODY = ["smart-auth/certificate-invalid", 401, "the certificate is no device's"];

describe("a device certificate", () => {
  it.each<[string, (made: typeof pump) => ReturnType<typeof pump>, readonly unknown[]]>([
    ["of another CA with the same name", (make) => make({}, other), NOBODY],
    ["of an intermediate", async (make) => make({}, await ca.intermediate("Below")), NOBODY],
    ["for servers", (make) => make({ use: "server" }), NOBODY],
    ["without the name", (make) => make({ uri: [] }), NOBODY],
    ["with another kind of name", (make) => make({ uri: [], dns: ["urn:device:7"] }), NOBODY],
    ["with two names", (make) => make({ uri: ["urn:device:7", "urn:device:8"] }), NOBODY],
    ["without the prefix", (make) => make({ uri: ["urn:other:7"] }), NOBODY],
    ["with nothing behind the prefix", (make) => make({ uri: ["urn:device:"] }), NOBODY],
    [
      "that is over",
      (make) => make({ notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY) }),
      NOT_IN_FORCE,
    ],
    ["of tomorrow", (make) => make({ notBefore: new Date(Date.now() + DAY) }), NOT_IN_FORCE],
  ])("%s is nobody's", async (_name, make, refusal) => {
    expect(await identify([pumps()])(raw((await make(pump)).cert))).toEqual(refusal);
  });

  it("of the CA itself, or no certificate at all, is nobody's", async () => {
    const ask = identify([pumps()]);
    expect(await ask(raw(ca.cert))).toEqual(NOBODY);
    expect(await ask(Buffer.from("no certificate"))).toEqual(NOBODY);
  });

  it("names the device, its class, its organisation and its scopes", async () => {
    const { cert } = await pump({ uri: ["urn:device:7, DNS:evil"] });
    const { cert: plain } = await pump();
    const ask = identify([pumps({ name: "meter", issuedBy: [other.cert] }), pumps()]);
    expect(await ask(raw(plain))).toMatchObject({
      method: "client-certificate",
      issuer: "CN=Pump CA",
      subject: "7",
      device: "7",
      organisation: "acme",
      roles: ["pump"],
      scopes: ["system/Observation.c"],
      launch: {},
    });
    expect(await ask(raw(cert))).toEqual(NOBODY);
  });

  it("ends while it is remembered", async () => {
    let now = Date.now();
    const ask = identify([pumps()], () => now);
    const { cert } = await pump({ notAfter: new Date(now + DAY) });
    expect(await ask(raw(cert))).toMatchObject({ device: "7" });
    now += 2 * DAY;
    expect(await ask(raw(cert))).toEqual(NOT_IN_FORCE);
  });

  it("on the revocation list is refused, and the others are not", async () => {
    const [revoked, good] = await Promise.all([pump(), pump()]);
    const ask = identify([pumps({ crl: await ca.crl([revoked.serial]) })]);
    expect(await ask(raw(revoked.cert))).toEqual([
      "smart-auth/certificate-invalid",
      401,
      "the certificate was revoked",
    ]);
    expect(await ask(raw(good.cert))).toMatchObject({ device: "7" });
  });

  it("of an intermediate counts where the intermediate is named, and then no other", async () => {
    const below = await ca.intermediate("Below");
    const deeper = await below.intermediate("Deeper");
    const ask = identify([pumps({ intermediates: [deeper.cert, below.cert] })]);
    for (const maker of [below, deeper])
      expect(await ask(raw((await pump({}, maker)).cert))).toMatchObject({ device: "7" });
    expect(await ask(raw((await pump({}, deeper)).cert))).toMatchObject({ issuer: "CN=Deeper" });
    expect(await ask(raw((await pump()).cert))).toEqual(NOBODY);
    expect(await ask(raw((await pump({}, await ca.intermediate("Below"))).cert))).toEqual(NOBODY);
    expect(await ask(raw(below.cert))).toEqual(NOBODY);
  });

  it("counts no longer than its intermediate", async () => {
    let now = Date.now();
    const below = await ca.intermediate("Below");
    const ask = identify([pumps({ intermediates: [below.cert] })], () => now);
    const { cert } = await pump({ notAfter: new Date(now + 4000 * DAY) }, below);
    expect(await ask(raw(cert))).toMatchObject({ device: "7" });
    now = Date.parse(new X509Certificate(below.cert).validTo) + 1000;
    expect(await ask(raw(cert))).toEqual(NOT_IN_FORCE);
  });

  it("of an intermediate is revoked by the intermediate's list, not by its root's", async () => {
    const below = await ca.intermediate("Below");
    const { cert, serial } = await pump({}, below);
    const intermediates = [below.cert];
    expect(await identify([pumps({ intermediates, crl: await below.crl([serial]) })])(raw(cert))).toEqual([
      "smart-auth/certificate-invalid",
      401,
      "the certificate was revoked",
    ]);
    const rootList = await ca.crl([serial]);
    expect(() => identify([pumps({ intermediates, crl: rootList })])).toThrow(ConfigurationError);
  });

  const UNKNOWN = ["smart-auth/crl-unavailable", 503, "there is no revocation list that counts"];

  it("F8: is refused once the list is out of date", async () => {
    let now = Date.now();
    const ask = identify([pumps({ crl: await ca.crl([]) })], () => now);
    const { cert } = await pump();
    expect(await ask(raw(cert))).toMatchObject({ device: "7" });
    now += 2 * DAY;
    expect(await ask(raw(cert))).toEqual(UNKNOWN);
  });

  it("is known by a list that was read from a file: PEM in a Buffer", async () => {
    const [revoked, good] = await Promise.all([pump(), pump()]);
    const list = Buffer.from(await ca.crl([revoked.serial]));
    const ask = identify([pumps({ readCrl: async () => list })]);
    expect(await ask(raw(good.cert))).toMatchObject({ device: "7" });
    expect(await ask(raw(revoked.cert))).toContain("the certificate was revoked");
  });

  it("F8: waits for a list that is fetched, keeps it through failures, hears of new ones, and takes no older one", async () => {
    let now = Date.now();
    const { cert, serial } = await pump();
    let list: () => Promise<string> = () => Promise.reject(new Error("down"));
    const ask = identify([pumps({ readCrl: () => list() })], () => now);
    expect(await ask(raw(cert))).toEqual(UNKNOWN);
    const first = await ca.crl([]);
    const foreign = await other.crl([]);
    list = async () => foreign;
    now += 2000;
    expect(await ask(raw(cert))).toEqual(UNKNOWN);
    list = async () => first;
    now += 2000;
    expect(await ask(raw(cert))).toMatchObject({ device: "7" });
    list = () => Promise.reject(new Error("down"));
    now += 61_000;
    expect(await ask(raw(cert))).toMatchObject({ device: "7" });
    const newer = await ca.crl([serial], { thisUpdate: new Date(now) });
    list = async () => newer;
    now += 2000;
    await expect.poll(() => ask(raw(cert))).toContain("the certificate was revoked");
    list = async () => first;
    now += 61_000;
    await ask(raw(cert));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await ask(raw(cert))).toContain("the certificate was revoked");
  });
});

describe("RFC 5280: what is read of certificates and lists", () => {
  it("a list signed by another key, or changed in any byte, is none", async () => {
    const authority = new X509Certificate(ca.cert);
    const text = await ca.crl(["0a"]);
    expect(() => readCrl(text, new X509Certificate(other.cert))).toThrow();
    const der = derOf(text, "X509 CRL") ?? Buffer.alloc(0);
    expect([...readCrl(der, authority).revoked]).toEqual(["A"]);
    expect([...readCrl(Buffer.from(text), authority).revoked]).toEqual(["A"]);
    expect([...readCrl(new TextEncoder().encode(`\ufeff\n${text}`), authority).revoked]).toEqual(["A"]);
    expect(() => readCrl(Buffer.from(`${text}${text}`), authority)).toThrow("not a CRL");
    expect(() => readCrl(Buffer.from(text.replaceAll("X509 CRL", "CERTIFICATE")), authority)).toThrow("not a CRL");
    for (let at = 0; at < der.length; at++) {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => readCrl(changed, authority), String(at)).toThrow();
    }
  });

  it("whatever is no DER throws, and never reads beyond its end", () => {
    for (const bad of ["30", "3080", "300201", "308101", "30820001aa", "1f0100"]) {
      expect(() => readDer(Buffer.from(bad, "hex")), bad).toThrow();
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          const whole = readDer(Buffer.from(bytes)).reduce((sum, { whole: part }) => sum + part.length, 0);
          expect(whole).toBe(bytes.length);
        } catch (error) {
          expect((error as Error).message).toContain("DER");
        }
      }),
    );
  });

  it("names are read from the certificate, whatever they hold", async () => {
    const { cert } = await pump({ uri: ["urn:a"], dns: ["a.example"] });
    const certificate = new X509Certificate(cert);
    expect([
      alternativeNames(certificate, "uri"),
      alternativeNames(certificate, "dns"),
      alternativeNames(certificate, "email"),
    ]).toEqual([["urn:a"], ["a.example"], []]);
  });
});

describe("device classes that cannot be meant stop the start-up", () => {
  it.each<[string, () => unknown, string]>([
    ["none", () => [], "devices not-a-list"],
    ["no CA", () => [pumps({ issuedBy: [] })], "devices[0].issuedBy missing"],
    ["no certificate", () => [pumps({ issuedBy: ["x"] })], "devices[0].issuedBy[0] not-a-ca"],
    ["no intermediates", () => [pumps({ intermediates: [] })], "devices[0].intermediates missing"],
    [
      "an intermediate of another CA",
      () => [pumps({ intermediates: [elsewhere.cert] })],
      "devices[0].intermediates[0] not-issued",
    ],
    ["one CA for two classes", () => [pumps(), pumps({ name: "meter" })], "devices[1] ambiguous"],
    ["no scopes", () => [pumps({ scopes: [] })], "devices[0].scopes missing"],
    ["a scope that is none", () => [pumps({ scopes: ["system/*"] })], "devices[0].scopes[0] not-a-scope"],
    ["no identity", () => [pumps({ identity: undefined as never })], "devices[0].identity not-an-identity"],
    ["a list that is none", () => [pumps({ crl: "x" })], "devices[0].crl not-a-crl"],
    ["a misspelled key", () => [{ ...pumps(), scope: [] }], "devices[0].scope unknown-option"],
  ])("%s", (_name, devices, issue) => {
    const found = findings();
    parseDevices(found, devices() as readonly DeviceClass[], "devices");
    expect(found.issues.map(({ path, code }) => `${path} ${code}`)).toContain(issue);
    expect(() => found.throwIfAny("devices")).toThrow(ConfigurationError);
  });

  it("a certificate of no CA", async () => {
    const { cert, key } = await pump();
    expect(signBytes("sha256", Buffer.from("x"), createPrivateKey(key)).length).toBeGreaterThan(0);
    const found = findings();
    parseDevices(found, [pumps({ issuedBy: [cert] })], "devices");
    expect(found.issues.map(({ code }) => code)).toContain("not-a-ca");
  });
});

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

describe.each(EXPRESS)("a device over TLS on %s", (_name, express) => {
  async function open(options: Partial<SmartAuthOptions> = {}) {
    const issuer = await createIssuer();
    const app = express();
    const backend = createBackend(express);
    app.use(
      "/fhir",
      smartAuth({
        issuers: [issuer.policy],
        baseUrl: AUDIENCE,
        development: true,
        interactions: ["create", "read"],
        devices: [pumps()],
        ...options,
      }),
      backend.router,
    );
    const server = createServer(
      {
        ...tls(await ca.issue({ name: "server", ip: ["127.0.0.1"] })),
        ca: [ca.cert, elsewhere.cert],
        requestCert: true,
        rejectUnauthorized: false,
      },
      app,
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    return async (
      certificate: { cert: string; key: string } | undefined,
      given: { method?: string; path?: string; headers?: object } = {},
    ) => {
      const body = JSON.stringify({ resourceType: "Observation", status: "final", code: {} });
      const { method = "POST", path = "/fhir/Observation", headers = {} } = given;
      return new Promise<[number, string | undefined, string | undefined]>((resolve, reject) => {
        const sent = request({
          host: "127.0.0.1",
          port,
          path,
          method,
          ca: ca.cert,
          agent: false,
          headers: { ...(method === "POST" ? { "content-type": "application/fhir+json" } : {}), ...headers },
          ...(certificate === undefined ? {} : tls(certificate)),
        });
        sent.once("error", reject);
        sent.once("response", (res) => {
          let text = "";
          res.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          res.once("end", () => resolve([res.statusCode ?? 0, codeIn(text), res.headers["www-authenticate"]]));
        });
        sent.end(method === "POST" ? body : undefined);
      });
    };
  }
  const tls = ({ cert, key }: { cert: string; key: string }) => ({ cert, key });
  const CHALLENGE = `Bearer realm="${AUDIENCE}"`;

  it("is refused without its certificate, with another's, and beyond its scopes", async () => {
    const ask = await open();
    expect(await ask(undefined)).toEqual([401, "smart-auth/credentials-missing", CHALLENGE]);
    expect(await ask(await pump({}, elsewhere))).toEqual([401, "smart-auth/certificate-invalid", CHALLENGE]);
    const [status, code] = await ask(await pump(), { method: "GET", path: "/fhir/Observation/o1" });
    expect([status, code]).toEqual([403, "smart-auth/scope-insufficient"]);
  });

  it("writes what its class may write", async () => {
    expect((await (await open())(await pump()))[0]).toBe(201);
  });

  it("is not heard beside a token, which counts alone", async () => {
    const ask = await open();
    const device = await pump();
    expect((await ask(device, { headers: { authorization: "Bearer x" } }))[1]).toBe("smart-auth/token-invalid");
    expect((await ask(device, { headers: { authorization: "Basic x" } }))[1]).toBe("smart-auth/credentials-missing");
  });

  it("A10: is refused once it is on the revocation list of tokens, by its thumbprint or its name", async () => {
    const revocation = createMemoryRevocationList();
    const ask = await open({ revocation });
    const device = await pump();
    expect((await ask(device))[0]).toBe(201);
    revocation.revokeSubject("CN=Pump CA", "7", 4_000_000_000, 4_000_000_001);
    expect((await ask(device))[0]).toBe(401);
  });

  it("is known through a terminator that is trusted, and through no other", async () => {
    const device = await pump();
    const header = {
      "client-cert": `:${raw(device.cert).toString("base64")}:`,
      "content-type": "application/fhir+json",
    };
    const body = JSON.stringify({ resourceType: "Observation", status: "final", code: {} });
    for (const [trusted, status] of [
      ["127.0.0.1", 201],
      ["192.0.2.1", 401],
    ] as const) {
      const edge = await createEdge(express, {
        interactions: ["create"],
        devices: [pumps()],
        now: Date.now,
        clientCertificateHeader: { format: "rfc9440", trustedProxies: [trusted] },
      });
      const answer = await edge.as(undefined, "/Observation", { method: "POST", headers: header, body });
      expect(answer.status).toBe(status);
    }
  });
});
