import { type Findings, findings, join, refuseUnknownKeys, type SendCommand } from "@wardline/policy-types";
import type { CircuitPhase } from "./circuit.ts";
import { type CallVerdict, classifyAnswer, classifyError } from "./classify.ts";

/** What instances tell each other through Redis. */
export interface SharedBreakerOptions {
  /** One Redis command, with the client of your choice. */
  readonly sendCommand: SendCommand;
  /** Put before every key. Default `wardline:breaker:`. */
  readonly prefix?: string;
  /** Time between two looks, in milliseconds. Default 1000. */
  readonly everyMs?: number;
  /** Longest wait for Redis, in milliseconds. No request waits for it. Default 50. */
  readonly deadlineMs?: number;
}

export interface BreakerOptions {
  /** Name of the upstream; a label of the metrics. */
  readonly name: string;
  /** Time over which calls are judged, in milliseconds. Default 10000. */
  readonly windowMs?: number;
  /** Calls in the window below which nothing is concluded. Default 20. */
  readonly minimumCalls?: number;
  /** Share of failed calls that opens, above 0 to 1. Default 0.5. */
  readonly errorRate?: number;
  /** Share of slow calls that opens, above 0 to 1. Default 0.8. */
  readonly slowRate?: number;
  /** A call is slow beyond this, in milliseconds. Default 5000. */
  readonly slowCallMs?: number;
  /** A call is given up beyond this, in milliseconds. Default 30000. */
  readonly timeoutMs?: number;
  /** First pause after opening, in milliseconds. Default 5000. */
  readonly openMs?: number;
  /** Longest pause, in milliseconds: a failed probe doubles it up to here. Default 60000. */
  readonly maxOpenMs?: number;
  /** Good probes in a row that close it again. Default 3. */
  readonly probes?: number;
  /** Calls at once. Default unbounded. */
  readonly concurrency?: number;
  /** Retries as a share of calls, 0 to 0.5: safe methods only, once per call, never after a time-out. Default 0: none. */
  readonly retryShare?: number;
  /** Reads what came back. Default by status: 5xx but 501 and 505 is a failure. */
  readonly classify?: (answer: unknown) => CallVerdict;
  /** Reads what was thrown. Default: aborted and malformed requests are ignored, the rest failed. */
  readonly classifyError?: (error: unknown) => CallVerdict;
  /** Opens for all instances when it opens for one. Default for this process alone. */
  readonly shared?: SharedBreakerOptions;
  /** Told each change of state. One that throws changes nothing. */
  readonly onState?: (change: { readonly name: string; readonly state: CircuitPhase }) => void;
  /** Milliseconds on a clock that never goes back. Default that of the process. */
  readonly now?: () => number;
}

type Optional = "concurrency" | "shared";
export type ParsedBreaker = Required<Omit<BreakerOptions, Optional>> & {
  readonly concurrency?: number;
  readonly shared?: Required<SharedBreakerOptions>;
};

const NUMBERS = {
  windowMs: [10_000, 100, 3_600_000],
  minimumCalls: [20, 1, 100_000],
  slowCallMs: [5_000, 1, 600_000],
  timeoutMs: [30_000, 1, 600_000],
  openMs: [5_000, 1, 3_600_000],
  maxOpenMs: [60_000, 1, 3_600_000],
  probes: [3, 1, 100],
} as const satisfies Partial<Record<keyof BreakerOptions, readonly [preset: number, least: number, most: number]>>;

const KNOWN = [
  "name",
  ...(Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]),
  "errorRate",
  "slowRate",
  "concurrency",
  "retryShare",
  "classify",
  "classifyError",
  "shared",
  "onState",
  "now",
] as const satisfies readonly (keyof BreakerOptions)[];

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseBreaker(options: BreakerOptions): ParsedBreaker {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  if (!(typeof options.name === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(options.name)))
    found.add("name", "not-a-name", "write 1 to 64 letters, digits or ._-");
  const numbers = {} as Record<keyof typeof NUMBERS, number>;
  for (const [name, [preset, least, most]] of Object.entries(NUMBERS) as [keyof typeof NUMBERS, readonly number[]][]) {
    numbers[name] = options[name] ?? (preset as number);
    checkWhole(found, name, numbers[name], least as number, most as number);
  }
  const { errorRate = 0.5, slowRate = 0.8, retryShare = 0, concurrency } = options;
  checkShare(found, "errorRate", errorRate, errorRate > 0, 1);
  checkShare(found, "slowRate", slowRate, slowRate > 0, 1);
  checkShare(found, "retryShare", retryShare, retryShare >= 0, 0.5);
  if (concurrency !== undefined) checkWhole(found, "concurrency", concurrency, 1, 100_000);
  checkRelations(found, numbers);
  for (const name of ["classify", "classifyError", "onState", "now"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function")
      found.add(name, "not-a-function", "give a function");
  }
  const shared = options.shared === undefined ? undefined : readShared(found, options.shared);
  found.throwIfAny("createBreaker options");

  return Object.freeze({
    name: options.name,
    ...numbers,
    errorRate,
    slowRate,
    retryShare,
    ...(concurrency === undefined ? {} : { concurrency }),
    classify: options.classify ?? classifyAnswer,
    classifyError: options.classifyError ?? classifyError,
    ...(shared === undefined ? {} : { shared }),
    onState: options.onState ?? (() => undefined),
    now: options.now ?? (() => performance.now()),
  });
}

function checkRelations(found: Findings, numbers: Readonly<Record<keyof typeof NUMBERS, number>>): void {
  if (numbers.slowCallMs > numbers.timeoutMs)
    found.add("slowCallMs", "out-of-range", "a call is given up at timeoutMs: be slow before");
  if (numbers.openMs > numbers.maxOpenMs) found.add("openMs", "out-of-range", "write at most maxOpenMs");
}

function readShared(found: Findings, given: SharedBreakerOptions): Required<SharedBreakerOptions> {
  refuseUnknownKeys(found, given, ["sendCommand", "prefix", "everyMs", "deadlineMs"], "shared");
  const { sendCommand, prefix = "wardline:breaker:", everyMs = 1000, deadlineMs = 50 } = given;
  if (typeof sendCommand !== "function")
    found.add("shared.sendCommand", "not-a-function", "give a function that sends one Redis command");
  if (!(typeof prefix === "string" && prefix.length <= 100))
    found.add("shared.prefix", "not-a-prefix", "write at most 100 characters");
  checkWhole(found, join("shared", "everyMs"), everyMs, 50, 60_000);
  checkWhole(found, join("shared", "deadlineMs"), deadlineMs, 1, 10_000);
  return Object.freeze({ sendCommand, prefix, everyMs, deadlineMs });
}

function checkWhole(found: Findings, path: string, value: unknown, least: number, most: number): void {
  if (!(Number.isInteger(value) && (value as number) >= least && (value as number) <= most))
    found.add(path, "out-of-range", `write a whole number from ${least} to ${most}`);
}

function checkShare(found: Findings, path: string, value: unknown, enough: boolean, most: number): void {
  if (!(typeof value === "number" && enough && value <= most))
    found.add(path, "out-of-range", `write a share up to ${most}`);
}
