import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import type { PolicyDocument, TlsPolicy } from "@wardline/policy-types";
import { type IssuedCertificate, type TestCa, testCa } from "@wardline-tools/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Edge, startEdge } from "./support/edge.ts";

let folder: string;
let ca: TestCa;
let other: TestCa;
let payer: IssuedCertificate;
let plan: IssuedCertificate;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "names-"));
  [ca, other] = await Promise.all([testCa("Payers"), testCa("Plans")]);
  [payer, plan] = await Promise.all([
    ca.issue({ name: "payer", use: "client" }),
    other.issue({ name: "plan", use: "client" }),
  ]);
  const server = await ca.issue({ name: "edge", dns: ["localhost"] });
  const named = await ca.issue({ name: "plans", dns: ["plans.example"] });
  const files = { cert: server.cert, key: server.key, ca: ca.cert, other: other.cert };
  for (const [name, text] of Object.entries({ ...files, namedCert: named.cert, namedKey: named.key })) {
    await writeFile(join(folder, `${name}.pem`), text);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const file = (name: string): string => join(folder, `${name}.pem`);
const identity = (): TlsPolicy => ({ cert: file("cert"), key: `file:${file("key")}`, clientCa: [file("ca")] });
const named = { cert: "namedCert", key: "namedKey" } as const;
const ofPlans = (more: object = {}): object => ({
  "plans.example": { cert: file(named.cert), key: `file:${file(named.key)}`, clientCa: [file("other")], ...more },
});

function withTls(tls: object) {
  return (policy: PolicyDocument): PolicyDocument => {
    const [patient] = policy.routes;
    if (patient === undefined) throw new Error("no route");
    return {
      ...policy,
      issuers: policy.issuers.map(({ audience: _audience, ...issuer }) => issuer),
      listeners: { partners: { port: 0, zones: ["partner"], tls: { ...identity(), ...tls } } },
      routes: [patient, { ...patient, id: "payers", path: "/payer", zone: "partner", apiType: "payer-to-payer" }],
    };
  };
}

/** Whose certificate was shown, once a byte came back; `undefined` where the connection ended before. */
function reach(edge: Edge, options: ConnectionOptions): Promise<{ name: string; socket: TLSSocket } | undefined> {
  const { port } = edge.listeners["partners"] ?? {};
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: port as number, ca: ca.cert, ...options }, () => {
      socket.write(`GET /payer/Patient/a HTTP/1.1\r\nHost: ${String(options.servername)}\r\nConnection: close\r\n\r\n`);
    });
    socket.once("data", () => resolve({ name: nameOf(socket), socket }));
    socket.once("error", () => resolve(undefined)).once("close", () => resolve(undefined));
  });
}

/** A resumed session shows no certificate again. */
function nameOf(socket: TLSSocket): string {
  const { subject } = socket.getPeerCertificate() as Partial<PeerCertificate>;
  return String(subject?.CN);
}

const pair = ({ cert, key }: IssuedCertificate): ConnectionOptions => ({ cert, key });

describe("a door of a policy, by the name a client asks for", () => {
  it("has another certificate and other authorities, and demands what its zone demands", async () => {
    const edge = await startEdge(withTls({ names: ofPlans() }));
    const ask = async (servername: string, client?: IssuedCertificate): Promise<string | undefined> =>
      (await reach(edge, { servername, ...(client === undefined ? {} : pair(client)) }))?.name;
    expect(await ask("localhost", payer)).toBe("edge");
    expect(await ask("plans.example", plan)).toBe("plans");
    expect(await ask("plans.example", payer)).toBeUndefined();
    expect(await ask("localhost", plan)).toBeUndefined();
    expect(await ask("plans.example")).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ["demands less than its zone", { clientCertificates: "requested" }, "certificates"],
    ["names no authority", { clientCa: undefined }, "authorities"],
  ])("a name that %s is refused at start", async (_what, more, told) => {
    const names = JSON.parse(JSON.stringify(ofPlans(more))) as object;
    await expect(startEdge(withTls({ names }))).rejects.toThrow(
      new RegExp(`listeners\\.partners\\.tls\\.names\\.plans\\.example\\.client\\w+: .*${told}`),
    );
  });

  it.each<[string, object, boolean]>([
    ["no session is resumed", {}, false],
    ["with tickets one is", { sessionTickets: { rotateSeconds: 600 } }, true],
  ])("%s", async (_what, tls, resumed) => {
    const edge = await startEdge(withTls(tls));
    const options = { servername: "localhost", maxVersion: "TLSv1.2", ...pair(payer) } as const;
    const first = await reach(edge, options);
    const session = first?.socket.getSession();
    const second = await reach(edge, { ...options, ...(session === undefined ? {} : { session }) });
    expect(second?.socket.isSessionReused()).toBe(resumed);
  });
});
