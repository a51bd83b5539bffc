import { type Decision, deny, type Problem, permit } from "@wardline/policy-types";
import type { Counted } from "./failover.ts";
import type { Limit, LimitCount, Taken } from "./limits.ts";
import { quotaExceeded, rateExceeded, storeUnavailable } from "./problems.ts";
import { type RateFields, type RenderFields, renderFieldsOf, secondsUntil } from "./rate-fields.ts";

/** Headers of the answer to a request that was let through. */
export interface RateGrant {
  readonly headers: Readonly<Record<string, string>>;
}

/** What the counters' numbers mean: the limits in the order of the counts, and how they are told. */
export interface RatePolicy {
  /** In the order in which they are counted. */
  readonly limits: readonly Pick<Limit, "name" | "kind">[];
  /** Writes the fields of an answer. */
  readonly render: RenderFields;
  /** Why a request is let through. */
  readonly within: readonly string[];
}

export function ratePolicyOf(limits: RatePolicy["limits"], fields: RateFields): RatePolicy {
  const within = Object.freeze([`within ${limits.map(({ name }) => name).join(", ")}`]);
  return Object.freeze({ limits, render: renderFieldsOf(limits, fields), within });
}

/**
 * Turns what the counters say into a decision. The limit that binds most is the one the client is told about: on a refusal
 * the one without room that reopens last, otherwise the one with the least left.
 *
 * Does NOT count; see `LocalCounters` and `RedisCounters`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6585#section-4
 */
export function decideRate({ limits, render, within }: RatePolicy, taken: Taken, now: number): Decision<RateGrant> {
  const index = taken.admitted ? leastLeft(taken.counts) : lastToReopen(taken);
  const headers = render(taken, index, now);
  if (taken.admitted) return permit({ headers }, within);
  // RFC 9110 section 10.2.3, and not earlier than `t`: a client that obeys either is not refused again.
  const wait = { "Retry-After": String(secondsUntil(taken.counts[index] as LimitCount, now)) };
  const { kind, name } = limits[index] as RatePolicy["limits"][number];
  const refuse = kind === "quota" ? quotaExceeded : rateExceeded;
  return deny(refuse({ ...headers, ...wait }), [`${kind} ${name} is full`]);
}

/** As `decideRate`, for counters that may have failed: what was not counted is let through only where that was asked for. */
export function decideCount(
  policy: RatePolicy,
  { now, retrySeconds }: { readonly now: number; readonly retrySeconds: number },
  counted: Counted,
  notes: readonly string[],
): Decision<RateGrant> {
  if (counted.kind === "down") return deny(storeUnavailable(retrySeconds), ["counter store down", ...notes]);
  if (counted.kind === "uncounted") return permit({ headers: {} }, ["counter store down: not counted", ...notes]);
  const decision = decideRate(policy, counted.taken, now);
  if (counted.by !== "process-share" && notes.length === 0) return decision;
  const share = counted.by === "process-share" ? ["counter store down: counted in this process"] : [];
  return { ...decision, because: [...decision.because, ...share, ...notes] };
}

/** The 429 of the door for an address that failed to authenticate too often. */
export function decideFailures(
  taken: Taken,
  now: number,
  refuse: (headers: Readonly<Record<string, string>>) => Problem,
): Decision<RateGrant> | undefined {
  if (taken.admitted) return undefined;
  const seconds = secondsUntil(taken.counts[lastToReopen(taken)] as LimitCount, now);
  return deny(refuse({ "Retry-After": String(seconds) }), ["too many failed authentications"]);
}

function leastLeft(counts: readonly LimitCount[]): number {
  let least = 0;
  for (let index = 1; index < counts.length; index++) {
    const count = counts[index] as LimitCount;
    const than = counts[least] as LimitCount;
    if (count.remaining < than.remaining || (count.remaining === than.remaining && count.resetAt > than.resetAt))
      least = index;
  }
  return least;
}

function lastToReopen({ full, counts }: Taken): number {
  const resetOf = (index: number): number => (counts[index] as LimitCount).resetAt;
  return full.reduce((last, index) => (resetOf(index) > resetOf(last) ? index : last));
}
