import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createGateway, type GatewayEvent, loadPolicy } from "@wardline/gateway";
import { type Authority, createAuthority } from "./ca.ts";
import { RECORDS } from "./data.ts";
import { type ExportingServer, exportingServer } from "./fhir-server.ts";
import { asSibling, rehearse } from "./rehearse.ts";
import { type Held, holdPort, holdTlsPort } from "./servers.ts";
import { createSignIn } from "./sign-in.ts";
import { createSystem, type System } from "./system.ts";

export interface EdgeOptions {
  /** For certificates, keys, exports and the ledgers: `var` of the policy. */
  readonly folder: string;
  readonly redisUrl: string;
  /** Any free ports in place of the policy's. */
  readonly anyPorts: boolean;
  readonly onEvent?: (event: GatewayEvent) => void;
}

export type Name = "one" | "two";

/** Everything of the example, running. */
export interface Edge {
  /** FHIR bases of the two instances, at this machine's address. */
  readonly bases: Readonly<Record<Name, string>>;
  /** What both are called: tokens are for this. */
  readonly audience: string;
  readonly ehr: ExportingServer;
  readonly systems: Readonly<Record<"registry" | "university", System>>;
  /** Ends one instance, as a roll-out does. */
  stop(name: Name): Promise<void>;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const POLICY = join(import.meta.dirname, "../policy.yaml");

/** Starts the EHR, the sign-in and two instances of the edge; makes the certificates and keys all of them need. */
export async function startEdge({ folder, redisUrl, anyPorts, onEvent }: EdgeOptions): Promise<Edge> {
  const [edgeCa, networkCa] = await Promise.all([createAuthority("Edge CA"), createAuthority("Network CA")]);
  const own = await edgeCa.issue({ name: "edge", use: "server", dns: ["bulk.example.org"], ip: [HOST] });
  await writeFiles(folder, {
    "edge.pem": own.cert,
    "edge.key": own.key,
    "network-ca.pem": networkCa.cert,
    "redis.url": redisUrl,
    "abuse.key": randomBytes(16).toString("base64url"),
    "links.key": randomBytes(32).toString("base64url"),
  });

  const opened: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne();
  };
  const keep = async (opening: Promise<Held>): Promise<Held> => {
    const held = await opening;
    opened.push(() => held.close());
    return held;
  };
  try {
    const ehr = exportingServer(RECORDS);
    const ehrServer = await keep(holdPort(anyPorts ? 0 : 8081));
    ehrServer.serve(ehr.app);
    // The sign-in names its own addresses, so its ports are taken before it is made.
    const keys = await keep(holdPort(anyPorts ? 0 : 8082));
    const tokens = await keep(holdTlsPort(anyPorts ? 0 : 8447, own, networkCa.cert));
    const issuer = `http://${HOST}:${keys.port}`;
    const tokenUrl = `https://${HOST}:${tokens.port}/token`;
    const systems = await createSystems(networkCa, edgeCa.cert, tokenUrl);
    const signIn = await createSignIn({
      issuer,
      tokenUrl,
      systems: new Map([
        ["registry", { keys: systems.registry.publicKeys, scope: "system/*.rs" }],
        ["university", { keys: systems.university.publicKeys, scope: "system/*.rs" }],
      ]),
    });
    keys.serve(signIn.keys);
    tokens.serve(signIn.tokens);

    const { source } = await loadPolicy(POLICY);
    const policy = rehearse(source, { folder, issuer, ehr: `http://${HOST}:${ehrServer.port}` });
    const stops: Partial<Record<Name, () => Promise<void>>> = {};
    const start = async (name: Name, port: number): Promise<string> => {
      const gateway = await createGateway(asSibling(policy, { instance: `edge-${name}`, port: anyPorts ? 0 : port }), {
        drainMs: 1000,
        ...(onEvent === undefined ? {} : { onEvent }),
      });
      stops[name] = () => gateway.close();
      opened.push(() => gateway.close());
      const { url } = await gateway.listen();
      return `${url}/bulk`;
    };
    return {
      bases: { one: await start("one", 8445), two: await start("two", 8446) },
      audience: `${policy.publicOrigin ?? ""}/bulk`,
      ehr,
      systems,
      stop: async (name) => stops[name]?.(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createSystems(ca: Authority, edgeCa: string, tokenUrl: string): Promise<Edge["systems"]> {
  const [registry, university] = await Promise.all([
    createSystem({ name: "registry", ca, edgeCa, tokenUrl }),
    createSystem({ name: "university", ca, edgeCa, tokenUrl }),
  ]);
  return { registry, university };
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
}
