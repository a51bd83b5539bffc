import { hash, randomBytes } from "node:crypto";
import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import { DEFAULT_THRESHOLDS, type ThresholdOptions, type Thresholds } from "./detectors/thresholds.ts";
import type { Protection, Responses } from "./measures/respond.ts";
import { checkCounts, checkFunctions, checkReserved, checkResponses } from "./option-checks.ts";
import { readThresholds } from "./threshold-options.ts";
import type { Position } from "./watch/sighting.ts";

/** What decides whether something is told and what is done about it: all that a simulation needs. */
export interface MonitorPolicy {
  /** When each pattern is told. Default those of the README: higher is quieter, and misses more. */
  readonly thresholds?: ThresholdOptions;
  /** What is done about a pattern beside telling it. Default nothing. */
  readonly responses?: Responses;
  /** Traffic whose callers only a human may block or step up. Default zone `device` and API type `prior-authorization`. */
  readonly reserved?: { readonly zones?: readonly string[]; readonly apiTypes?: readonly string[] };
  /** Lets the policy block reserved pools and break-glass users by itself. Default false. */
  readonly dangerouslyBlockProtectedCallers?: boolean;
  /** The same pattern of the same caller is not told again for so long, unless it becomes worse. Default 3600. */
  readonly repeatSeconds?: number;
  /** Callers remembered of each kind, clients that nobody proved to be apart; those not seen for longest are forgotten. Default 100000. */
  readonly maxCallers?: number;
  /** Where an address is. Without it there is no impossible travel. */
  readonly locate?: (address: string) => Position | undefined;
  /** Bits of an IPv6 address that name one subscriber, 32 to 128. Default 56. */
  readonly ipv6Prefix?: number;
  /** At least 16 random bytes, the same on all instances. Default random: pseudonyms then last as long as the process. */
  readonly key?: Uint8Array;
}

export interface ParsedPolicy {
  readonly thresholds: Thresholds;
  readonly responses: Responses;
  readonly protection: Protection;
  readonly repeatSeconds: number;
  readonly maxCallers: number;
  readonly locate: ((address: string) => Position | undefined) | undefined;
  readonly ipv6Prefix: number;
  /** 16 bytes. */
  readonly key: Uint8Array;
}

export const POLICY: readonly (keyof MonitorPolicy)[] = [
  "thresholds",
  "responses",
  "reserved",
  "dangerouslyBlockProtectedCallers",
  "repeatSeconds",
  "maxCallers",
  "locate",
  "ipv6Prefix",
  "key",
];

/** For a simulation, which tells nobody and blocks nobody. */
export function parsePolicy(policy: MonitorPolicy): ParsedPolicy {
  const found = findings();
  refuseUnknownKeys(found, policy, POLICY);
  const parsed = readPolicy(found, policy);
  found.throwIfAny("abuse-monitor policy");
  return parsed;
}

/** Fills in defaults. Findings go to `found`. */
export function readPolicy(found: Findings, policy: MonitorPolicy): ParsedPolicy {
  const { key, ipv6Prefix, reserved = {} } = policy;
  const thresholds = readThresholds(found, policy.thresholds ?? {}, DEFAULT_THRESHOLDS);
  checkResponses(found, policy.responses ?? {});
  checkCounts(found, policy, ["repeatSeconds", "maxCallers"]);
  checkFunctions(found, policy, ["locate"]);
  checkReserved(found, reserved);
  const { dangerouslyBlockProtectedCallers: lifted = false } = policy;
  if (typeof lifted !== "boolean") {
    found.add("dangerouslyBlockProtectedCallers", "not-a-boolean", "write true or false, not text");
  }
  if (ipv6Prefix !== undefined && !(Number.isInteger(ipv6Prefix) && ipv6Prefix >= 32 && ipv6Prefix <= 128)) {
    found.add("ipv6Prefix", "out-of-range", "write a whole number from 32 to 128");
  }
  const isKey = key instanceof Uint8Array && key.length >= 16;
  if (key !== undefined && !isKey) found.add("key", "too-short", "give at least 16 random bytes");
  return {
    thresholds,
    responses: Object.freeze({ ...policy.responses }),
    protection: Object.freeze({
      zones: reserved.zones ?? ["device"],
      apiTypes: reserved.apiTypes ?? ["prior-authorization"],
      lifted,
    }),
    repeatSeconds: policy.repeatSeconds ?? 3600,
    maxCallers: policy.maxCallers ?? 100_000,
    locate: policy.locate,
    ipv6Prefix: ipv6Prefix ?? 56,
    key: isKey ? shortened(key) : randomBytes(16),
  };
}

function shortened(key: Uint8Array): Uint8Array {
  return hash("sha256", key, "buffer").subarray(0, 16);
}
