import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type GatewayEvent, loadPolicy } from "@wardline/gateway";
import type { AccessRecord, PolicySource } from "@wardline/policy-types";
import { type Certificate, createAuthority } from "./ca.ts";
import { RECORDS } from "./data.ts";
import { type FhirServer, fhirServer } from "./fhir-server.ts";
import { type Bases, type Instance, startInstance } from "./instance.ts";
import { createSystem, type System } from "./partner.ts";
import { onAnyPorts, rehearse } from "./rehearse.ts";
import { type Held, holdPort, holdTlsPort } from "./servers.ts";
import { asOneOfTwo } from "./several.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";

export interface EdgeOptions {
  /** For certificates and the ledger: `var` of the policy. */
  readonly folder: string;
  /** Any free ports in place of the policy's. */
  readonly anyPorts: boolean;
  /** Starts two instances that share it. Absent: one. */
  readonly redisUrl?: string;
  readonly onRecord?: (record: AccessRecord) => void;
  readonly onEvent?: (event: GatewayEvent) => void;
}

/** Everything of the example, running. */
export interface Edge {
  /** FHIR bases by zone, at this machine's address. */
  readonly bases: Bases;
  /** Of the second instance, where there is a Redis. */
  readonly second?: Bases;
  /** What the edge is called: tokens are for these. */
  readonly origin: string;
  readonly issuer: string;
  /** Authority of the edge's own certificate, PEM. */
  readonly ca: string;
  readonly signIn: SignIn;
  readonly ehr: FhirServer;
  readonly payers: Readonly<Record<"north" | "south", System>>;
  readonly monitors: Readonly<Record<"one" | "two", Certificate>>;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const POLICY = join(import.meta.dirname, "../policy.yaml");

/** Starts the EHR, the sign-in and the edge; makes the certificates all of them need. */
export async function startEdge({ folder, anyPorts, redisUrl, onRecord, onEvent }: EdgeOptions): Promise<Edge> {
  await mkdir(folder, { recursive: true });
  const [edgeCa, partnerCa, deviceCa] = await Promise.all([
    createAuthority("Edge CA"),
    createAuthority("Partner CA"),
    createAuthority("Device CA"),
  ]);
  const own = await edgeCa.issue({ name: "edge", use: "server", dns: ["fhir.example.org"], ip: [HOST] });
  await Promise.all([
    writeFile(join(folder, "edge.pem"), own.cert),
    writeFile(join(folder, "edge.key"), own.key, { mode: 0o600 }),
    writeFile(join(folder, "partner-ca.pem"), partnerCa.cert),
    writeFile(join(folder, "device-ca.pem"), deviceCa.cert),
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
    const systems = await keep(holdTlsPort(anyPorts ? 0 : 8447, own, partnerCa.cert));
    const issuer = `http://${HOST}:${people.port}`;
    const systemTokenUrl = `https://${HOST}:${systems.port}/token`;
    const [north, south] = await Promise.all([
      createSystem({ name: "payer-north", ca: partnerCa, edgeCa: edgeCa.cert, tokenUrl: systemTokenUrl }),
      createSystem({ name: "payer-south", ca: partnerCa, edgeCa: edgeCa.cert, tokenUrl: systemTokenUrl }),
    ]);
    const signIn = await createSignIn({
      issuer,
      systemTokenUrl,
      systems: new Map([
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
    const options = {
      ...(onRecord === undefined ? {} : { onRecord }),
      ...(onEvent === undefined ? {} : { onEvent }),
    };
    const start = async (one: PolicySource): Promise<Instance> => {
      const instance = await startInstance(one, options);
      opened.push(() => instance.close());
      return instance;
    };
    const { bases, second } = await startAll(policy, { folder, redisUrl, start });
    const [one, two] = await Promise.all([
      deviceCa.issue({ name: "monitor 1", use: "client", uri: ["urn:example:device:monitor-1"] }),
      deviceCa.issue({ name: "monitor 2", use: "client", uri: ["urn:example:device:monitor-2"] }),
    ]);
    return {
      bases,
      ...(second === undefined ? {} : { second }),
      origin: policy.publicOrigin ?? "",
      issuer,
      ca: edgeCa.cert,
      signIn,
      ehr,
      payers: { north, south },
      monitors: { one, two },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Start {
  readonly folder: string;
  readonly redisUrl: string | undefined;
  readonly start: (policy: PolicySource) => Promise<Instance>;
}

async function startAll(
  policy: PolicySource,
  { folder, redisUrl, start }: Start,
): Promise<{ readonly bases: Bases; readonly second?: Bases }> {
  if (redisUrl === undefined) return start(policy);
  await Promise.all([
    writeFile(join(folder, "abuse.key"), randomBytes(16).toString("base64url"), { mode: 0o600 }),
    writeFile(join(folder, "links.key"), randomBytes(32).toString("base64url"), { mode: 0o600 }),
  ]);
  const { bases } = await start(asOneOfTwo(policy, { folder, redisUrl, instance: "edge-1" }));
  // On one machine the second takes any ports; in life it has a machine of its own.
  const { bases: second } = await start(onAnyPorts(asOneOfTwo(policy, { folder, redisUrl, instance: "edge-2" })));
  return { bases, second };
}
