import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { contextOf } from "@wardline/policy-types/express";
import { codeIn, type IssuedCertificate, type TestCa, testCa } from "@wardline-tools/test-kit";
import express from "express";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type DeviceClass, smartAuth } from "../src/index.ts";
import { createBackend } from "./support/backend.ts";
import { AUDIENCE, createIssuer } from "./support/issuer.ts";

let root: TestCa;
let below: TestCa;
let deeper: TestCa;
let sibling: TestCa;
let impostor: TestCa;
let server: IssuedCertificate;
beforeAll(async () => {
  root = await testCa("Fleet Root");
  [below, sibling] = await Promise.all([root.intermediate("Pump CA"), root.intermediate("Badge CA")]);
  deeper = await below.intermediate("Ward CA");
  impostor = await (await testCa("Fleet Root")).intermediate("Pump CA");
  server = await root.issue({ name: "server", ip: ["127.0.0.1"] });
});

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const pump = (by: TestCa) => by.issue({ name: "pump 7", uri: ["urn:device:7"], use: "client" });
/** As a device is set up: its own certificate, and behind it the CAs up to the root. */
const withChain = ({ cert, key }: IssuedCertificate, ...cas: readonly TestCa[]) => ({
  key,
  cert: [cert, ...cas.map((ca) => ca.cert)].join(""),
});

interface Told {
  readonly status: number;
  readonly code: string | undefined;
  readonly resumed: boolean;
}

/** A server that trusts the root alone: what lies between must come in the handshake. */
async function open(device: Partial<DeviceClass>) {
  const issuer = await createIssuer();
  const app = express();
  const certified: boolean[] = [];
  app.use((req, _res, next) => {
    certified.push(contextOf(req).transport.clientCertificate !== undefined);
    next();
  });
  const pumps: DeviceClass = {
    name: "pump",
    issuedBy: [root.cert],
    identity: { name: "uri", prefix: "urn:device:" },
    scopes: ["system/Observation.c"],
    ...device,
  };
  const guard = smartAuth({
    issuers: [issuer.policy],
    baseUrl: AUDIENCE,
    development: true,
    interactions: ["create"],
    devices: [pumps],
  });
  app.use("/fhir", guard, createBackend(express).router);
  const tls = { cert: server.cert, key: server.key, ca: [root.cert], requestCert: true, rejectUnauthorized: false };
  const https = createServer(tls, app);
  await new Promise<void>((resolve) => https.listen(0, "127.0.0.1", resolve));
  closing.push(() => https.close());
  const { port } = https.address() as AddressInfo;

  async function ask(shown: { readonly cert: string; readonly key: string }, session?: Buffer): Promise<Told> {
    const body = JSON.stringify({ resourceType: "Observation", status: "final", code: {} });
    const head = `POST /fhir/Observation HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/fhir+json\r\nContent-Length: ${body.length}\r\n\r\n`;
    return new Promise((resolve, reject) => {
      const socket = connect({
        port,
        host: "127.0.0.1",
        ca: root.cert,
        ...shown,
        ...(session === undefined ? {} : { session }),
      });
      let got = "";
      let resumed = false;
      socket.once("secureConnect", () => {
        resumed = socket.isSessionReused();
      });
      socket.on("data", (chunk: Buffer) => {
        got += chunk.toString();
      });
      socket.once("error", reject);
      socket.on("session", (ticket: Buffer) => tickets.push(ticket));
      socket.once("close", () =>
        resolve({
          status: Number(/^HTTP\/1.1 (\d+)/.exec(got)?.[1]),
          code: codeIn(got.slice(got.indexOf("\r\n\r\n") + 4)),
          resumed,
        }),
      );
      socket.write(head + body);
    });
  }
  const tickets: Buffer[] = [];
  return { ask, certified, tickets };
}

const CREATED = { status: 201, code: undefined, resumed: false };
const NOBODY = { status: 401, code: "smart-auth/certificate-invalid", resumed: false };
const WITHOUT = { status: 401, code: "smart-auth/credentials-missing", resumed: false };

describe("a device whose certificate comes with its chain, over TLS", () => {
  it("is known where the CA that issued it is named, between it and the root or by itself", async () => {
    const shown = withChain(await pump(below), below);
    expect(await (await open({ intermediates: [below.cert] })).ask(shown)).toEqual(CREATED);
    expect(await (await open({ issuedBy: [below.cert] })).ask(shown)).toEqual(CREATED);
    const far = withChain(await pump(deeper), deeper, below);
    expect(await (await open({ intermediates: [deeper.cert, below.cert] })).ask(far)).toEqual(CREATED);
  });

  it("is nobody where only the root is named, or another CA below it: issuing CAs are pinned", async () => {
    const shown = withChain(await pump(sibling), sibling);
    for (const device of [{}, { intermediates: [below.cert] }, { issuedBy: [below.cert] }]) {
      const { ask, certified } = await open(device);
      expect(await ask(shown)).toEqual(NOBODY);
      expect(certified).toEqual([true]);
    }
    const { ask } = await open({ intermediates: [below.cert] });
    expect(await ask(withChain(await pump(deeper), deeper, below))).toEqual(NOBODY);
    expect(await ask(await pump(root))).toEqual(NOBODY);
  });

  it("has shown no certificate when the chain is missing, is broken, or leads to another root of the same name", async () => {
    const { ask, certified } = await open({ intermediates: [below.cert] });
    const own = await pump(below);
    const forged = await pump(impostor);
    for (const shown of [own, withChain(own, sibling), withChain(forged, impostor), withChain(forged, below)]) {
      expect(await ask(shown)).toEqual(WITHOUT);
    }
    expect(certified).toEqual([false, false, false, false]);
  });

  it("is known again when its session is resumed, of which TLS keeps no chain", async () => {
    const { ask, tickets } = await open({ intermediates: [below.cert] });
    const shown = withChain(await pump(below), below);
    expect(await ask(shown)).toEqual(CREATED);
    await expect.poll(() => tickets.length).toBeGreaterThan(0);
    expect(await ask(shown, tickets.at(-1))).toEqual({ ...CREATED, resumed: true });
  });

  it("RFC 5280 section 6.1: is nobody by a certificate that another device signed", async () => {
    const { ask } = await open({ intermediates: [below.cert] });
    const device = await pump(below);
    // What is shown as its issuer is an end entity: the handshake does not take it for a CA.
    const shown = withChain(await pump(deeper), { ...deeper, cert: device.cert }, below);
    expect(await ask(shown)).toEqual(WITHOUT);
  });

  it("is revoked by the list of the CA that issued it", async () => {
    const device = await pump(below);
    const crl = await below.crl([device.serial]);
    const { ask } = await open({ intermediates: [below.cert], crl });
    expect(await ask(withChain(device, below))).toEqual(NOBODY);
    expect(await ask(withChain(await pump(below), below))).toEqual(CREATED);
  });
});
