import { hash } from "node:crypto";
import type { Principal, WindowPolicy } from "@wardline/policy-types";
import { ipKeyGenerator } from "express-rate-limit";

/** Whom a limit charges. */
export type WindowOwner = WindowPolicy["by"] | "department";

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
 * Whom a limit charges: the named part of the principal together with its issuer, because names are unique only there;
 * the address when that part is missing, so that no request goes uncounted.
 */
export function partitionOf(by: WindowOwner, caller: Caller, ipv6Prefix: number): Partition {
  const named = namedBy(by, caller);
  if (named !== undefined) return { parts: named };
  const parts = addressParts(caller.address, ipv6Prefix);
  return by === "address" ? { parts } : { parts, because: toTheAddress(by) };
}

/** `undefined`: the address. */
function namedBy(by: WindowOwner, { principal }: Caller): readonly string[] | undefined {
  const owner = by === "address" || principal === undefined ? undefined : ownerOf(by, principal);
  return principal === undefined || owner === undefined ? undefined : [by, principal.issuer, ...owner];
}

function toTheAddress(by: Exclude<WindowOwner, "address">): string {
  return `no ${by}: charged to the address`;
}

function ownerOf(by: Exclude<WindowOwner, "address">, principal: Principal): readonly string[] | undefined {
  switch (by) {
    case "client":
      return only(principal.clientId);
    case "user":
      return only(principal.subject);
    case "organisation":
      return only(principal.organisation);
    case "device":
      return only(principal.device);
    case "department":
      return principal.department === undefined ? undefined : [principal.organisation ?? "", principal.department];
  }
}

function only(name: string | undefined): readonly string[] | undefined {
  return name === undefined ? undefined : [name];
}

/** A hash that stands for an owner, and why it is not the owner that was meant. */
export interface Owner {
  readonly key: string;
  readonly because?: string;
}

/** Addresses whose hash is remembered. */
const REMEMBERED = 4096;

/**
 * `partitionOf`, hashed. A hash is made once per principal, which smart-auth keeps for as long as it keeps the token, and once per
 * address while that is remembered.
 */
export function createOwners(ipv6Prefix: number): (by: WindowOwner, caller: Caller) => Owner {
  const known = new WeakMap<Principal, Map<WindowOwner, Owner>>();
  const addresses = new Map<string | undefined, Owner>();

  function make(by: Exclude<WindowOwner, "address">, caller: Caller): Owner {
    const named = namedBy(by, caller);
    if (named !== undefined) return { key: hashKey(named) };
    return { key: ofAddress(caller.address).key, because: toTheAddress(by) };
  }
  function remember(principal: Principal): Map<WindowOwner, Owner> {
    const owners = new Map<WindowOwner, Owner>();
    known.set(principal, owners);
    return owners;
  }
  function ofAddress(address: string | undefined): Owner {
    const remembered = addresses.get(address);
    if (remembered !== undefined) return remembered;
    const owner = { key: hashKey(addressParts(address, ipv6Prefix)) };
    if (addresses.size >= REMEMBERED) addresses.clear();
    addresses.set(address, owner);
    return owner;
  }

  return (by, caller) => {
    const { principal } = caller;
    if (by === "address") return ofAddress(caller.address);
    if (principal === undefined) return make(by, caller);
    const owners = known.get(principal) ?? remember(principal);
    const remembered = owners.get(by);
    if (remembered !== undefined) return remembered;
    const owner = make(by, caller);
    // One principal may come from several addresses.
    if (owner.because === undefined) owners.set(by, owner);
    return owner;
  };
}

/** S5: one IPv6 subscriber holds a whole prefix; IPv4-mapped IPv6 is IPv4. Callers without an address share one counter. */
function addressParts(address: string | undefined, ipv6Prefix: number): readonly string[] {
  return ["address", address === undefined ? "unknown" : ipKeyGenerator(address.split("%", 1)[0] ?? "", ipv6Prefix)];
}

/**
 * S8: SHA-256 over length-prefixed parts. No two lists of parts give the same input, and a store, its log and its backup
 * hold no name of a person or client in clear.
 */
export function hashKey(parts: readonly string[]): string {
  return hash("sha256", parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(""), "base64url");
}
