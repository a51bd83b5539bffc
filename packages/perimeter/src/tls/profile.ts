import { constants } from "node:crypto";
import type { SecureContextOptions, SecureVersion } from "node:tls";

/** How a connection is protected, whoever opens it. */
export interface TlsProfile {
  /** Default TLSv1.2. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Leaves out what no FIPS 140 module offers: ChaCha20-Poly1305 and X25519. Default false. */
  readonly fips?: boolean;
}

/** Forward secret and authenticated, in order of preference. @see https://www.rfc-editor.org/rfc/rfc9325#section-4.2 */
const SUITES: readonly string[] = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_AES_128_GCM_SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
];
const CHACHA: readonly string[] = [
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

/** What `createServer`, `createSecureContext` and `connect` take; without certificates. */
export function profileOptions({ minVersion = "TLSv1.2", fips = false }: TlsProfile): SecureContextOptions & {
  readonly minVersion: SecureVersion;
} {
  return {
    minVersion,
    maxVersion: "TLSv1.3",
    ciphers: [...SUITES, ...(fips ? [] : CHACHA)].join(":"),
    ecdhCurve: fips ? "P-256:P-384" : "X25519:P-256:P-384",
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  };
}
