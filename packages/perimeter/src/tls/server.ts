import { constants, randomBytes } from "node:crypto";
import type { Server, ServerOptions } from "node:https";
import type { SecureContext, TLSSocket } from "node:tls";
import { type LoadedIdentity, loadIdentity, sameMaterial, type TlsIdentity } from "./material.ts";
import { profileOptions } from "./profile.ts";
import { type ClientCertificates, checkServerPolicy, type TlsServerPolicy } from "./server-options.ts";

export interface TlsServerOptions {
  /** For `https.createServer`. */
  readonly options: ServerOptions;
  /** Requires the server made with `options`. Judges certificates per name, staples, rotates; until `close`. */
  attach(server: Server): void;
  /** Reads all files now. True when something changed; rejects, and changes nothing, when something does not fit. */
  reload(): Promise<boolean>;
  /** When the first of our own certificates in use runs out, in milliseconds since the epoch. */
  expiresAt(): number;
  /** Stops looking at files. */
  close(): void;
}

interface Loaded {
  readonly standard: LoadedIdentity;
  readonly names: ReadonlyMap<string, LoadedIdentity>;
}

/**
 * TLS as a server of patient records offers it: versions 1.2 and 1.3, forward-secret authenticated suites, client
 * certificates of named authorities only, revocation lists, and certificates that are replaced while connections live.
 * HTTP/1.1 only: without HTTP/2 there are no streams to reset.
 *
 * Does NOT decide what a client with a valid certificate may do, and does not fetch revocation lists or OCSP answers.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9325
 * @throws {ConfigurationError} with every mistake of the policy
 */
export async function tlsServerOptions(policy: TlsServerPolicy): Promise<TlsServerOptions> {
  checkServerPolicy(policy);
  const tickets = policy.sessionTickets ?? "off";
  const profile = profileOptions(policy);
  const noTickets = tickets === "off" ? constants.SSL_OP_NO_TICKET : 0;
  const secure = { ...profile, secureOptions: (profile.secureOptions ?? 0) | noTickets };

  const load = async (): Promise<Loaded> => ({
    standard: await loadIdentity(policy, secure),
    names: new Map(
      await Promise.all(
        Object.entries(policy.names ?? {}).map(
          async ([name, identity]: [string, TlsIdentity]) => [name, await loadIdentity(identity, secure)] as const,
        ),
      ),
    ),
  });

  let loaded = await load();
  let reading: Promise<boolean> | undefined;
  let isUnfit = false;
  const servers = new Set<Server>();
  const timers = new Set<NodeJS.Timeout>();
  const demands = Object.values(policy.names ?? {}).map(({ clientCertificates }) => clientCertificates);
  const asks = [policy.clientCertificates, ...demands].some(
    (demand) => demand === "requested" || demand === "required",
  );
  const everybody = policy.clientCertificates === "required" && demands.every((demand) => demand === "required");

  /** The strictest reading of a name: one that is not listed gets what the listener demands. */
  function demandOf(name: string | false | undefined): ClientCertificates {
    const listed = typeof name === "string" ? policy.names?.[name.toLowerCase()] : undefined;
    return (listed ?? policy).clientCertificates ?? "none";
  }

  function identityOf(name: string | false | undefined): LoadedIdentity {
    return (typeof name === "string" ? loaded.names.get(name.toLowerCase()) : undefined) ?? loaded.standard;
  }

  function stapleFor(certificate: Buffer): Buffer | undefined {
    return [loaded.standard, ...loaded.names.values()].find(({ leaf }) => leaf.equals(certificate))?.ocsp;
  }

  async function readAgain(): Promise<boolean> {
    const next = await load().catch((error: unknown) => {
      isUnfit = true;
      throw error;
    });
    const same =
      sameMaterial(next.standard, loaded.standard) &&
      [...next.names].every(([name, one]) => sameMaterial(one, loaded.names.get(name) as LoadedIdentity));
    if (same) {
      // The old files are back: what was told to be unfit no longer is.
      if (isUnfit) policy.onReload?.({ kind: "changed" });
      isUnfit = false;
      return false;
    }
    isUnfit = false;
    loaded = next;
    for (const server of servers) {
      server.setSecureContext({ ...next.standard.options });
      if (tickets !== "off") server.setTicketKeys(randomBytes(48));
    }
    policy.onReload?.({ kind: "changed" });
    return true;
  }

  function reload(): Promise<boolean> {
    reading ??= readAgain().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    options: {
      ...loaded.standard.options,
      requestCert: asks,
      // Where names differ in what they demand, `judge` decides after the handshake.
      rejectUnauthorized: everybody,
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: policy.handshakeTimeoutMs ?? 10_000,
      SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) =>
        done(null, identityOf(name).context),
      ...(tickets === "off" ? {} : { ticketKeys: randomBytes(48) }),
    },
    attach(server) {
      servers.add(server);
      server.once("close", () => servers.delete(server));
      server.on("secureConnection", (socket: TLSSocket) =>
        judge(socket, demandOf(socket.servername as string | false)),
      );
      server.on(
        "OCSPRequest",
        (certificate: Buffer, _issuer: Buffer, done: (error: null, answer: Buffer | null) => void) =>
          done(null, stapleFor(certificate) ?? null),
      );
      every(policy.reloadSeconds ?? 60, () =>
        reload().catch((error: unknown) => policy.onReload?.({ kind: "failed", error })),
      );
      if (tickets !== "off") every(tickets.rotateSeconds, () => server.setTicketKeys(randomBytes(48)));
    },
    reload,
    expiresAt: () => Math.min(...[loaded.standard, ...loaded.names.values()].map((one) => one.expiresAt)),
    close() {
      for (const timer of timers) clearInterval(timer);
      timers.clear();
      servers.clear();
    },
  };

  function every(seconds: number, work: () => unknown): void {
    if (seconds === 0) return;
    const timer = setInterval(work, seconds * 1000);
    timer.unref();
    timers.add(timer);
  }
}

/** Cuts a connection whose certificate does not count, or that has none where one is required. */
function judge(socket: TLSSocket, demand: ClientCertificates): void {
  if (demand === "none" || socket.authorized) return;
  const presented = socket.getPeerX509Certificate() !== undefined;
  if (presented || demand === "required") socket.destroy();
}
