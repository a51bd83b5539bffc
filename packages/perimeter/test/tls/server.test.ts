import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { ConfigurationError } from "@wardline/policy-types";
import { type IssuedCertificate, type TestCa, testCa } from "@wardline-tools/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TlsServerPolicy, tlsServerOptions } from "../../src/index.ts";
import { openDoor, reach, shake } from "../support/tls.ts";

const DAY_MS = 86_400_000;
const LOCAL = { dns: ["localhost", "partner.example"], ip: ["127.0.0.1"] } as const;

let folder: string;
let ca: TestCa;
let stranger: TestCa;
let clients: TestCa;
let own: IssuedCertificate;
let good: IssuedCertificate;
let revoked: IssuedCertificate;
let expired: IssuedCertificate;
let early: IssuedCertificate;
let foreign: IssuedCertificate;
let wrongUse: IssuedCertificate;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "perimeter-tls-"));
  [ca, clients, stranger] = await Promise.all([testCa("Servers"), testCa("Clients"), testCa("Strangers")]);
  own = await ca.issue({ name: "localhost", ...LOCAL });
  const client = { use: "client" } as const;
  good = await clients.issue({ name: "good", ...client });
  revoked = await clients.issue({ name: "revoked", ...client });
  expired = await clients.issue({
    name: "expired",
    ...client,
    notBefore: new Date(Date.now() - 9 * DAY_MS),
    notAfter: new Date(Date.now() - DAY_MS),
  });
  early = await clients.issue({ name: "early", ...client, notBefore: new Date(Date.now() + DAY_MS) });
  foreign = await stranger.issue({ name: "foreign", ...client });
  wrongUse = await clients.issue({ name: "server", use: "server" });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const value = (text: string): { value: string } => ({ value: text });
const base = (): TlsServerPolicy => ({ cert: value(own.cert), key: value(own.key) });
const mutual = async (): Promise<TlsServerPolicy> => ({
  ...base(),
  clientCertificates: "required",
  clientCa: [value(clients.cert)],
  crl: [value(await clients.crl([revoked.serial]))],
});
const pair = ({ cert, key }: IssuedCertificate): { cert: string; key: string } => ({ cert, key });

