import type { X509Certificate } from "node:crypto";

/**
 * The intermediate CAs from one up to a trusted root, the root not among them; `undefined` when there is no way. Each is
 * used once, so that CAs that vouch for each other lead nowhere.
 *
 * Does NOT look at time: see `inForce`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-6.1
 */
export function pathTo(
  certificate: X509Certificate,
  roots: readonly X509Certificate[],
  between: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  if (roots.some((root) => vouches(root, certificate))) return [certificate];
  const others = between.filter((other) => other !== certificate);
  for (const other of others) {
    const rest = vouches(other, certificate) ? pathTo(other, roots, others) : undefined;
    if (rest !== undefined) return [certificate, ...rest];
  }
  return undefined;
}

/** When all of them are in force, in seconds since the epoch. */
export function inForce(certificates: readonly X509Certificate[]): {
  readonly notBefore: number;
  readonly notAfter: number;
} {
  return {
    notBefore: Math.max(...certificates.map(({ validFrom }) => Math.ceil(Date.parse(validFrom) / 1000))),
    notAfter: Math.min(...certificates.map(({ validTo }) => Math.floor(Date.parse(validTo) / 1000))),
  };
}

/** By name and by signature. */
export function vouches(ca: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}
