import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createGateway, type GatewayEvent, loadPolicy } from "@wardline/gateway";
import type { AccessRecord } from "@wardline/policy-types";
import { type Certificate, createAuthority } from "./ca.ts";
import { rehearse } from "./rehearse.ts";
import { holdPort } from "./servers.ts";
import { type TelemetryServer, telemetryServer } from "./telemetry-server.ts";

export interface EdgeOptions {
  /** For certificates and the ledger: `var` of the policy. */
  readonly folder: string;
  /** Any free ports in place of the policy's. */
  readonly anyPorts: boolean;
  readonly onRecord?: (record: AccessRecord) => void;
  readonly onEvent?: (event: GatewayEvent) => void;
}

/** The server of observations and the edge before it, running, and the certificates of those who call. */
export interface Edge {
  /** FHIR base, at this machine's address. */
  readonly base: string;
  /** Authority of the edge's own certificate, PEM. */
  readonly ca: string;
  readonly store: TelemetryServer;
  readonly devices: Readonly<Record<"monitorOne" | "monitorTwo" | "stolen" | "unnamed" | "forged", Certificate>>;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const POLICY = join(import.meta.dirname, "../policy.yaml");

export async function startEdge({ folder, anyPorts, onRecord, onEvent }: EdgeOptions): Promise<Edge> {
  await mkdir(folder, { recursive: true });
  const [edgeCa, deviceCa, otherCa] = await Promise.all([
    createAuthority("Edge CA"),
    createAuthority("Device CA"),
    createAuthority("Device CA"),
  ]);
  const own = await edgeCa.issue({ name: "edge", use: "server", dns: ["telemetry.example.org"], ip: [HOST] });
  const monitor = (id: string) => ({ name: id, use: "client" as const, uri: [`urn:example:device:${id}`] });
  const [monitorOne, monitorTwo, stolen, unnamed, forged] = await Promise.all([
    deviceCa.issue(monitor("monitor-1")),
    deviceCa.issue(monitor("monitor-2")),
    deviceCa.issue(monitor("monitor-3")),
    deviceCa.issue({ name: "something", use: "client" }),
    otherCa.issue(monitor("monitor-1")),
  ]);
  await Promise.all([
    writeFile(join(folder, "edge.pem"), own.cert),
    writeFile(join(folder, "edge.key"), own.key, { mode: 0o600 }),
    writeFile(join(folder, "device-ca.pem"), deviceCa.cert),
    writeFile(join(folder, "device-ca.crl"), await deviceCa.revoke([stolen.serial])),
  ]);

  const store = telemetryServer();
  const server = await holdPort(anyPorts ? 0 : 8081);
  server.serve(store.app);
  try {
    const { source } = await loadPolicy(POLICY);
    const policy = rehearse(source, { folder, upstream: `http://${HOST}:${server.port}`, anyPorts });
    const gateway = await createGateway(policy, {
      drainMs: 1000,
      ...(onRecord === undefined ? {} : { onRecord }),
      ...(onEvent === undefined ? {} : { onEvent }),
    });
    const { url } = await gateway.listen();
    return {
      base: `${url}/telemetry`,
      ca: edgeCa.cert,
      store,
      devices: { monitorOne, monitorTwo, stolen, unnamed, forged },
      async close() {
        await gateway.close();
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}
