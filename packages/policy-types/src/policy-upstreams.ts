import type { BreakerPolicy } from "./policy-limits.ts";

/** A server that holds the data. */
export interface UpstreamPolicy {
  /** Base URL, https unless it is a loopback address under `development`. With `targets` or `srv`: whose names the data bear. */
  readonly url: string;
  /** Servers that share the work, in place of the one of `url`. Each holds the same data under its own base URL. */
  readonly targets?: readonly UpstreamTarget[];
  /** DNS name of SRV records (RFC 2782) that name the servers; they are asked under the scheme and path of `url`. */
  readonly srv?: string;
  /** Seconds after which `srv` is resolved again. Default 30. */
  readonly srvRefreshSeconds?: number;
  /** Asked of each server at an interval; one that fails is left out while another answers. Absent: passive only. */
  readonly probe?: { readonly path?: string; readonly intervalSeconds?: number };
  /** Share of requests that may be asked again of another server when one cannot be reached; reads only. Default 0.1. */
  readonly retryShare?: number;
  /** Until the answer's headers, in milliseconds. Default 30000. */
  readonly headersTimeoutMs?: number;
  /** Between two pieces of the answer's body, in milliseconds; in each such time at least 1 KiB must come. Default 30000. */
  readonly bodyTimeoutMs?: number;
  /** Connections at once. Default 128. */
  readonly connections?: number;
  /** When it is left alone for a while. `{}` takes the defaults. Default on; `false`: never. */
  readonly breaker?: BreakerPolicy | false;
  /** TLS towards it: our certificate, its authorities, its pinned keys. */
  readonly tls?: UpstreamTlsPolicy;
}

/** TLS towards an upstream. */
export interface UpstreamTlsPolicy {
  /** Files of the authorities whose servers count. Default Node's. */
  readonly ca?: readonly string[];
  /** File of our own certificate. */
  readonly cert?: string;
  /** `file:` or `env:` of its key. */
  readonly key?: string;
  /** SHA-256 of public keys, base64: a server with another one is not spoken to. */
  readonly pins?: readonly string[];
  readonly servername?: string;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
}

/** One of several servers with the same data. */
export interface UpstreamTarget {
  readonly url: string;
  /** Share of the work in relation to the others. Default 1. */
  readonly weight?: number;
}
