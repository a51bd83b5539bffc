import { type TestCa, testCa } from "@wardline-tools/test-kit";
import { Agent, fetch } from "undici";
import { beforeAll, describe, expect, it } from "vitest";
import { pinOf, type TlsClientPolicy, tlsClientOptions } from "../../src/index.ts";
import { openDoor } from "../support/tls.ts";

let ca: TestCa;
let clients: TestCa;
const value = (text: string): { value: string } => ({ value: text });

beforeAll(async () => {
  [ca, clients] = await Promise.all([testCa("Servers"), testCa("Clients")]);
});

describe("towards an upstream, through undici", () => {
  async function call(policy: (cert: string) => TlsClientPolicy, dns = "localhost"): Promise<unknown> {
    const own = await ca.issue({ name: dns, dns: [dns] });
    const ours = await clients.issue({ name: "edge", use: "client" });
    const { port } = await openDoor({
      cert: value(own.cert),
      key: value(own.key),
      clientCertificates: "requested",
      clientCa: [value(clients.cert)],
    });
    const connect = await tlsClientOptions({
      ca: [value(ca.cert)],
      cert: value(ours.cert),
      key: value(ours.key),
      ...policy(own.cert),
    });
    const dispatcher = new Agent({ connect });
    try {
      const answer = await fetch(`https://localhost:${port}/fhir`, { dispatcher });
      return await answer.json();
    } catch (error) {
      return ((error as Error).cause as Error).message;
    } finally {
      await dispatcher.close();
    }
  }

  it("shows our certificate and accepts the authority named", async () => {
    expect(await call(() => ({}))).toEqual({ client: "CN=edge" });
  });

  it("accepts a pinned key", async () => {
    expect(await call((cert) => ({ pins: [pinOf(clients.cert), pinOf(cert)] }))).toEqual({ client: "CN=edge" });
  });

  it("does not speak to another key, whoever signed its certificate", async () => {
    expect(await call(() => ({ pins: [pinOf(clients.cert)] }))).toContain("not one of the pinned keys");
  });

  it("does not speak to another name, pinned or not", async () => {
    expect(await call((cert) => ({ pins: [pinOf(cert)] }), "other.example")).toContain("does not match");
  });

  it("does not speak to an authority it does not know", async () => {
    expect(await call(() => ({ ca: [value(clients.cert)] }))).toMatch(/unable to|self.signed|issuer/);
  });

  it.each<[string, object]>([
    ["a certificate without a key", { cert: value("x") }],
    ["a pin that is none", { pins: ["abc"] }],
    ["pins that admit nobody", { pins: [] }],
    ["a misspelled name", { pin: [] }],
  ])("refuses %s", async (_what, policy) => {
    await expect(tlsClientOptions(policy)).rejects.toThrow("mistake");
  });
});
