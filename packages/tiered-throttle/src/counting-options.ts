import type { IncomingMessage } from "node:http";
import type { Findings } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { checkFunctions, checkPositive } from "./checks.ts";

/** How both throttles find whom to charge, and how much they remember. */
export interface CountingOptions {
  /** The client's address. Default the one perimeter found through trusted proxies, else the connected peer's. */
  readonly addressOf?: (req: IncomingMessage) => string | undefined;
  /** Bits of an IPv6 address that name one subscriber, 32 to 128. Default 56. */
  readonly ipv6Prefix?: number;
  /** Keys remembered per window; further ones share one counter. Default 100000. */
  readonly maxKeys?: number;
  /** Milliseconds since the epoch. Default a clock that never goes back. */
  readonly now?: () => number;
}

export const COUNTING: readonly (keyof CountingOptions)[] = ["addressOf", "ipv6Prefix", "maxKeys", "now"];
/** Fills in defaults. */
export function withCounting(options: CountingOptions): Required<CountingOptions> {
  return {
    addressOf: options.addressOf ?? callerAddress,
    ipv6Prefix: options.ipv6Prefix ?? 56,
    maxKeys: options.maxKeys ?? 100_000,
    // A wall clock set back would keep clients waiting; one set forward would give every quota twice.
    now: options.now ?? (() => performance.timeOrigin + performance.now()),
  };
}

export function checkCounting(found: Findings, options: CountingOptions): void {
  const { ipv6Prefix, maxKeys } = options;
  if (ipv6Prefix !== undefined && !(Number.isInteger(ipv6Prefix) && ipv6Prefix >= 32 && ipv6Prefix <= 128)) {
    found.add("ipv6Prefix", "out-of-range", "write a whole number from 32 to 128");
  }
  if (maxKeys !== undefined) checkPositive(found, "maxKeys", maxKeys);
  checkFunctions(found, options, ["addressOf", "now"]);
}

/** Perimeter says who called behind trusted proxies; without it the peer is the caller. */
function callerAddress(req: IncomingMessage): string | undefined {
  const { clientAddress, transport } = contextOf(req);
  return clientAddress ?? transport.peerAddress;
}
