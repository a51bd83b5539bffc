import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, testCa } from "@wardline-tools/test-kit";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { startChild } from "../../chaos/support/child.ts";
import type { SoakedEdge } from "./edge.ts";

/** An edge with TLS, an issuer and an upstream, and what is changed under it while it works. */
export interface World {
  readonly edge: SoakedEdge;
  readonly auditFolder: string;
  /** PEM of the authority of the edge's certificates. */
  readonly ca: string;
  /** Signed with the newest key. */
  token(): Promise<string>;
  /** Tokens are signed with another key from now on; the one after it is published. */
  rotateKeys(): Promise<void>;
  rotateCertificate(): Promise<void>;
  /** Another limit: a policy of another version. */
  rotatePolicy(): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorld(serve: (policyFile: string) => Promise<SoakedEdge>): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "wardline-soak-"));
  const at = (name: string): string => join(folder, name);
  const [upstreamPort, issuerPort, ca] = await Promise.all([freePort(), freePort(), testCa()]);
  const issuerUrl = `http://127.0.0.1:${issuerPort}`;
  /** The last one, whose tokens are still about; the one that signs; the next, so that everybody knows it in time. */
  let keys = [await newKey(0), await newKey(1), await newKey(2)] as const;
  let turn = 0;

  /** In one step, as whoever reads it must not find half of it. */
  async function put(name: string, text: string): Promise<void> {
    await writeFile(at(`${name}.part`), text);
    await rename(at(`${name}.part`), at(name));
  }
  const publish = (): Promise<void> => put("keys.json", JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  async function rotateCertificate(): Promise<void> {
    const { cert, key } = await ca.issue({ name: "edge", dns: ["localhost"], ip: ["127.0.0.1"] });
    // One file for both, so that nobody meets one without the other.
    await put("edge.pem", cert + key);
  }
  async function rotatePolicy(): Promise<void> {
    turn += 1;
    await put(
      "policy.json",
      JSON.stringify({
        name: "soak",
        development: true,
        publicOrigin: "https://localhost",
        listen: { port: 0, zones: ["patient"], tls: { cert: at("edge.pem"), key: `file:${at("edge.pem")}` } },
        issuers: [{ issuer: issuerUrl, jwksUri: `${issuerUrl}/jwks` }],
        upstreams: { ehr: { url: `http://127.0.0.1:${upstreamPort}/r4` } },
        door: { limit: 100_000_000 },
        tiers: { apps: { windows: [{ name: "apps", limit: 100_000_000 + turn, windowSeconds: 60, by: "client" }] } },
        routes: [
          {
            id: "patient",
            path: "/fhir",
            zone: "patient",
            apiType: "patient-access",
            interactions: ["read", "search-type", "create"],
          },
        ],
        audit: { folder: at("audit") },
      }),
    );
  }
  await Promise.all([publish(), rotateCertificate(), rotatePolicy()]);
  const [upstream, issuer] = await Promise.all([
    startChild("upstream.mjs", [String(upstreamPort)]),
    startChild("issuer.mjs", [String(issuerPort), at("keys.json")]),
  ]);
  const edge = await serve(at("policy.json"));
  let serial = 0;

  return {
    edge,
    auditFolder: at("audit"),
    ca: ca.cert,
    async token() {
      const now = Math.floor(Date.now() / 1000);
      serial += 1;
      return new SignJWT({ client_id: "app", scope: "patient/*.crs", patient: "a", jti: `token-${serial}` })
        .setProtectedHeader({ alg: "ES256", kid: String(keys[1].jwk.kid), typ: "at+jwt" })
        .setIssuer(issuerUrl)
        .setAudience("https://localhost/fhir")
        .setSubject("user-1")
        .setIssuedAt(now)
        .setExpirationTime(now + 180)
        .sign(keys[1].privateKey);
    },
    async rotateKeys() {
      const [, current, next] = keys;
      keys = [current, next, await newKey(Number(next.jwk.kid) + 1)];
      await publish();
    },
    rotateCertificate,
    rotatePolicy,
    async stop() {
      await edge.stop();
      await Promise.all([upstream.stop(), issuer.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function newKey(id: number): Promise<{ readonly jwk: JWK; readonly privateKey: CryptoKey }> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  return { jwk: { ...(await exportJWK(publicKey)), kid: String(id), alg: "ES256", use: "sig" }, privateKey };
}
