import type { Kind, Outcome } from "./load.ts";
import type { PartName } from "./world.ts";

/** How a part is broken. */
export const FAULTS = ["kill", "freeze"] as const;
export type Fault = (typeof FAULTS)[number];

/** What is broken at once. */
export type Breakage = readonly (readonly [part: PartName, fault: Fault])[];

const NOBODY = "401 smart-auth/credentials-missing";
const STRANGER = "401 smart-auth/token-invalid";
/** What each is answered while everything is well. */
const WELL: Readonly<Record<Kind, string>> = {
  read: "200",
  "fresh-token": "200",
  search: "200",
  write: "201",
  once: "200",
  stranger: STRANGER,
  nobody: NOBODY,
};

const READS_DATA: ReadonlySet<Kind> = new Set(["read", "fresh-token", "search", "write", "once"]);
const ALL: ReadonlySet<Kind> = new Set(Object.keys(WELL) as Kind[]);

interface Row {
  /** Whom it concerns. */
  readonly kinds: ReadonlySet<Kind>;
  readonly answers: readonly string[];
  /** Nobody it concerns is answered as if all were well, once it is broken. */
  readonly closed: boolean;
}

/** The failure table: what may be answered while a part is down, besides what is answered when all is well. */
const TABLE: Readonly<Record<PartName, Row>> = {
  // Upstream slow or failing: 502 or 504, then the breaker opens, 503 and Retry-After.
  upstream: {
    kinds: READS_DATA,
    answers: [
      "502 gateway/upstream-unreachable",
      "502 gateway/upstream-broke-off",
      "503 tiered-throttle/breaker-open",
      "504 gateway/upstream-timeout",
      "504 tiered-throttle/upstream-timeout",
    ],
    closed: true,
  },
  // Revocation and replay refuse (F8, S3); counters go on with a local share, so nobody sees a 429 (F4).
  redis: {
    kinds: READS_DATA,
    answers: ["503 smart-auth/revocation-unavailable", "503 smart-auth/replay-store-unavailable"],
    closed: true,
  },
  // Known keys for a bounded time; a key nobody knows is never believed (F7).
  issuer: { kinds: new Set(["stranger"]), answers: [STRANGER, "503 smart-auth/keys-unavailable"], closed: false },
  // Access without a record is the breach (F9).
  disk: { kinds: ALL, answers: ["503 audit-event/ledger-unavailable"], closed: true },
};

const shown = ({ status, code }: Outcome): string => (code === "" ? String(status) : `${status} ${code}`);

export const isWell = (outcome: Outcome): boolean => shown(outcome) === WELL[outcome.kind];

/**
 * An answer the failure table does not explain, or `undefined`. A store may miss its deadline of 50 ms on a busy machine and be
 * back at the next request, so its refusal is always explained.
 */
export function unexplained(outcome: Outcome, broken: Breakage): string | undefined {
  const explained = [
    WELL[outcome.kind],
    ...(READS_DATA.has(outcome.kind) ? TABLE.redis.answers : []),
    ...broken.flatMap(([part]) => (TABLE[part].kinds.has(outcome.kind) ? TABLE[part].answers : [])),
  ];
  return explained.includes(shown(outcome)) ? undefined : `${outcome.kind}: ${shown(outcome)}`;
}

/** Answered as if all were well while what it needs is down. */
export function isOpen(outcome: Outcome, broken: Breakage): boolean {
  return isWell(outcome) && broken.some(([part]) => TABLE[part].closed && TABLE[part].kinds.has(outcome.kind));
}
