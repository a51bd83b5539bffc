import { X509Certificate } from "node:crypto";
import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { checkScopes } from "../clients/registry.ts";
import type { NameKind } from "./alternative-names.ts";
import { type Crl, readCrl } from "./crl.ts";
import { inForce, pathTo } from "./path.ts";

/** Devices of one kind: who certifies them, how they are named, and what they may do. */
export interface DeviceClass {
  /** `infusion-pump` */
  readonly name: string;
  /** Certificates of the CAs that issue theirs, PEM. Such a certificate must come from one of these directly. */
  readonly issuedBy: readonly string[];
  /** Which subject alternative name names the device; it must have exactly one of the kind. */
  readonly identity: {
    readonly name: NameKind /** Taken off the name, and needed. Default none. */;
    readonly prefix?: string;
  };
  /** SMART scopes, fixed: `system/Observation.c`. */
  readonly scopes: readonly string[];
  /** CAs below those of `issuedBy`, PEM. With them, devices are certified by them alone, and no more by `issuedBy`. */
  readonly intermediates?: readonly string[];
  readonly organisation?: string;
  /** Revocation list of the one CA that certifies the devices, PEM. */
  readonly crl?: string;
  /** Gets the revocation list, PEM or DER; asked again each minute. In an app only. */
  readonly readCrl?: () => Promise<string | Uint8Array>;
}

export interface DeviceClassSettings {
  readonly name: string;
  /** The CAs that certify the devices themselves. */
  readonly issuers: readonly DeviceIssuer[];
  readonly identity: { readonly name: NameKind; readonly prefix: string };
  readonly scopes: readonly string[];
  readonly organisation?: string;
  /** Absent, without `readCrl`: nothing is revoked but by the revocation list of tokens. */
  readonly crl?: Crl;
  readonly readCrl?: () => Promise<string | Uint8Array>;
}

/** A CA that certifies devices, and how long its own path holds. */
export interface DeviceIssuer {
  readonly certificate: X509Certificate;
  /** Seconds since the epoch, of every intermediate above the device. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const KNOWN = [
  "name",
  "issuedBy",
  "intermediates",
  "identity",
  "scopes",
  "organisation",
  "crl",
  "readCrl",
] as const satisfies readonly (keyof DeviceClass)[];
const KINDS: readonly string[] = ["uri", "dns", "email"];

export function parseDevices(
  found: Findings,
  classes: readonly DeviceClass[],
  path: string,
): readonly DeviceClassSettings[] {
  if (!Array.isArray(classes) || classes.length === 0) {
    found.add(path, "not-a-list", "must be a list of device classes");
    return [];
  }
  const parsed = (classes as readonly DeviceClass[]).flatMap((one, at) => parseClass(found, one, join(path, at)) ?? []);
  parsed.forEach(({ issuers }, at) => {
    const isShared = parsed
      .slice(0, at)
      .some((other) =>
        other.issuers.some(({ certificate: one }) =>
          issuers.some(({ certificate }) => certificate.fingerprint256 === one.fingerprint256),
        ),
      );
    // Which of two classes a device is of, its certificate could not say.
    if (isShared) found.add(join(path, at), "ambiguous", "each CA belongs to one class of devices");
  });
  return Object.freeze(parsed);
}

function parseClass(found: Findings, given: DeviceClass, path: string): DeviceClassSettings | undefined {
  if (given === null || typeof given !== "object") {
    found.add(path, "not-an-object", "must be a device class");
    return undefined;
  }
  refuseUnknownKeys(found, given, KNOWN, path);
  const { name, identity, scopes, organisation, readCrl: read } = given;
  if (typeof name !== "string" || name === "") found.add(join(path, "name"), "missing", "name the class");
  const issuers = parseIssuers(found, given, path);
  const { name: kind, prefix = "", ...others } = identity ?? {};
  if (!KINDS.includes(kind) || typeof prefix !== "string" || Object.keys(others).length > 0) {
    found.add(join(path, "identity"), "not-an-identity", "must be { name: uri, dns or email, prefix? }");
  }
  if (!Array.isArray(scopes) || scopes.length === 0)
    found.add(join(path, "scopes"), "missing", "name at least one scope");
  else checkScopes(found, scopes, join(path, "scopes"));
  if (read !== undefined && typeof read !== "function")
    found.add(join(path, "readCrl"), "not-a-function", "must be a function");
  if ((given.crl !== undefined || read !== undefined) && issuers.length !== 1) {
    found.add(join(path, "issuedBy"), "ambiguous", "a revocation list belongs to one CA");
  }
  return Object.freeze({
    name,
    issuers,
    identity: Object.freeze({ name: kind, prefix }),
    scopes: Object.freeze([...(Array.isArray(scopes) ? (scopes as string[]) : [])]),
    ...(organisation === undefined ? {} : { organisation }),
    ...crlOf(found, given.crl, issuers[0]?.certificate, join(path, "crl")),
    ...(read === undefined ? {} : { readCrl: read }),
  });
}

function parseIssuers(found: Findings, given: DeviceClass, path: string): readonly DeviceIssuer[] {
  const roots = parseAuthorities(found, given.issuedBy, join(path, "issuedBy"));
  if (given.intermediates === undefined) {
    return roots.map((certificate) => ({ certificate, notBefore: 0, notAfter: Number.POSITIVE_INFINITY }));
  }
  const between = parseAuthorities(found, given.intermediates, join(path, "intermediates"));
  return between.flatMap((certificate, at) => {
    const way = pathTo(certificate, roots, between);
    if (way === undefined)
      found.add(join(join(path, "intermediates"), at), "not-issued", "no CA of `issuedBy` vouches for it");
    return way === undefined ? [] : [{ certificate, ...inForce(way) }];
  });
}

function parseAuthorities(found: Findings, given: unknown, path: string): readonly X509Certificate[] {
  if (!Array.isArray(given) || given.length === 0) {
    found.add(path, "missing", "name the CA whose certificates count");
    return [];
  }
  return (given as readonly unknown[]).flatMap((pem, at) => {
    try {
      const certificate = new X509Certificate(pem as string);
      if (certificate.ca) return [certificate];
    } catch {
      // Told below, as for a certificate of no CA.
    }
    found.add(join(path, at), "not-a-ca", "must be the certificate of a CA, PEM");
    return [];
  });
}

function crlOf(
  found: Findings,
  given: string | undefined,
  ca: X509Certificate | undefined,
  path: string,
): { readonly crl?: Crl } {
  if (given === undefined || ca === undefined) return {};
  try {
    return { crl: readCrl(given, ca) };
  } catch {
    found.add(path, "not-a-crl", "must be a revocation list that the CA has signed, PEM");
    return {};
  }
}
