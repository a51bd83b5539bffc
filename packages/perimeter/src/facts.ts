import type { TrustZone } from "@wardline/policy-types";

/** What a request is judged by: as received, before Node merges or drops anything. */
export interface RequestFacts {
  readonly method: string;
  /** The request-target as received. */
  readonly target: string;
  /** `1.0` or `1.1`. */
  readonly httpVersion: string;
  readonly headers: HeaderFacts;
  /** Address of the client: the peer, or found through trusted proxies. Absent when it cannot be known. */
  readonly address?: string;
  /** Server name of the client's own handshake with us; absent behind a trusted proxy and without TLS. */
  readonly serverName?: string;
  readonly zone?: TrustZone;
  /** True when every hop we know of was encrypted. */
  readonly secure: boolean;
  /** True when the peer is on this machine and nothing says that it speaks for somebody else. */
  readonly local: boolean;
}

export interface HeaderFacts {
  /** Number of header lines. */
  readonly count: number;
  /** Size of all header lines in bytes. */
  readonly bytes: number;
  /** Every value of every header in order, by lower-case name. */
  readonly lines: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads headers from `rawHeaders`, because `req.headers` hides repeats: it keeps the first of some and joins the others.
 */
export function readHeaderFacts(rawHeaders: readonly string[]): HeaderFacts {
  const lines = new Map<string, string[]>();
  let bytes = 0;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    // Node decodes header lines as latin1: one character is one byte. ": " and CRLF make four more.
    bytes += name.length + value.length + 4;
    const lower = name.toLowerCase();
    const values = lines.get(lower);
    if (values === undefined) lines.set(lower, [value]);
    else values.push(value);
  }
  return { count: rawHeaders.length / 2, bytes, lines };
}
