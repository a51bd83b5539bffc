import { type Findings, findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import type { TlsIdentity } from "./material.ts";
import type { TlsProfile } from "./profile.ts";

export type ClientCertificates = "none" | "requested" | "required";

export interface TlsServerPolicy extends TlsProfile, TlsIdentity {
  /**
   * `required`: no handshake without a certificate that counts. `requested`: without one, yes; with one that does not
   * count (expired, revoked, of another authority), no. Default `none`.
   */
  readonly clientCertificates?: ClientCertificates;
  /** By server name (SNI): another certificate, other authorities, another demand. Default none. */
  readonly names?: Readonly<Record<string, TlsIdentity & { readonly clientCertificates?: ClientCertificates }>>;
  /**
   * `off`: every connection makes a whole handshake, in which its certificate is judged anew. Otherwise tickets are
   * sealed with a key that is replaced after so many seconds and at each reload. Default `off`.
   */
  readonly sessionTickets?: "off" | { readonly rotateSeconds: number };
  /** Seconds between looks at the files. 0: only `reload()` looks. Default 60. */
  readonly reloadSeconds?: number;
  /** For a handshake. Default 10000. */
  readonly handshakeTimeoutMs?: number;
  /** Told of each reload that changed something, and of each that failed and left the old certificates in use. */
  readonly onReload?: (
    report: { readonly kind: "changed" } | { readonly kind: "failed"; readonly error: unknown },
  ) => void;
}

const IDENTITY_KEYS = ["cert", "key", "passphrase", "clientCa", "crl", "ocsp", "clientCertificates"] as const;
const KEYS = [
  ...IDENTITY_KEYS,
  "minVersion",
  "fips",
  "names",
  "sessionTickets",
  "reloadSeconds",
  "handshakeTimeoutMs",
  "onReload",
] as const;

/** Throws a `ConfigurationError` with every mistake. */
export function checkServerPolicy(policy: TlsServerPolicy): void {
  const found = findings();
  refuseUnknownKeys(found, policy, KEYS);
  checkIdentity(found, policy, "");
  if (policy.minVersion !== undefined && policy.minVersion !== "TLSv1.2" && policy.minVersion !== "TLSv1.3") {
    found.add("minVersion", "not-valid", "write TLSv1.2 or TLSv1.3");
  }
  for (const [name, identity] of Object.entries(policy.names ?? {})) {
    const at = join("names", name);
    refuseUnknownKeys(found, identity, IDENTITY_KEYS, at);
    if (!/^[a-z0-9.-]{1,253}$/.test(name)) found.add(at, "not-a-name", "write a host name in lower case");
    checkIdentity(found, identity, at);
  }
  const { sessionTickets, reloadSeconds, handshakeTimeoutMs } = policy;
  if (sessionTickets !== undefined && sessionTickets !== "off" && !isPositive(sessionTickets.rotateSeconds)) {
    found.add("sessionTickets", "not-valid", "write off, or { rotateSeconds } above zero");
  }
  if (reloadSeconds !== undefined && reloadSeconds !== 0 && !isPositive(reloadSeconds)) {
    found.add("reloadSeconds", "not-valid", "write a whole number of seconds, or 0");
  }
  if (handshakeTimeoutMs !== undefined && !isPositive(handshakeTimeoutMs)) {
    found.add("handshakeTimeoutMs", "not-a-positive-integer", "write a whole number above zero");
  }
  found.throwIfAny("TLS server policy");
}

function checkIdentity(
  found: Findings,
  identity: TlsIdentity & { readonly clientCertificates?: ClientCertificates },
  path: string,
): void {
  for (const name of ["cert", "key", "ocsp"] as const) {
    if (identity[name] === undefined && name === "ocsp") continue;
    if (!isSource(identity[name])) found.add(join(path, name), "not-a-source", "write { file } or { value }");
  }
  for (const name of ["clientCa", "crl"] as const) {
    const list: unknown = identity[name];
    if (list !== undefined && !(Array.isArray(list) && list.length > 0 && list.every(isSource))) {
      found.add(join(path, name), "not-a-list", "write a list of { file } or { value }");
    }
  }
  const demand: unknown = identity.clientCertificates ?? "none";
  if (demand !== "none" && demand !== "requested" && demand !== "required") {
    found.add(join(path, "clientCertificates"), "not-valid", "write none, requested or required");
  } else if (demand !== "none" && identity.clientCa === undefined) {
    found.add(join(path, "clientCa"), "missing", "name the authorities whose clients count; the public ones never do");
  }
}

function isSource(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  const { file, value: given } = value as { file?: unknown; value?: unknown };
  return typeof file === "string" || typeof given === "string" || Buffer.isBuffer(given);
}

function isPositive(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
