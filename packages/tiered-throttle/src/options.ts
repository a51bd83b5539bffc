import type { IncomingMessage } from "node:http";
import {
  type Findings,
  findings,
  join,
  refuseUnknownKeys,
  type TierPolicy,
  type WindowPolicy,
} from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import type { StoreFactory } from "./store.ts";

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

export interface TieredThrottleOptions extends TierPolicy, CountingOptions {
  /** Keeps this tier's counters apart from those of other tiers in the same store. Default `tier`. */
  readonly name?: string;
  /** Counters shared by several processes. Default this process alone. */
  readonly store?: StoreFactory;
  /** Longest wait for the store, in milliseconds. Default 50. */
  readonly storeDeadlineMs?: number;
  /**
   * While the store is down: `local` counts in this process up to `limit / expectedReplicas`; `closed` answers 503.
   * Default `local`.
   */
  readonly onStoreFailure?: "local" | "closed";
  /** Processes that share the store. Default 1. */
  readonly expectedReplicas?: number;
  /** Pause before a failed store is asked again, in seconds. Default 5. */
  readonly storeRetrySeconds?: number;
  /** Told when the store goes down and when it is back, once per change. */
  readonly onStoreState?: (state: "up" | "down") => void;
}

export interface DoorThrottleOptions extends CountingOptions {
  readonly limit: number;
  readonly windowSeconds: number;
}

type Complete<Options, Optional extends keyof Options> = Required<Omit<Options, Optional>> & Pick<Options, Optional>;
export type ParsedTier = Complete<TieredThrottleOptions, "store" | "concurrency">;
export type ParsedDoor = Required<DoorThrottleOptions>;

const COUNTING = ["addressOf", "ipv6Prefix", "maxKeys", "now"] as const satisfies readonly (keyof CountingOptions)[];
const TIER = [
  "windows",
  "concurrency",
  "name",
  "store",
  "storeDeadlineMs",
  "onStoreFailure",
  "expectedReplicas",
  "storeRetrySeconds",
  "onStoreState",
  ...COUNTING,
] as const satisfies readonly (keyof TieredThrottleOptions)[];

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseTier(options: TieredThrottleOptions): ParsedTier {
  const found = findings();
  refuseUnknownKeys(found, options, TIER);
  checkCounting(found, options);
  checkWindows(found, options.windows);
  for (const name of ["concurrency", "storeDeadlineMs", "expectedReplicas", "storeRetrySeconds"] as const) {
    if (options[name] !== undefined) checkPositive(found, name, options[name]);
  }
  if (options.name !== undefined && !isName(options.name)) found.add("name", "not-a-name", NAME_HINT);
  checkFunctions(found, options, ["store", "onStoreState"]);
  checkFailureMode(found, options.onStoreFailure);
  found.throwIfAny("tieredThrottle options");

  return Object.freeze({
    ...withCounting(options),
    windows: Object.freeze(options.windows.map((window) => Object.freeze({ ...window }))),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    name: options.name ?? "tier",
    ...(options.store === undefined ? {} : { store: options.store }),
    storeDeadlineMs: options.storeDeadlineMs ?? 50,
    onStoreFailure: options.onStoreFailure ?? "local",
    expectedReplicas: options.expectedReplicas ?? 1,
    storeRetrySeconds: options.storeRetrySeconds ?? 5,
    onStoreState: options.onStoreState ?? (() => undefined),
  });
}

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseDoor(options: DoorThrottleOptions): ParsedDoor {
  const found = findings();
  refuseUnknownKeys(found, options, ["limit", "windowSeconds", ...COUNTING]);
  checkCounting(found, options);
  checkPositive(found, "limit", options.limit);
  checkWindowSeconds(found, "windowSeconds", options.windowSeconds);
  found.throwIfAny("doorThrottle options");
  return Object.freeze({ ...withCounting(options), limit: options.limit, windowSeconds: options.windowSeconds });
}

function withCounting(options: CountingOptions): Required<CountingOptions> {
  return {
    addressOf: options.addressOf ?? callerAddress,
    ipv6Prefix: options.ipv6Prefix ?? 56,
    maxKeys: options.maxKeys ?? 100_000,
    // A wall clock set back would keep clients waiting; one set forward would give every quota twice.
    now: options.now ?? (() => performance.timeOrigin + performance.now()),
  };
}

