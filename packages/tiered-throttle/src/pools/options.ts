import type { IncomingMessage } from "node:http";
import { type Findings, findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import type { Shedder } from "../shedding/shedder.ts";

/** One pool: what is kept for it, and what it may have besides. */
export interface PoolOptions {
  /** Slots that are this pool's whatever the others do. Default 0. */
  readonly reserved?: number;
  /** Idle slots of the reserve that others may borrow until they are called back. Default 0. */
  readonly lend?: number;
  /** Slots at once at most. Default the capacity. */
  readonly maximum?: number;
  /** The higher goes first when a slot becomes free, and is shed later. Default 0. */
  readonly priority?: number;
  /** Requests that may wait for a slot. Default 0. */
  readonly waiting?: number;
  /** Longest wait for a slot, in milliseconds. Default 1000. */
  readonly waitMs?: number;
  /** Requests per second that are this pool's whatever the others do. Needs `requestsPerSecond`. Default 0. */
  readonly reservedPerSecond?: number;
}

/** What a pool decided about one request. Names of the configuration and fixed codes only. */
export interface PoolDecision {
  readonly pool: string;
  readonly kind: "permit" | "deny";
  /** `Problem.code`, for a deny. */
  readonly code?: string;
  /** Milliseconds spent waiting for a slot. */
  readonly waitedMs: number;
}

export interface ReservedPoolsOptions {
  /** Requests at once, over all pools. */
  readonly capacity: number;
  /** Requests per second, over all pools. Absent: only slots are shared out. */
  readonly requestsPerSecond?: number;
  /** By name. */
  readonly pools: Readonly<Record<string, PoolOptions>>;
  /** Names the pool of a request. Default the one named like its API type, else its zone, else `ordinary`. */
  readonly poolOf?: (req: IncomingMessage) => string;
  /** Whether a request may be cut off when a borrowed slot is called back. Default GET and HEAD. */
  readonly mayBorrow?: (req: IncomingMessage) => boolean;
  /** Order among the waiting of one pool: the higher goes first. Default all alike. */
  readonly priorityOf?: (req: IncomingMessage) => number;
  /** Refuses by load, the lowest pool priority first. Absent: nothing is shed. */
  readonly shedder?: Shedder;
  /** What Retry-After says when no slot is free. Default 1 s. */
  readonly retryAfterSeconds?: number;
  /** Told every decision. One that throws changes nothing. */
  readonly onDecision?: (decision: PoolDecision) => void;
  /** Milliseconds on a clock that never goes back. Default that of the process. */
  readonly now?: () => number;
}

export type ParsedPool = Required<PoolOptions> & { readonly name: string };
export interface ParsedPools
  extends Required<Omit<ReservedPoolsOptions, "pools" | "shedder" | "requestsPerSecond">>,
    Pick<ReservedPoolsOptions, "shedder" | "requestsPerSecond"> {
  readonly pools: readonly ParsedPool[];
}

const POOL = [
  "reserved",
  "lend",
  "maximum",
  "priority",
  "waiting",
  "waitMs",
  "reservedPerSecond",
] as const satisfies readonly (keyof PoolOptions)[];
const POOLS = [
  "capacity",
  "requestsPerSecond",
  "pools",
  "poolOf",
  "mayBorrow",
  "priorityOf",
  "shedder",
  "retryAfterSeconds",
  "onDecision",
  "now",
] as const satisfies readonly (keyof ReservedPoolsOptions)[];

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parsePools(options: ReservedPoolsOptions): ParsedPools {
  const found = findings();
  refuseUnknownKeys(found, options, POOLS);
  checkWhole(found, "capacity", options.capacity, 1, MOST_SLOTS);
  const { requestsPerSecond, retryAfterSeconds } = options;
  if (requestsPerSecond !== undefined) checkRate(found, "requestsPerSecond", requestsPerSecond);
  if (retryAfterSeconds !== undefined) checkWhole(found, "retryAfterSeconds", retryAfterSeconds, 1, 3600);
  for (const name of ["poolOf", "mayBorrow", "priorityOf", "onDecision", "now"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function")
      found.add(name, "not-a-function", "give a function");
  }
  if (options.shedder !== undefined && typeof options.shedder.sheds !== "function")
    found.add("shedder", "not-a-shedder", "give what createShedder returns");
  const pools = readPools(found, options);
  found.throwIfAny("reservedPools options");

  const names = new Set(pools.map(({ name }) => name));
  return Object.freeze({
    capacity: options.capacity,
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
    pools: Object.freeze(pools),
    poolOf: options.poolOf ?? ((req) => poolOfContext(req, names)),
    mayBorrow: options.mayBorrow ?? isSafe,
    priorityOf: options.priorityOf ?? (() => 0),
    ...(options.shedder === undefined ? {} : { shedder: options.shedder }),
    retryAfterSeconds: retryAfterSeconds ?? 1,
    onDecision: options.onDecision ?? (() => undefined),
    now: options.now ?? (() => performance.now()),
  });
}

function readPools(found: Findings, options: ReservedPoolsOptions): ParsedPool[] {
  const given = options.pools as ReservedPoolsOptions["pools"] | null | undefined;
  const names = given === null || typeof given !== "object" ? [] : Object.keys(given);
  if (names.length === 0 || names.length > MOST_POOLS) {
    found.add("pools", "not-a-set-of-pools", `give 1 to ${MOST_POOLS} pools by name`);
    return [];
  }
  const pools = names.map((name) => readPool(found, name, given?.[name], options));
  if (options.poolOf === undefined && !names.includes(ORDINARY))
    found.add("pools", "no-ordinary-pool", `give a pool \`${ORDINARY}\` for what has none of its own, or poolOf`);
  if (found.issues.length === 0) checkShares(found, pools, options);
  return pools;
}

function readPool(
  found: Findings,
  name: string,
  given: PoolOptions | undefined,
  whole: ReservedPoolsOptions,
): ParsedPool {
  const path = join("pools", name);
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name))
    found.add(path, "not-a-name", "name a pool with lower-case letters, digits and hyphens");
  const pool = given !== null && typeof given === "object" ? given : {};
  if (pool !== given) found.add(path, "not-an-object", "write { reserved, priority, ... }");
  refuseUnknownKeys(found, pool, POOL, path);
  const read = Object.freeze({
    name,
    reserved: pool.reserved ?? 0,
    lend: pool.lend ?? 0,
    maximum: pool.maximum ?? whole.capacity,
    priority: pool.priority ?? 0,
    waiting: pool.waiting ?? 0,
    waitMs: pool.waitMs ?? 1000,
    reservedPerSecond: pool.reservedPerSecond ?? 0,
  });
  checkWhole(found, join(path, "reserved"), read.reserved, 0, MOST_SLOTS);
  checkWhole(found, join(path, "lend"), read.lend, 0, MOST_SLOTS);
  checkWhole(found, join(path, "priority"), read.priority, 0, 100);
  checkWhole(found, join(path, "waiting"), read.waiting, 0, 10_000);
  checkWhole(found, join(path, "waitMs"), read.waitMs, 1, 60_000);
  if (pool.maximum !== undefined) checkWhole(found, join(path, "maximum"), read.maximum, 1, MOST_SLOTS);
  if (pool.reservedPerSecond !== undefined) checkRate(found, join(path, "reservedPerSecond"), read.reservedPerSecond);
  if (read.lend > read.reserved) found.add(join(path, "lend"), "out-of-range", "lend at most what is reserved");
  if (pool.maximum !== undefined && read.reserved > read.maximum)
    found.add(join(path, "maximum"), "out-of-range", "allow at least what is reserved");
  return read;
}

