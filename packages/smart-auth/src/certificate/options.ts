import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { parseRanges } from "../network.ts";
import type { CertificateHeaderFormat, CertificateHeaderSettings, ClientCertificateHeader } from "./settings.ts";

const NAMES: Readonly<Record<CertificateHeaderFormat, string>> = Object.freeze({
  rfc9440: "client-cert",
  nginx: "x-ssl-client-cert",
  envoy: "x-forwarded-client-cert",
  // Only this one holds a certificate the load balancer has verified.
  aws: "x-amzn-mtls-clientcert-leaf",
});

const KNOWN = ["format", "name", "trustedProxies"] as const satisfies readonly (keyof ClientCertificateHeader)[];

export function parseCertificateHeader(
  found: Findings,
  options: ClientCertificateHeader,
  path: string,
): CertificateHeaderSettings | undefined {
  if (options === null || typeof options !== "object") {
    found.add(path, "not-an-object", "must name a format and the proxies that are trusted with it");
    return undefined;
  }
  refuseUnknownKeys(found, options, KNOWN, path);
  const { format, trustedProxies } = options;
  if (!Object.hasOwn(NAMES, format)) {
    found.add(join(path, "format"), "unknown-value", `choose from ${Object.keys(NAMES).join(", ")}`);
  }
  const name = options.name ?? NAMES[format];
  if (typeof name !== "string" || !/^[A-Za-z0-9-]+$/.test(name)) {
    found.add(join(path, "name"), "not-a-header", "must be the name of a header");
  }
  if (!Array.isArray(trustedProxies) || trustedProxies.length === 0) {
    found.add(join(path, "trustedProxies"), "missing", "name who may speak for clients: anybody can write a header");
    return undefined;
  }
  const trusted = parseRanges(found, trustedProxies as readonly unknown[], join(path, "trustedProxies"));
  return Object.freeze({ format, name: String(name).toLowerCase(), trusted });
}
