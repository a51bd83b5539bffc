import { BlockList, isIP } from "node:net";
import { type Findings, findings, join, refuseUnknownKeys } from "@wardline/policy-types";

export interface ConnectionLimitOptions {
  /** Connections of one address at once. Absent: unbounded. */
  readonly perAddress?: number;
  /** Connections of one client at once. Absent: unbounded. */
  readonly perClient?: number;
  /** Connections at once, exempt ones included. Absent: unbounded. */
  readonly total?: number;
  /** Addresses and CIDR ranges without a limit of their own: proxies through which many callers come. Default none. */
  readonly exempt?: readonly string[];
  /** Bits of an IPv6 address that name one subscriber, 32 to 128. Default 56. */
  readonly ipv6Prefix?: number;
}

export interface ParsedConnections extends Omit<ConnectionLimitOptions, "exempt" | "ipv6Prefix"> {
  readonly ipv6Prefix: number;
  readonly isExempt: (address: string) => boolean;
}

const LIMITS = ["perAddress", "perClient", "total"] as const satisfies readonly (keyof ConnectionLimitOptions)[];

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseConnections(options: ConnectionLimitOptions): ParsedConnections {
  const found = findings();
  refuseUnknownKeys(found, options, [...LIMITS, "exempt", "ipv6Prefix"]);
  for (const name of LIMITS) {
    if (options[name] !== undefined) checkWhole(found, name, options[name], 1, 1_000_000);
  }
  if (LIMITS.every((name) => options[name] === undefined))
    found.add("", "empty", `give at least one of ${LIMITS.join(", ")}`);
  const { ipv6Prefix = 56, exempt = [] } = options;
  checkWhole(found, "ipv6Prefix", ipv6Prefix, 32, 128);
  const ranges = readRanges(found, exempt);
  found.throwIfAny("connectionLimits options");
  const { perAddress, perClient, total } = options;
  return Object.freeze({
    ...(perAddress === undefined ? {} : { perAddress }),
    ...(perClient === undefined ? {} : { perClient }),
    ...(total === undefined ? {} : { total }),
    ipv6Prefix,
    // S5: BlockList compares bytes, and reads v4-mapped IPv6 as IPv4 when told that it is IPv6.
    isExempt: (address: string) => ranges.check(address, isIP(address) === 6 ? "ipv6" : "ipv4"),
  });
}

function readRanges(found: Findings, exempt: readonly string[]): BlockList {
  const ranges = new BlockList();
  if (!Array.isArray(exempt)) {
    found.add("exempt", "not-a-list", "give a list of addresses and CIDR ranges");
    return ranges;
  }
  (exempt as readonly unknown[]).forEach((range, index) => {
    if (!addRange(ranges, range))
      found.add(join("exempt", index), "not-a-range", "write an address, or an address, a slash and its bits");
  });
  return ranges;
}

function addRange(ranges: BlockList, range: unknown): boolean {
  const [, address = "", bits] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(String(range)) ?? [];
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  if (version === 0 || (bits !== undefined && Number(bits) > most)) return false;
  ranges.addSubnet(address, bits === undefined ? most : Number(bits), version === 6 ? "ipv6" : "ipv4");
  return true;
}

function checkWhole(found: Findings, path: string, value: unknown, least: number, most: number): void {
  if (!(Number.isInteger(value) && (value as number) >= least && (value as number) <= most))
    found.add(path, "out-of-range", `write a whole number from ${least} to ${most}`);
}