describe("versions and suites", () => {
  it.each<[string, object, string | undefined]>([
    ["TLS 1.3", { minVersion: "TLSv1.3" }, "TLSv1.3"],
    ["TLS 1.2", { maxVersion: "TLSv1.2" }, "TLSv1.2"],
    ["TLS 1.2 with AES-GCM", { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" }, "TLSv1.2"],
    ["TLS 1.1", { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }, undefined],
    ["TLS 1.0", { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }, undefined],
    ["a CBC suite", { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256" }, undefined],
    ["no forward secrecy", { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256" }, undefined],
    ["finite-field Diffie-Hellman", { maxVersion: "TLSv1.2", ciphers: "DHE-RSA-AES128-GCM-SHA256" }, undefined],
    ["HTTP/2 alone", { ALPNProtocols: ["h2"] }, undefined],
  ])("%s", async (_what, options, version) => {
    const { port } = await openDoor(base());
    const socket = await shake(port, { ca: ca.cert, ...options });
    expect("error" in socket ? undefined : socket.getProtocol()).toBe(version);
  });

  it("TLS 1.3 only, where that is asked; no ChaCha20 or X25519 under FIPS", async () => {
    const strict = await openDoor({ ...base(), minVersion: "TLSv1.3", fips: true });
    expect(await shake(strict.port, { ca: ca.cert, maxVersion: "TLSv1.2" })).toHaveProperty("error");
    expect(await shake(strict.port, { ca: ca.cert, ciphers: "TLS_CHACHA20_POLY1305_SHA256" })).toHaveProperty("error");
    expect(await shake(strict.port, { ca: ca.cert, ecdhCurve: "X25519" })).toHaveProperty("error");
    expect(await shake(strict.port, { ca: ca.cert, ecdhCurve: "P-256" })).not.toHaveProperty("error");
  });

  it("plaintext on the TLS port gets no answer that holds a byte of HTTP", async () => {
    const { port } = await openDoor(base());
    const text = await new Promise<string>((resolve) => {
      let all = "";
      const socket = connectPlain(port, "127.0.0.1", () =>
        socket.write("GET /fhir HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      );
      socket.setEncoding("latin1").on("data", (chunk: string) => {
        all += chunk;
      });
      socket.once("error", () => undefined).once("close", () => resolve(all));
    });
    expect(text).not.toContain("HTTP");
    expect(await reach(port, { ca: ca.cert })).toMatchObject({ status: 200 });
  });
});

describe("client certificates", () => {
  it("one that counts is let in, and its subject is known", async () => {
    const { port } = await openDoor(await mutual());
    expect(await reach(port, { ca: ca.cert, ...pair(good) })).toEqual({ status: 200, client: "CN=good" });
  });

  it.each<[string, () => object]>([
    ["none", () => ({})],
    ["a revoked one", () => pair(revoked)],
    ["an expired one", () => pair(expired)],
    ["one not yet valid", () => pair(early)],
    ["one of another authority", () => pair(foreign)],
    ["a server's", () => pair(wrongUse)],
  ])("%s is refused in the handshake where one is required", async (_what, options) => {
    const { port } = await openDoor(await mutual());
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      expect(await reach(port, { ca: ca.cert, maxVersion, ...options() })).toHaveProperty("error");
    }
  });

  it("where one is requested, none is let in and one that does not count is not", async () => {
    const { port } = await openDoor({ ...(await mutual()), clientCertificates: "requested" });
    expect(await reach(port, { ca: ca.cert })).toEqual({ status: 200, client: null });
    expect(await reach(port, { ca: ca.cert, ...pair(good) })).toEqual({ status: 200, client: "CN=good" });
    for (const bad of [revoked, expired, foreign]) {
      expect(await reach(port, { ca: ca.cert, ...pair(bad) })).toHaveProperty("error");
    }
  });

  it("each server name has its own authorities and its own demand", async () => {
    const { port } = await openDoor({
      ...base(),
      names: { "partner.example": { ...base(), clientCertificates: "required", clientCa: [value(clients.cert)] } },
    });
    const partner = { ca: ca.cert, servername: "partner.example", headers: { host: "partner.example" } };
    expect(await reach(port, { ca: ca.cert })).toEqual({ status: 200, client: null });
    expect(await reach(port, partner)).toHaveProperty("error");
    expect(await reach(port, { ...partner, ...pair(foreign) })).toHaveProperty("error");
    expect(await reach(port, { ...partner, ...pair(good) })).toEqual({ status: 200, client: "CN=good" });
  });

  it("a name asked for in the handshake and another in Host: 421, or one name's demand would be walked around", async () => {
    const { port } = await openDoor({
      ...base(),
      names: { "partner.example": { ...base(), clientCertificates: "required", clientCa: [value(clients.cert)] } },
    });
    expect(await reach(port, { ca: ca.cert, headers: { host: "partner.example" } })).toMatchObject({ status: 421 });
  });

  it("an expired revocation list admits nobody", async () => {
    const old = { thisUpdate: new Date(Date.now() - 9 * DAY_MS), nextUpdate: new Date(Date.now() - DAY_MS) };
    const { port } = await openDoor({ ...(await mutual()), crl: [value(await clients.crl([], old))] });
    expect(await reach(port, { ca: ca.cert, ...pair(good) })).toHaveProperty("error");
  });

  it("no session is resumed, unless tickets are on", async () => {
    for (const [sessionTickets, reused] of [
      ["off", false],
      [{ rotateSeconds: 3600 }, true],
    ] as const) {
      const { port } = await openDoor({ ...base(), sessionTickets });
      const session = await sessionOf(port);
      const again = await shake(port, { ca: ca.cert, maxVersion: "TLSv1.2", ...(session && { session }) });
      expect((again as TLSSocket).isSessionReused()).toBe(reused);
    }
  });

  async function sessionOf(port: number): Promise<Buffer | undefined> {
    const first = await shake(port, { ca: ca.cert, maxVersion: "TLSv1.2" });
    return (first as TLSSocket).getSession();
  }
});

describe("rotation", () => {
  const at = (name: string): { file: string } => ({ file: join(folder, name) });

  it("under load: certificate, key and list are replaced and no request fails", async () => {
    await writeFile(at("cert").file, own.cert);
    await writeFile(at("key").file, own.key);
    await writeFile(at("crl").file, await clients.crl([]));
    const reports: string[] = [];
    const door = await openDoor({
      cert: at("cert"),
      key: at("key"),
      clientCertificates: "required",
      clientCa: [value(clients.cert)],
      crl: [at("crl")],
      onReload: ({ kind }) => reports.push(kind),
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: ca.cert, ...pair(good), servername: "localhost" });
    const failed: unknown[] = [];
    let done = 0;
    let stop = false;
    const kept = async (): Promise<void> => {
      while (!stop) {
        const status = await overAgent(door.port, agent).catch((error: unknown) => error);
        if (status === 200) done++;
        else failed.push(status);
      }
    };
    const fresh = async (): Promise<void> => {
      while (!stop) {
        const reached = await reach(door.port, { ca: ca.cert, ...pair(good) });
        if ("status" in reached && reached.status === 200) done++;
        else failed.push(reached);
      }
    };
    const load = Promise.all([kept(), kept(), fresh(), fresh()]);
    const serials: string[] = [];
    for (let round = 0; round < 5; round++) {
      const next = await ca.issue({ name: "localhost", ...LOCAL });
      await writeFile(at("cert").file, next.cert);
      await writeFile(at("key").file, next.key);
      expect(await door.reload()).toBe(true);
      const socket = await shake(door.port, { ca: ca.cert, ...pair(good) });
      serials.push((socket as TLSSocket).getPeerCertificate().serialNumber.toLowerCase());
      expect(serials.at(-1)).toBe(next.serial.toLowerCase());
      const before = done;
      await expect.poll(() => done).toBeGreaterThan(before + 20);
    }
    expect(await reach(door.port, { ca: ca.cert, ...pair(revoked) })).toMatchObject({ status: 200 });
    await writeFile(at("crl").file, await clients.crl([revoked.serial]));
    expect(await door.reload()).toBe(true);
    expect(await reach(door.port, { ca: ca.cert, ...pair(revoked) })).toHaveProperty("error");
    stop = true;
    await load;
    agent.destroy();
    console.log(`tls rotation: ${done} requests over 6 reloads, ${failed.length} failed`);
    expect(failed).toEqual([]);
    expect(reports).toEqual(Array.from({ length: 6 }, () => "changed"));
    expect(await door.reload()).toBe(false);
  });

  it("the old pair put back is told as well, so that nobody goes on looking for what was unfit", async () => {
    const file = join(folder, "back.pem");
    await writeFile(file, own.cert);
    const told: string[] = [];
    const tls = await tlsServerOptions({
      cert: { file },
      key: value(own.key),
      onReload: ({ kind }) => void told.push(kind),
    });
    expect(tls.expiresAt()).toBe(Date.parse(new X509Certificate(own.cert).validTo));
    await writeFile(file, "torn");
    await expect(tls.reload()).rejects.toThrow("holds no certificate");
    await writeFile(file, own.cert);
    expect(await tls.reload()).toBe(false);
    expect(await tls.reload()).toBe(false);
    expect(told).toEqual(["changed"]);
  });

  it("a key that does not fit leaves the old pair in use", async () => {
    await writeFile(at("cert2").file, own.cert);
    await writeFile(at("key2").file, own.key);
    const door = await openDoor({ cert: at("cert2"), key: at("key2") });
    await writeFile(at("key2").file, (await ca.issue({ name: "localhost" })).key);
    await expect(door.reload()).rejects.toThrow();
    expect(await reach(door.port, { ca: ca.cert })).toMatchObject({ status: 200 });
  });

  it("files are looked at again by themselves", async () => {
    await writeFile(at("cert3").file, own.cert);
    await writeFile(at("key3").file, own.key);
    const reports: string[] = [];
    await openDoor({
      cert: at("cert3"),
      key: at("key3"),
      reloadSeconds: 1,
      onReload: ({ kind }) => reports.push(kind),
    });
    await writeFile(at("key3").file, "no key");
    await expect.poll(() => reports[0], { timeout: 5000 }).toBe("failed");
  });

  it("a stapled OCSP answer reaches the client that asks", async () => {
    const { port } = await openDoor({ ...base(), ocsp: { value: Buffer.from("an answer") } });
    const socket = (await shake(port, {
      ca: ca.cert,
      requestOCSP: true,
      maxVersion: "TLSv1.2",
    } as object)) as TLSSocket;
    expect("error" in socket).toBe(false);
    const stapled = await stapledBy(port);
    expect(stapled?.toString()).toBe("an answer");
  });

  function stapledBy(port: number): Promise<Buffer | null> {
    return new Promise((resolve, reject) => {
      const sent = request({
        host: "127.0.0.1",
        port,
        ca: ca.cert,
        servername: "localhost",
        requestOCSP: true,
        agent: false,
      } as object);
      sent.once("socket", (socket) => socket.once("OCSPResponse", resolve));
      sent.once("response", (res) => res.resume()).once("error", reject);
      sent.end();
    });
  }
});

describe("policy", () => {
  it.each<[string, object]>([
    ["a misspelled name", { certificate: value("") }],
    ["client certificates of anybody", { clientCertificates: "required" }],
    ["TLS 1.0", { minVersion: "TLSv1" }],
    ["a name in capitals", { names: { "Partner.example": {} } }],
    ["tickets for ever", { sessionTickets: { rotateSeconds: 0 } }],
    ["an empty list of authorities", { clientCa: [] }],
  ])("refuses %s", async (_what, wrong) => {
    await expect(tlsServerOptions({ ...base(), ...wrong } as TlsServerPolicy)).rejects.toThrow("mistake");
  });

  it.each<[string, () => TlsServerPolicy, string]>([
    [
      "a key of another certificate",
      () => ({ cert: value(own.cert), key: value(good.key) }),
      "key: is not the key of the certificate in `cert`",
    ],
    [
      "certificate and key exchanged",
      () => ({ cert: value(own.key), key: value(own.cert) }),
      "cert: holds no certificate in PEM; are `cert` and `key` exchanged?",
    ],
    [
      "a key that is none",
      () => ({ cert: value(own.cert), key: value("secret") }),
      "key: holds no private key in PEM, or one that its `passphrase` does not open",
    ],
    [
      "a file that is not there",
      () => ({ cert: { file: join(folder, "nosuch.pem") }, key: value(own.key) }),
      "nosuch.pem cannot be read (ENOENT); give the path of a file",
    ],
    [
      "a folder in place of a file",
      () => ({ ...base(), clientCa: [{ file: folder }], clientCertificates: "required" }),
      "clientCa[0]: ",
    ],
  ])("names the option of %s, before the server exists", async (_name, policy, told) => {
    const refusal = await tlsServerOptions(policy()).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigurationError);
    expect((refusal as Error).message).toContain(told);
    expect((refusal as Error).message).not.toContain("secret");
  });
});

function overAgent(port: number, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path: "/fhir", agent, headers: { host: "localhost" } }, (res) => {
      res.resume().once("end", () => resolve(res.statusCode ?? 0));
    });
    sent.once("error", reject);
    sent.end();
  });
}
