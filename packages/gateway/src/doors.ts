import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { plaintextListener, type TlsServerOptions } from "@wardline/perimeter";
import type { AdminPolicy, PolicyDocument } from "@wardline/policy-types";
import { byTurn, edgeClasses } from "@wardline/policy-types/express";
import type { ConnectionLimits } from "@wardline/tiered-throttle";
import type { PolicyInForce } from "./in-force.ts";
import type { ParsedDependencies } from "./options.ts";
import { type Door, doorsOf, doorTls } from "./policy/listeners.ts";
import type { HeldPort } from "./port.ts";
import { type EdgeServer, openServer } from "./server.ts";
import { type TlsFacts, tlsOf } from "./tls.ts";

export const DEFAULT_HOST = "127.0.0.1";

/** Where the edge listens. */
export interface Listening {
  /** Of the main door. */
  readonly url: string;
  readonly port: number;
  readonly adminPort?: number;
  /** Of plain http, where nothing is served. */
  readonly plaintextPort?: number;
  /** Of the further doors, by name. */
  readonly listeners: Readonly<Record<string, { readonly url: string; readonly port: number }>>;
}

/** The servers of one edge: a door for each listener of the policy, and the operator's. */
export interface Doors {
  /** On the addresses of the policy in force. */
  listen(): Promise<Listening>;
  /** Reads certificates again. What does not fit is told, and changes nothing. */
  reloadCertificates(): Promise<void>;
  /** Takes no new connection, waits so long for answers in work, cuts the rest (F15). */
  drain(drainMs: number): Promise<void>;
}

export interface DoorsFacts {
  /** Of the start: doors and their TLS change with a restart only. */
  readonly policy: PolicyDocument;
  readonly inForce: PolicyInForce;
  readonly connections: ConnectionLimits | undefined;
  /** What operators can ask; absent without a listener of theirs. */
  readonly admin: RequestListener | undefined;
  /** A port that was taken before the edge was assembled. */
  readonly held: HeldPort | undefined;
  readonly dependencies: Pick<ParsedDependencies, "readSecret">;
  readonly health: TlsFacts["health"];
}

export async function openDoors({
  policy,
  inForce,
  connections,
  admin: adminListener,
  held,
  dependencies,
  health,
}: DoorsFacts): Promise<Doors> {
  const facts = { readSecret: dependencies.readSecret, health };
  const admin =
    policy.admin === undefined || adminListener === undefined
      ? undefined
      : openServer(adminListener, { tls: await tlsOf(adminDoor(policy.admin), facts) });
  const plaintext = policy.plaintext === undefined ? undefined : openPlaintext(policy);
  const doors = doorsOf(policy);
  const tls = await allOf(doors.map((door) => tlsOf(door, facts)));
  const classes = doors.map(({ name }) => edgeClasses(inForce.appOf(name)));
  inForce.onChange(() => {
    for (const [index, { name }] of doors.entries()) classes[index]?.follow(inForce.appOf(name));
  });
  const servers = doors.map(({ name }, index) => {
    const own = classes[index];
    return openServer(byTurn(inForce.handle(name)), {
      tls: tls[index],
      ...(own === undefined ? {} : { classes: own }),
      ...(connections === undefined ? {} : { connections }),
    });
  });
  return {
    async listen() {
      const { host = DEFAULT_HOST, port = 0 } = policy.admin ?? {};
      const adminPort = (await admin?.listen({ host, port }))?.port;
      const plain = policy.plaintext ?? { port: 0 };
      const plaintextPort = (await plaintext?.listen({ host: DEFAULT_HOST, ...plain }))?.port;
      const [main, ...others] = await Promise.all(
        doors.map(async ({ name, ...address }, index) => {
          const at = name === "main" && held !== undefined ? held : address;
          return { name, ...addressOf(await (servers[index] as EdgeServer).listen(at), tls[index] !== undefined) };
        }),
      );
      if (main === undefined) throw new Error("a policy has a main door");
      return {
        url: main.url,
        port: main.port,
        ...(adminPort === undefined ? {} : { adminPort }),
        ...(plaintextPort === undefined ? {} : { plaintextPort }),
        listeners: Object.fromEntries(others.map(({ name, url, port }) => [name, { url, port }])),
      };
    },
    async reloadCertificates() {
      for (const [index, { name }] of doors.entries()) {
        await tls[index]?.reload().catch((error: unknown) => health.certificatesChanged(name, false, error));
      }
    },
    async drain(drainMs) {
      await Promise.all(servers.map((server) => server.drain(drainMs)));
      await plaintext?.drain(0);
      await admin?.drain(0);
    },
  };
}

function addressOf({ family, address, port }: AddressInfo, secure: boolean): { url: string; port: number } {
  return { url: `${secure ? "https" : "http"}://${family === "IPv6" ? `[${address}]` : address}:${port}`, port };
}

/** Waits for all, so that what failed leaves nothing behind that goes on reading files. */
async function allOf(
  opening: readonly Promise<TlsServerOptions | undefined>[],
): Promise<readonly (TlsServerOptions | undefined)[]> {
  const settled = await Promise.allSettled(opening);
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return settled.map((one) => (one.status === "fulfilled" ? one.value : undefined));
}

function openPlaintext({ plaintext, publicOrigin }: PolicyDocument): EdgeServer {
  return openServer(plaintextListener(plaintext?.redirect === true ? { redirectTo: publicOrigin } : {}));
}

/** The operator's door: with client certificates where it names their authorities. */
function adminDoor({ host = DEFAULT_HOST, port, tls }: AdminPolicy): Door {
  const clientCertificates = tls?.clientCertificates ?? (tls?.clientCa === undefined ? "none" : "required");
  return {
    name: "admin",
    host,
    port,
    zones: new Set(),
    ...(tls === undefined ? {} : { tls: doorTls(tls, clientCertificates) }),
  };
}
