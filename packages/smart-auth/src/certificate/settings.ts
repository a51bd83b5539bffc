import type { BlockList } from "node:net";

/** How a terminator writes the certificate. */
export type CertificateHeaderFormat = "rfc9440" | "nginx" | "envoy" | "aws";

/** Where a TLS terminator before this server leaves the client's certificate. */
export interface ClientCertificateHeader {
  readonly format: CertificateHeaderFormat;
  /** Default: `Client-Cert`, `X-SSL-Client-Cert`, `X-Forwarded-Client-Cert`, `X-Amzn-Mtls-Clientcert-Leaf`. */
  readonly name?: string;
  /** Addresses or CIDR ranges of the terminators, which must strip the header from what clients send. At least one. */
  readonly trustedProxies: readonly string[];
}

export interface CertificateHeaderSettings {
  readonly format: CertificateHeaderFormat;
  /** Lower case. */
  readonly name: string;
  readonly trusted: BlockList;
}
