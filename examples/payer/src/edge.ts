import { randomBytes } from "node:crypto";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createGateway, type GatewayEvent, loadPolicy } from "@wardline/gateway";
import type { AccessRecord, PolicySource } from "@wardline/policy-types";
import { createAuthority } from "./ca.ts";
import { RECORDS } from "./data.ts";
import { type FhirServer, fhirServer } from "./fhir-server.ts";
import { createSystem, type System } from "./partner.ts";
import { rehearse } from "./rehearse.ts";
import { type Held, holdPort, holdTlsPort } from "./servers.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";

export interface EdgeOptions {
  /** For certificates and the ledger: `var` of the policy. */
  readonly folder: string;
  /** Any free ports in place of the policy's. */
  readonly anyPorts: boolean;
  readonly onRecord?: (record: AccessRecord) => void;
  readonly onEvent?: (event: GatewayEvent) => void;
}

/** Everything of the example, running. */
export interface Edge {
  /** FHIR bases by API, at this machine's address. */
  readonly bases: Readonly<Record<"patient" | "provider" | "payer" | "prior-auth", string>>;
  /** What the edge is called: tokens are for these. */
  readonly origin: string;
  readonly issuer: string;
  /** Authority of the edge's own certificate, PEM. */
  readonly ca: string;
  readonly signIn: SignIn;
  readonly ehr: FhirServer;
  readonly systems: Readonly<Record<"clinic" | "north" | "south", System>>;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const POLICY = join(import.meta.dirname, "../policy.yaml");

/** Starts the records, the sign-in and the edge; makes the certificates all of them need. */
export async function startEdge({ folder, anyPorts, onRecord, onEvent }: EdgeOptions): Promise<Edge> {
  await mkdir(folder, { recursive: true });
  const [edgeCa, networkCa] = await Promise.all([createAuthority("Edge CA"), createAuthority("Network CA")]);
  const own = await edgeCa.issue({ name: "edge", use: "server", dns: ["fhir.example.org"], ip: [HOST] });
  await Promise.all([
    writeFile(join(folder, "edge.pem"), own.cert),
    writeFile(join(folder, "edge.key"), own.key, { mode: 0o600 }),
    writeFile(join(folder, "network-ca.pem"), networkCa.cert),
    keepKey(join(folder, "usage.key")),
  ]);

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
    const ehr = fhirServer(RECORDS);
    const ehrServer = await keep(holdPort(anyPorts ? 0 : 8081));
    ehrServer.serve(ehr.app);
    // The sign-in names its own addresses, so its ports are taken before it is made.
    const people = await keep(holdPort(anyPorts ? 0 : 8082));
    const systems = await keep(holdTlsPort(anyPorts ? 0 : 8447, own, networkCa.cert));
    const issuer = `http://${HOST}:${people.port}`;
    const systemTokenUrl = `https://${HOST}:${systems.port}/token`;
    const system = (name: string) =>
      createSystem({ name, ca: networkCa, edgeCa: edgeCa.cert, tokenUrl: systemTokenUrl });
    const [clinic, north, south] = await Promise.all([system("clinic"), system("payer-north"), system("payer-south")]);
    const signIn = await createSignIn({
      issuer,
      systemTokenUrl,
      // Whose patients and members are whose: in life, attribution and $member-match find them.
      systems: new Map([
        ["clinic", { keys: clinic.publicKeys, members: ["anna"], own: "system/Claim.cruds system/ClaimResponse.rs" }],
        ["payer-north", { keys: north.publicKeys, members: ["anna"] }],
        ["payer-south", { keys: south.publicKeys, members: ["ben"] }],
      ]),
    });
    people.serve(signIn.people);
    systems.serve(signIn.systems);

    const { source } = await loadPolicy(POLICY);
    const policy: PolicySource = rehearse(source, {
      folder,
      ehr: `http://${HOST}:${ehrServer.port}`,
      issuer,
      anyPorts,
    });
    const gateway = await createGateway(policy, {
      drainMs: 1000,
      ...(onRecord === undefined ? {} : { onRecord }),
      ...(onEvent === undefined ? {} : { onEvent }),
    });
    opened.push(() => gateway.close());
    const { url, listeners } = await gateway.listen();
    const partners = listeners["partners"]?.url ?? "";
    return {
      bases: {
        patient: `${url}/patient`,
        provider: `${partners}/provider`,
        payer: `${partners}/payer`,
        "prior-auth": `${partners}/prior-auth`,
      },
      origin: policy.publicOrigin ?? url,
      issuer,
      ca: edgeCa.cert,
      signIn,
      ehr,
      systems: { clinic, north, south },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The figures of a year are hashed with one key, so an old one is kept. */
async function keepKey(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) await writeFile(file, randomBytes(32).toString("base64url"), { mode: 0o600 });
}
