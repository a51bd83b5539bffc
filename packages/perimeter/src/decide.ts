import { type Decision, deny, permit, type TrustZone } from "@wardline/policy-types";
import { type AddressMatcher, isPrivateNetwork } from "./addresses.ts";
import type { RequestFacts } from "./facts.ts";
import { decideFraming } from "./framing.ts";
import { decideHeaders } from "./headers.ts";
import { problemOf } from "./problems.ts";
import { decideTarget } from "./target.ts";

export interface PerimeterPolicy {
  /** False: requests over plain http are taken too, and can be read on their way. */
  readonly requireHttps: boolean;
  /** True: plain http counts on loopback addresses. */
  readonly development: boolean;
  /** Absent: every address. */
  readonly allowedAddress?: AddressMatcher;
  /** By zone. A zone that is not listed admits every address. */
  readonly zoneAddresses?: Readonly<Partial<Record<TrustZone, AddressMatcher>>>;
  /** Paths, and everything below them, that are reached from private networks only. */
  readonly privatePaths?: readonly string[];
  /** Names this server answers for, lower case, with a port where it is part of the name. Absent: every name. */
  readonly hosts?: ReadonlySet<string>;
  /** Further headers that may stand once only, lower case. */
  readonly singletons?: readonly string[];
  /** All others are refused with 405. */
  readonly methods: readonly string[];
  /** How many header lines a request may have. */
  readonly maxHeaders: number;
  /** All names and values together, in bytes. */
  readonly maxHeaderBytes: number;
  /** Path and query together, in bytes. */
  readonly maxUrlBytes: number;
}

type Rule = (request: RequestFacts, policy: PerimeterPolicy) => Decision<undefined>;

/** Where the request comes from before what it says: a stranger learns nothing about our rules. */
const RULES: readonly Rule[] = [
  decideTransport,
  decideAddress,
  decideZoneAddress,
  ({ headers }, policy) => decideHeaders(headers, policy),
  decideHost,
  decideFraming,
  ({ target }, policy) => decideTarget(target, policy),
];

/**
 * Decides whether a request may come in at all, by its transport, address, headers, framing and target. One deny is
 * enough.
 *
 * Does NOT know who is calling, and does not look at the body.
 */
export function decideEntry(request: RequestFacts, policy: PerimeterPolicy): Decision<undefined> {
  const because: string[] = [];
  for (const rule of RULES) {
    const decision = rule(request, policy);
    if (decision.kind === "deny") return decision;
    because.push(...decision.because);
  }
  return permit(undefined, because);
}

function decideTransport({ secure, local }: RequestFacts, policy: PerimeterPolicy): Decision<undefined> {
  if (secure) return HTTPS;
  if (!policy.requireHttps) return PLAIN_HTTP;
  if (policy.development && local) return permit(undefined, ["plain http from this machine, in development"]);
  return deny(problemOf("https-required"), ["plain http"]);
}

function decideAddress({ address }: RequestFacts, { allowedAddress }: PerimeterPolicy): Decision<undefined> {
  if (allowedAddress === undefined) return ANY_ADDRESS;
  if (allowedAddress(address)) return permit(undefined, ["address on the list"]);
  return deny(problemOf("address-not-allowed"), [
    address === undefined ? "address unknown" : "address not on the list",
  ]);
}

/** Each zone's own networks, and routes for the inside only. */
function decideZoneAddress(
  { address, zone, target }: RequestFacts,
  { zoneAddresses, privatePaths }: PerimeterPolicy,
): Decision<undefined> {
  if (privatePaths?.some((path) => liesBelow(target, path)) === true && !isPrivateNetwork(address)) {
    return deny(problemOf("route-is-private"), ["private route from a public address"]);
  }
  const allowed = zone === undefined ? undefined : zoneAddresses?.[zone];
  if (allowed === undefined || allowed(address)) return NOTHING_TO_SAY;
  return deny(problemOf("zone-address-not-allowed"), [`address not on the list of zone ${zone}`]);
}

/** The spelling is judged later; until then a second spelling must not walk around. */
function liesBelow(target: string, path: string): boolean {
  const asked = target.replace(/\?.*$/s, "").toLowerCase();
  const decoded = asked.replace(/%([0-7][0-9a-f])/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const below = path.toLowerCase();
  return decoded === below || decoded.startsWith(`${below}/`);
}

/**
 * RFC 9110 section 7.4: a request for a name that is not ours, or not the one its connection was made for, is
 * misdirected. What the handshake demanded of one name says nothing about another.
 */
function decideHost({ headers: { lines }, serverName }: RequestFacts, { hosts }: PerimeterPolicy): Decision<undefined> {
  if (hosts === undefined && serverName === undefined) return NOTHING_TO_SAY;
  const host = (lines.get("host")?.[0] ?? "").toLowerCase();
  const name = host.replace(/:\d+$/, "");
  if (hosts !== undefined && !hosts.has(host) && !hosts.has(name)) {
    return deny(problemOf("host-not-ours"), ["host not on the list"]);
  }
  if (serverName !== undefined && serverName.toLowerCase() !== name) {
    return deny(problemOf("host-not-ours"), ["host is not the name of the handshake"]);
  }
  return hosts === undefined ? NOTHING_TO_SAY : LISTED_HOST;
}

const HTTPS = permit(undefined, ["https"]);
const PLAIN_HTTP = permit(undefined, ["plain http is allowed"]);
const ANY_ADDRESS = permit(undefined, ["any address"]);
const LISTED_HOST = permit(undefined, ["host on the list"]);
const NOTHING_TO_SAY = permit(undefined, []);
