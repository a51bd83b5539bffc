import type { TransportFacts } from "@wardline/policy-types/express";
import { headerValues } from "../credentials.ts";
import { isAddressIn } from "../network.ts";
import type { CertificateHeaderFormat, CertificateHeaderSettings } from "./settings.ts";

/**
 * The certificate the client proved to hold, as DER: the connection's own, or, from a trusted terminator, the one it
 * reports. `undefined` when there is none, and when a terminator's header holds anything but one certificate.
 *
 * Does NOT believe the header of a peer that is not trusted, nor take a terminator's own certificate for its client's.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9440#section-4
 */
export function clientCertificate(
  rawHeaders: readonly string[],
  transport: Pick<TransportFacts, "peerAddress" | "clientCertificate">,
  header: CertificateHeaderSettings | undefined,
): Buffer | undefined {
  if (header === undefined || !isAddressIn(header.trusted, transport.peerAddress))
    return transport.clientCertificate?.raw;
  const [value, ...others] = headerValues(rawHeaders, header.name);
  return value === undefined || others.length > 0 ? undefined : READERS[header.format](value);
}

const READERS: Readonly<Record<CertificateHeaderFormat, (value: string) => Buffer | undefined>> = Object.freeze({
  /** A byte sequence of RFC 8941 section 3.3.5. */
  rfc9440: (value) => base64(/^:([^:]*):$/.exec(value.trim())?.[1]),
  nginx: escapedPem,
  aws: escapedPem,
  /** One element only: with several, the client may have written all but the last. */
  envoy(value) {
    const pairs = [...value.matchAll(/(?:^|;)([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^;,"]*))/g)];
    if (pairs.map(([text]) => text).join("") !== value) return undefined;
    const certificates = pairs.filter(([, key = ""]) => key.toLowerCase() === "cert");
    const [certificate] = certificates;
    return certificates.length === 1 ? escapedPem(certificate?.[2] ?? certificate?.[3] ?? "") : undefined;
  },
});

function escapedPem(value: string): Buffer | undefined {
  try {
    const text = decodeURIComponent(value);
    const pem = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*$/.exec(text);
    return base64(pem?.[1]?.replaceAll(/[\r\n]/g, ""));
  } catch {
    return undefined;
  }
}

/** Re-encoding shows every leniency of the decoder. */
function base64(text: string | undefined): Buffer | undefined {
  if (text === undefined || text === "") return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