function checkCounting(found: Findings, options: CountingOptions): void {
  const { ipv6Prefix, maxKeys } = options;
  if (ipv6Prefix !== undefined && !(Number.isInteger(ipv6Prefix) && ipv6Prefix >= 32 && ipv6Prefix <= 128)) {
    found.add("ipv6Prefix", "out-of-range", "write a whole number from 32 to 128");
  }
  if (maxKeys !== undefined) checkPositive(found, "maxKeys", maxKeys);
  checkFunctions(found, options, ["addressOf", "now"]);
}

function checkFunctions<Options extends object>(
  found: Findings,
  options: Options,
  names: readonly (keyof Options & string)[],
): void {
  for (const name of names) {
    if (options[name] !== undefined && typeof options[name] !== "function")
      found.add(name, "not-a-function", "give a function");
  }
}

function checkWindows(found: Findings, windows: readonly WindowPolicy[] | undefined): void {
  if (!Array.isArray(windows) || windows.length === 0) {
    found.add("windows", "empty", "give at least one window");
    return;
  }
  const before = found.issues.length;
  (windows as readonly WindowPolicy[]).forEach((window, index) => {
    checkWindow(found, join("windows", index), window);
  });
  if (found.issues.length === before) checkRelations(found, windows);
}

function checkWindow(found: Findings, path: string, window: WindowPolicy): void {
  if (window === null || typeof window !== "object") {
    found.add(path, "not-an-object", "write { name, limit, windowSeconds, by }");
    return;
  }
  refuseUnknownKeys(found, window, ["name", "limit", "windowSeconds", "by"], path);
  if (!isName(window.name)) found.add(join(path, "name"), "not-a-name", NAME_HINT);
  checkPositive(found, join(path, "limit"), window.limit);
  checkWindowSeconds(found, join(path, "windowSeconds"), window.windowSeconds);
  if (!OWNERS.includes(window.by)) found.add(join(path, "by"), "unknown-owner", `write one of ${OWNERS.join(", ")}`);
}

const OWNERS: readonly string[] = [
  "client",
  "user",
  "organisation",
  "device",
  "address",
] satisfies WindowPolicy["by"][];

/** Two windows over the same owner make sense when each of them can be the one that is full. */
function checkRelations(found: Findings, windows: readonly WindowPolicy[]): void {
  windows.forEach((window, index) => {
    const path = join("windows", index);
    for (const earlier of windows.slice(0, index)) {
      if (earlier.name === window.name) {
        found.add(join(path, "name"), "duplicate-name", "give every window a name of its own");
        continue;
      }
      if (earlier.by !== window.by) continue;
      const [short, long] = earlier.windowSeconds <= window.windowSeconds ? [earlier, window] : [window, earlier];
      if (short.windowSeconds === long.windowSeconds || short.limit >= long.limit) {
        found.add(
          path,
          "window-never-full",
          `\`${short.name}\` and \`${long.name}\`: the longer window needs the larger limit, or one of them never counts`,
        );
      } else if (short.limit / short.windowSeconds < long.limit / long.windowSeconds) {
        found.add(
          path,
          "window-never-full",
          `\`${short.name}\` allows less per second than \`${long.name}\`, which can therefore never be full`,
        );
      }
    }
  });
}

/** F6: a protected route is never opened by a failure. */
function checkFailureMode(found: Findings, mode: string | undefined): void {
  if (mode === undefined || mode === "local" || mode === "closed") return;
  const message =
    mode === "open"
      ? "a route that carries patient data is never opened because counters are down: write local or closed"
      : "write local or closed";
  found.add("onStoreFailure", "failure-mode-refused", message);
}

function checkPositive(found: Findings, path: string, value: unknown): void {
  // RFC 9651 section 3.3.1: an Integer has at most 15 digits.
  if (!(Number.isInteger(value) && (value as number) > 0 && (value as number) <= 999_999_999_999_999)) {
    found.add(path, "not-a-positive-integer", "write a whole number above zero");
  }
}

const LONGEST_WINDOW_SECONDS = 366 * 86_400;

function checkWindowSeconds(found: Findings, path: string, value: unknown): void {
  if (!(Number.isInteger(value) && (value as number) > 0 && (value as number) <= LONGEST_WINDOW_SECONDS)) {
    found.add(path, "not-a-window", "write whole seconds above zero, at most a year");
  }
}

/** Token characters (RFC 9110 section 5.6.2): none of them needs escaping in a structured-field String. */
function isName(value: unknown): boolean {
  return typeof value === "string" && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/.test(value);
}
const NAME_HINT = "write 1 to 64 letters, digits or -._~";

/** Perimeter says who called behind trusted proxies; without it the peer is the caller. */
function callerAddress(req: IncomingMessage): string | undefined {
  const { clientAddress, transport } = contextOf(req);
  return clientAddress ?? transport.peerAddress;
}
