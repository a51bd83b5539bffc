import { createHash } from "node:crypto";
import type { Principal, WindowPolicy } from "@wardline/policy-types";
import { ipKeyGenerator } from "express-rate-limit";

/** Whom a request could be charged to. */
export interface Caller {
  /** Absent before anybody was authenticated. */
  readonly principal: Principal | undefined;
  /** Absent when the connection is gone. */
  readonly address: string | undefined;
}

export interface Partition {
  /** Parts that together name the counter's owner. */
  readonly parts: readonly string[];
  /** Set when the request is charged to its address instead. */
  readonly because?: string;
}

/**
 * Whom a window charges: the named part of the principal together with its issuer, because names are unique only there;
 * the address when that part is missing, so that no request goes uncounted.
 */
export function partitionOf(by: WindowPolicy["by"], caller: Caller, ipv6Prefix: number): Partition {
  const { principal } = caller;
  const address = { parts: ["address", addressKey(caller.address, ipv6Prefix)] };
  if (by === "address") return address;
  const owner = principal && ownerOf(by, principal);
  if (principal === undefined || owner === undefined)
    return { ...address, because: `no ${by}: charged to the address` };
  return { parts: [by, principal.issuer, owner] };
}

function ownerOf(by: Exclude<WindowPolicy["by"], "address">, principal: Principal): string | undefined {
  switch (by) {
    case "client":
      return principal.clientId;
    case "user":
      return principal.subject;
    case "organisation":
      return principal.organisation;
    case "device":
      return principal.device;
  }
}

/** One key per window of a tier, and the reasons for charging an address instead of somebody. */
export function keysOf(
  tier: { readonly name: string; readonly windows: readonly WindowPolicy[]; readonly ipv6Prefix: number },
  caller: Caller,
): { readonly keys: readonly string[]; readonly because: readonly string[] } {
  const partitions = tier.windows.map(({ by }) => partitionOf(by, caller, tier.ipv6Prefix));
  const reasons = partitions.flatMap(({ because }) => (because === undefined ? [] : [because]));
  return {
    keys: partitions.map(({ parts }, index) => {
      const { name, windowSeconds } = tier.windows[index] as WindowPolicy;
      return hashKey([tier.name, name, String(windowSeconds), ...parts]);
    }),
    because: [...new Set(reasons)],
  };
}

/** S5: one IPv6 subscriber holds a whole prefix; IPv4-mapped IPv6 is IPv4. Callers without an address share one counter. */
function addressKey(address: string | undefined, ipv6Prefix: number): string {
  return address === undefined ? "unknown" : ipKeyGenerator(address.replace(/%.*$/, ""), ipv6Prefix);
}

/**
 * S8: SHA-256 over length-prefixed parts. No two lists of parts give the same input, and a store, its log and its backup
 * hold no name of a person or client in clear.
 */
export function hashKey(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("base64url");
}