/** A promise made twice is kept for neither. */
function checkShares(found: Findings, pools: readonly ParsedPool[], whole: ReservedPoolsOptions): void {
  const slots = pools.reduce((sum, { reserved }) => sum + reserved, 0);
  if (slots > whole.capacity) found.add("pools", "over-reserved", "reserve at most the capacity, over all pools");
  else if (slots === whole.capacity && pools.some(({ reserved }) => reserved === 0))
    found.add("pools", "over-reserved", "leave at least one slot to the pools without a reserve");
  const rate = pools.reduce((sum, { reservedPerSecond }) => sum + reservedPerSecond, 0);
  if (rate === 0) return;
  if (whole.requestsPerSecond === undefined)
    found.add("requestsPerSecond", "missing", "say how many requests per second there are to reserve from");
  else if (rate > whole.requestsPerSecond)
    found.add("pools", "over-reserved", "reserve at most requestsPerSecond, over all pools");
}

const ORDINARY = "ordinary";
const MOST_SLOTS = 100_000;
/** Every admission looks at every pool, and every pool is a label of the metrics. */
const MOST_POOLS = 32;

function checkWhole(found: Findings, path: string, value: unknown, least: number, most: number): void {
  if (!(Number.isInteger(value) && (value as number) >= least && (value as number) <= most))
    found.add(path, "out-of-range", `write a whole number from ${least} to ${most}`);
}

function checkRate(found: Findings, path: string, value: unknown): void {
  if (!(typeof value === "number" && value > 0 && value <= 1_000_000))
    found.add(path, "out-of-range", "write a number above 0, at most 1000000");
}

/** RFC 9110 section 9.2.1: a safe request can be cut off and asked again. */
function isSafe({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}

function poolOfContext(req: IncomingMessage, names: ReadonlySet<string>): string {
  const { apiType, zone, route } = contextOf(req);
  const wanted = [apiType ?? route?.apiType, zone ?? route?.zone];
  return wanted.find((name) => name !== undefined && names.has(name)) ?? ORDINARY;
}
