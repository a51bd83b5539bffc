import { createHash, X509Certificate } from "node:crypto";
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from "node:tls";
import { findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { readSource, type TlsSource } from "./material.ts";
import { profileOptions, type TlsProfile } from "./profile.ts";

export interface TlsClientPolicy extends TlsProfile {
  /** Authorities whose servers count. Default Node's. */
  readonly ca?: readonly TlsSource[];
  /** Our own certificate, for upstreams that ask for one. */
  readonly cert?: TlsSource;
  /** The private key of `cert`. */
  readonly key?: TlsSource;
  /** Of `key`, where it is encrypted. */
  readonly passphrase?: string;
  /** Revoked certificates of `ca`. Default none: a revoked one counts. */
  readonly crl?: readonly TlsSource[];
  /** Name the certificate must hold, where it is not the URL's host. */
  readonly servername?: string;
  /**
   * SHA-256 of public keys (SubjectPublicKeyInfo), base64: a server with another key is not spoken to, whoever signed
   * its certificate. List the next key beside the present one. Default any key.
   */
  readonly pins?: readonly string[];
  /** Default 10000. */
  readonly connectTimeoutMs?: number;
}

const KEYS = ["ca", "cert", "key", "passphrase", "crl", "servername", "pins", "connectTimeoutMs", "minVersion", "fips"];

/** For `tls.connect`, and for `new Agent({ connect })` of undici. */
export type TlsClientOptions = Omit<ConnectionOptions, "port" | "timeout"> & {
  readonly timeout: number;
  readonly maxCachedSessions: 0;
};

/**
 * TLS towards an upstream, mutual where it asks for it. Every connection makes a whole handshake, in which certificate
 * and pin are judged: Node does not judge them when a session is resumed.
 *
 * Does NOT read its files again: make a new agent when they change.
 *
 * @throws {ConfigurationError} with every mistake of the policy
 */
export async function tlsClientOptions(policy: TlsClientPolicy = {}): Promise<TlsClientOptions> {
  const found = findings();
  refuseUnknownKeys(found, policy, KEYS);
  if ((policy.cert === undefined) !== (policy.key === undefined)) {
    found.add(policy.cert === undefined ? "cert" : "key", "missing", "a certificate and its key go together");
  }
  (policy.pins ?? []).forEach((pin, index) => {
    if (Buffer.from(pin, "base64").length !== 32 || Buffer.from(pin, "base64").toString("base64") !== pin) {
      found.add(`pins[${index}]`, "not-a-pin", "write the SHA-256 of the public key, base64");
    }
  });
  if (policy.pins?.length === 0) found.add("pins", "empty", "an empty list admits no server; leave `pins` out");
  found.throwIfAny("TLS client policy");

  const { ca, cert, key, crl, passphrase, servername, pins } = policy;
  return Object.freeze({
    ...profileOptions(policy),
    rejectUnauthorized: true,
    ALPNProtocols: ["http/1.1"],
    timeout: policy.connectTimeoutMs ?? 10_000,
    maxCachedSessions: 0 as const,
    ...(ca === undefined
      ? {}
      : { ca: await Promise.all(ca.map((source, index) => readSource(source, join("ca", index)))) }),
    ...(crl === undefined
      ? {}
      : { crl: await Promise.all(crl.map((source, index) => readSource(source, join("crl", index)))) }),
    ...(cert === undefined ? {} : { cert: await readSource(cert, "cert") }),
    ...(key === undefined ? {} : { key: await readSource(key, "key") }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === undefined ? {} : { servername }),
    ...(pins === undefined ? {} : { checkServerIdentity: pinned(new Set(pins)) }),
  });
}

/** The SHA-256 of a certificate's public key, as `pins` lists it. */
export function pinOf(certificate: string | Buffer): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

function pinned(pins: ReadonlySet<string>): NonNullable<ConnectionOptions["checkServerIdentity"]> {
  return function checkPinnedIdentity(host: string, certificate: PeerCertificate): Error | undefined {
    const mismatch = checkServerIdentity(host, certificate);
    if (mismatch !== undefined) return mismatch;
    return pins.has(pinOf(certificate.raw))
      ? undefined
      : new Error("the server's public key is not one of the pinned keys");
  };
}
