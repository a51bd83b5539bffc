import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGateway, type GatewayEvent } from "@wardline/gateway";
import { freePort, startRedis } from "@wardline-tools/test-kit";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { type Part, startChild } from "./child.ts";
import { faultyDisk } from "./disk.ts";

export const PARTS = ["upstream", "redis", "issuer", "disk"] as const;
export type PartName = (typeof PARTS)[number];

/** One edge with everything it depends on, each in a process of its own or, the disk, behind a layer that fails. */
export interface World {
  readonly url: string;
  readonly folder: string;
  readonly parts: Readonly<Record<PartName, Part>>;
  readonly events: GatewayEvent[];
  /** A token the issuer signed, or with `stranger` somebody else. */
  token(stranger?: boolean): Promise<string>;
  stop(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "wardline-chaos-"));
  const auditFolder = join(folder, "audit");
  const [upstreamPort, issuerPort] = await Promise.all([freePort(), freePort()]);
  const [own, other] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
  const keys = join(folder, "keys.json");
  const jwk = { ...(await exportJWK(own.publicKey)), kid: "known", alg: "ES256", use: "sig" };
  await writeFile(keys, JSON.stringify({ keys: [jwk] }));
  const [upstream, issuer, redis, disk] = await Promise.all([
    startChild("upstream.mjs", [String(upstreamPort)]),
    startChild("issuer.mjs", [String(issuerPort), keys]),
    startRedis(),
    faultyDisk(folder),
  ]);
  let isRedisKilled = false;
  const events: GatewayEvent[] = [];
  const issuerUrl = `http://127.0.0.1:${issuerPort}`;
  const route = {
    zone: "patient" as const,
    apiType: "patient-access",
    interactions: ["read", "search-type", "create"] as const,
    redaction: "full",
  };
  const gateway = await createGateway(
    {
      wardline: 1,
      name: "chaos",
      development: true,
      listen: { port: 0 },
      issuers: [{ issuer: issuerUrl, jwksUri: `${issuerUrl}/jwks` }],
      redis: { url: redis.url },
      upstreams: {
        ehr: {
          url: `http://127.0.0.1:${upstreamPort}/r4`,
          headersTimeoutMs: 500,
          bodyTimeoutMs: 500,
          breaker: { minimumCalls: 5, windowMs: 2000, openMs: 200, maxOpenMs: 400 },
        },
      },
      door: { limit: 1_000_000 },
      tiers: { apps: { windows: [{ name: "apps", limit: 1_000_000, windowSeconds: 60, by: "client" }] } },
      routes: [
        { ...route, id: "patient", path: "/fhir" },
        { ...route, id: "once", path: "/once", oneTimeTokens: true },
      ],
      abuse: false,
      audit: { folder: auditFolder },
    },
    { onEvent: (event) => events.push(event) },
  );
  const { url } = await gateway.listen();
  let serial = 0;

  return {
    url,
    folder: auditFolder,
    events,
    parts: {
      upstream,
      issuer,
      disk,
      redis: {
        async kill() {
          isRedisKilled = true;
          await redis.kill();
        },
        freeze: () => redis.freeze(),
        async restore() {
          if (isRedisKilled) await redis.restart();
          else redis.thaw();
          isRedisKilled = false;
        },
      },
    },
    async token(stranger = false) {
      const now = Math.floor(Date.now() / 1000);
      serial += 1;
      const claims = { client_id: "app", scope: "patient/*.crs", patient: "a", jti: `token-${serial}` };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: "ES256", kid: stranger ? `unknown-${serial}` : "known", typ: "at+jwt" })
        .setIssuer(issuerUrl)
        .setAudience([`${url}/fhir`, `${url}/once`])
        .setSubject("user-1")
        .setIssuedAt(now)
        .setExpirationTime(now + 3000)
        .sign(stranger ? other.privateKey : own.privateKey);
    },
    async stop() {
      for (const part of [upstream, issuer, disk]) await part.restore();
      if (isRedisKilled) await redis.restart();
      else redis.thaw();
      await gateway.close();
      disk.stop();
      await Promise.all([upstream.stop(), issuer.stop(), redis.kill()]);
    },
  };
}

/** After the ledger has been read. */
export function forget(world: World): Promise<void> {
  return rm(join(world.folder, ".."), { recursive: true, force: true });
}
