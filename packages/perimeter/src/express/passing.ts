import type { ParsedOptions } from "../options.ts";
import { FORWARDING_HEADERS, STANDARD_REQUEST_HEADERS } from "../request-headers.ts";

/** Which request headers later stages may see, and which of those the hostile-input rules read. */
export interface Passing {
  readonly passes: (name: string) => boolean;
  readonly isRead: (name: string) => boolean;
}

/** What passes from anybody, and from a trusted proxy besides. */
export function passingHeaders({
  requestHeaders,
  clientCertificateHeader,
}: Pick<ParsedOptions, "requestHeaders" | "clientCertificateHeader">): {
  readonly fromAnybody: Passing;
  readonly fromProxy: Passing;
} {
  const standard = [...STANDARD_REQUEST_HEADERS, ...requestHeaders];
  const certificate = clientCertificateHeader === undefined ? [] : [clientCertificateHeader];
  // Escaped PEM looks like a header that was split; whoever reads a certificate takes nothing but one.
  const unread: ReadonlySet<string> = new Set([...CERTIFICATE_HEADERS, ...certificate]);
  const passing = (names: readonly string[]): Passing => {
    const all: ReadonlySet<string> = new Set(names);
    const read: ReadonlySet<string> = new Set(names.filter((name) => !unread.has(name)));
    return { passes: (name) => all.has(name), isRead: (name) => read.has(name) };
  };
  return {
    fromAnybody: passing(standard),
    fromProxy: passing([...standard, ...FORWARDING_HEADERS, ...certificate]),
  };
}

const CERTIFICATE_HEADERS = ["client-cert", "client-cert-chain", "x-forwarded-client-cert"] as const;
