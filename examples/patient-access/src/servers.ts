import type { Server } from "node:http";
import { createGateway, type GatewayEvent } from "@wardline/gateway";
import type { AccessRecord } from "@wardline/policy-types";
import { createBackend } from "./backend.ts";
import { CHARTS, type Resource, readExamples } from "./data.ts";
import { createOAuth, type OAuthServer } from "./oauth.ts";
import { FHIR_PATH, patientAccessPolicy } from "./policy.ts";
import { close, type Ports, serve } from "./ports.ts";
import type { Person } from "./sign-in.ts";

export interface ServersOptions {
  readonly ports: Ports;
  /** Folder of the audit ledger. */
  readonly auditFolder: string;
  readonly onRecord?: (record: AccessRecord) => void;
  readonly onEvent?: (event: GatewayEvent) => void;
}

export interface Servers {
  /** What apps use: the gateway's FHIR base. */
  readonly fhirBase: string;
  /** The FHIR server behind it, unguarded. */
  readonly backendBase: string;
  readonly issuer: string;
  readonly oauth: OAuthServer;
  readonly people: readonly Person[];
  close(): Promise<void>;
}

/** Starts the FHIR server, the OAuth server and the gateway between them and the world, each on its own port. */
export async function startServers({ ports, auditFolder, onRecord, onEvent }: ServersOptions): Promise<Servers> {
  const origin = (port: number) => `http://127.0.0.1:${port}`;
  const issuer = origin(ports.oauth);
  const fhirBase = origin(ports.gateway) + FHIR_PATH;
  const backendBase = `${origin(ports.backend)}/fhir/R4`;
  const resources = await readExamples();
  const people = peopleOf(resources);

  const oauth = await createOAuth({ issuer, fhirBase, people });
  const backend = await createBackend({
    baseUrl: backendBase,
    resources,
    oauth: { authorize: `${issuer}/auth`, token: `${issuer}/token` },
  });
  const gateway = await createGateway(
    patientAccessPolicy({
      publicOrigin: origin(ports.gateway),
      port: ports.gateway,
      backendUrl: backendBase,
      issuer,
      auditFolder,
    }),
    { ...(onRecord === undefined ? {} : { onRecord }), ...(onEvent === undefined ? {} : { onEvent }) },
  );
  const servers: Server[] = [];
  // The gateway first: what it has begun it finishes, and that needs the others.
  const end = async () => {
    await gateway.close();
    await Promise.all(servers.map(close));
  };
  try {
    servers.push(await serve(oauth.app, ports.oauth), await serve(backend, ports.backend));
    await gateway.listen();
  } catch (error) {
    await end();
    throw error;
  }
  return { fhirBase, backendBase, issuer, oauth, people, close: end };
}

function peopleOf(resources: readonly Resource[]): readonly Person[] {
  return Object.keys(CHARTS).map((id) => {
    const patient = resources.find(({ resourceType, id: other }) => resourceType === "Patient" && other === id);
    const [name] = (patient?.["name"] ?? []) as { readonly given?: readonly string[]; readonly family?: string }[];
    return { id, name: [...(name?.given ?? []), name?.family ?? id].join(" ") };
  });
}
