import { addressMatcher } from "../addresses.ts";
import type { HostileRule } from "./rule.ts";
import { COLON } from "./traits.ts";

/** RFC 6890: loopback, private, link-local (cloud metadata included), shared and unspecified addresses. */
const isPrivate = addressMatcher([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "::/128",
  "::1",
  "fc00::/7",
  "fe80::/10",
]);

const INTERNAL_NAME =
  /^(?:localhost|metadata|instance-data|kubernetes|.*\.(?:localhost|internal|local|lan|intranet|svc|nip\.io|sslip\.io|localtest\.me))\.?$/;

/**
 * Refuses addresses on this machine or in its network where a server could be made to fetch them. Origins that are ours
 * are known by name.
 *
 * Does NOT resolve names: a name that resolves to a private address is the fetching server's to refuse.
 */
export function privateTargetRule(allowedOrigins: ReadonlySet<string>): HostileRule {
  return Object.freeze({
    id: "ssrf/private-target",
    class: "ssrf",
    reason: "an address inside the network, which a fetching server could reach and the caller could not",
    needs: COLON,
    matches: ({ text }) => isPrivateTarget(text, allowedOrigins),
  } satisfies HostileRule);
}

export function isPrivateTarget(text: string, allowedOrigins: ReadonlySet<string>): boolean {
  if (!text.includes("://")) return false;
  return [...text.matchAll(ADDRESS)].some(([, address = "", bar]) => {
    const url = parse(address);
    if (url === undefined || allowedOrigins.has(url.origin)) return false;
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // Before a bar stands the system of a code or an identifier: a name that nobody fetches, and often an internal one.
    return isPrivate(host) || (bar === undefined && INTERNAL_NAME.test(host.toLowerCase()));
  });
}

const ADDRESS = /\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s,|]{1,4000})(\|)?/gi;

function parse(address: string): URL | undefined {
  // The URL parser writes decimal, octal, hexadecimal and full-width spellings of an address as the address.
  const url = address.replace(/^[a-z][a-z0-9+.-]*:/i, (scheme) => (/^https?:$/i.test(scheme) ? scheme : "http:"));
  return URL.canParse(url) ? new URL(url) : undefined;
}
