import type { TrustZone } from "./zones.ts";

/** TLS of a listener. Files are read again when they change, without a restart. */
/** What a door shows and asks in a handshake. */
export interface TlsIdentityPolicy {
  /** File of the certificate and its intermediates, PEM. */
  readonly cert: string;
  /** `file:/path` or `env:NAME` of the private key, PEM. */
  readonly key: string;
  /** `env:NAME` or `file:/path` of what opens the key. */
  readonly passphrase?: string;
  /** Files of the only authorities whose clients are known here. */
  readonly clientCa?: readonly string[];
  /** Files of revocation lists, one for every authority of the clients' chains. */
  readonly crl?: readonly string[];
  /** File of an OCSP answer to staple, DER. */
  readonly ocsp?: string;
  /** `required`: no handshake without a certificate that counts. Default `required` where a zone demands it, else `none`. */
  readonly clientCertificates?: "none" | "requested" | "required";
}

export interface TlsPolicy extends TlsIdentityPolicy {
  /** By the name a client asks for (SNI): another certificate, other authorities, another demand. */
  readonly names?: Readonly<Record<string, TlsIdentityPolicy>>;
  /** `off`: each handshake is whole. Else tickets under a key that is replaced after so many seconds. Default `off`. */
  readonly sessionTickets?: "off" | { readonly rotateSeconds: number };
  /** Between two looks at the files. Default 60. */
  readonly reloadSeconds?: number;
  /** Default TLSv1.2. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Leaves out what no FIPS 140 module offers, and refuses to start without one. Default false. */
  readonly fips?: boolean;
}

/** The operator's listener. */
export interface AdminPolicy {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  readonly tls?: TlsPolicy;
  /** Who may do more than look whether the edge is well: a token of one of the policy's issuers with all of this. */
  readonly operators?: {
    /** `aud` of their tokens. */
    readonly audience: string;
    readonly roles: readonly string[];
    /** How they signed in, one of these. Default `["mfa"]`. */
    readonly amr?: readonly string[];
  };
}

/** A port of plain http beside TLS, where nothing is served. */
export interface PlaintextPolicy {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any. */
  readonly port: number;
  /** GET and HEAD without credentials are sent to `publicOrigin`, which is https then. Default false: everything is refused. */
  readonly redirect?: boolean;
}

/** A door of the edge: an address, its TLS, and the zones that are reached through it and no others. */
export interface ListenerPolicy {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8080 for `listen`. 0: any. */
  readonly port?: number;
  /** Zones behind this door. Default for `listen`: those no other door has. */
  readonly zones?: readonly TrustZone[];
  /** Absent: plain http, for a TLS terminator named in `trustedProxies`, or for `development`. */
  readonly tls?: TlsPolicy;
}
