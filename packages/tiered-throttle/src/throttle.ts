import { type Decision, deny } from "@wardline/policy-types";
import { type Charged, chargedBy } from "./charged.ts";
import { type Count, countingOf } from "./counting.ts";
import { decideCount, type RateGrant, ratePolicyOf } from "./decide.ts";
import type { Counted } from "./failover.ts";
import type { CountedBy } from "./hooks.ts";
import { createOwners } from "./keys.ts";
import type { Taken } from "./limits.ts";
import type { ParsedThrottle } from "./options.ts";
import { concurrencyExceeded, storeUnavailable } from "./problems.ts";
import { Slots } from "./slots.ts";
import { costOf, type ParsedTier, type RequestFacts, resolveTier } from "./tiers.ts";

/** Figures of the configuration and of this process, for the console. Names nobody. */
export interface ThrottleSnapshot {
  readonly store: "none" | "up" | "down";
  readonly tiers: readonly {
    readonly name: string;
    readonly limits: readonly { readonly name: string; readonly limit: number; readonly by: string }[];
    /** Requests being answered, where the tier bounds them. */
    readonly running: number;
    readonly permitted: number;
    /** By `Problem.code`. */
    readonly refused: Readonly<Record<string, number>>;
  }[];
}

/** What became of one request. */
export interface Verdict {
  readonly decision: Decision<RateGrant>;
  readonly cost: number;
  readonly countedBy: CountedBy;
  readonly full: readonly string[];
}

export interface LiveTier extends Pick<ParsedTier, "name" | "matches"> {
  /** A function that returns the slot; `undefined` when none is free. Absent where the tier does not bound them. */
  readonly takeSlot?: (facts: RequestFacts) => (() => void) | undefined;
  readonly count: (facts: RequestFacts) => Verdict | Promise<Verdict>;
  /** Notes what became of a request, and tells whoever listens. */
  readonly tell: (verdict: Verdict, facts: Pick<RequestFacts, "zone" | "apiType" | "operationClass">) => void;
}

export interface Throttle {
  readonly tierFor: (facts: RequestFacts) => LiveTier;
  readonly snapshot: () => ThrottleSnapshot;
}

const NONE_FULL: readonly string[] = Object.freeze([]);

export const NO_SLOT: Verdict = Object.freeze({
  decision: deny(concurrencyExceeded(), ["no free slot"]),
  cost: 0,
  countedBy: "nobody",
  full: NONE_FULL,
});

/** Tiers with their counters and slots: everything but the request. */
export function createThrottle(options: ParsedThrottle): Throttle {
  const counting = countingOf(options);
  const ownerOf = createOwners(options.ipv6Prefix);
  const tiers = options.tiers.map((tier) => {
    const slots = tier.concurrency === undefined ? undefined : new Slots(tier.concurrency);
    const tally = openTally(tier.name, options.onDecision);
    const live: LiveTier = {
      name: tier.name,
      matches: tier.matches,
      ...(slots && { takeSlot: (facts: RequestFacts) => slots.take(ownerOf("client", facts).key) }),
      count: counter(options, tier, counting.countOf(tier), ownerOf),
      tell: tally.tell,
    };
    const limits = tier.limits.map(({ name, limit, by }) => ({ name, limit, by }));
    return { live, snapshot: () => ({ name: tier.name, limits, running: slots?.running ?? 0, ...tally.read() }) };
  });
  const lives = tiers.map(({ live }) => live);
  return {
    tierFor: (facts) => resolveTier(lives, facts),
    snapshot: () => ({ store: counting.store(), tiers: tiers.map(({ snapshot }) => snapshot()) }),
  };
}

interface Tally {
  readonly tell: LiveTier["tell"];
  readonly read: () => { readonly permitted: number; readonly refused: Readonly<Record<string, number>> };
}

function openTally(tier: string, onDecision: ParsedThrottle["onDecision"]): Tally {
  let permitted = 0;
  const refused = new Map<string, number>();
  return {
    tell({ decision, cost, countedBy, full }, { zone, apiType, operationClass }) {
      const { kind } = decision;
      const code = decision.kind === "deny" ? decision.problem.code : undefined;
      if (code === undefined) permitted += 1;
      else refused.set(code, (refused.get(code) ?? 0) + 1);
      if (onDecision === undefined) return;
      try {
        const told = { kind, tier, cost, countedBy, full, zone, apiType, operationClass };
        onDecision(code === undefined ? told : { ...told, code });
      } catch {
        // A listener that fails changes nothing about who is let through.
      }
    },
    read: () => ({ permitted, refused: Object.fromEntries(refused) }),
  };
}

function counter(
  options: ParsedThrottle,
  tier: ParsedTier,
  count: Count,
  ownerOf: ReturnType<typeof createOwners>,
): LiveTier["count"] {
  const policy = ratePolicyOf(tier.limits, options.fields);
  const retrySeconds = options.storeRetrySeconds;
  const chargedFor = chargedBy(tier.limits, ownerOf);

  return (facts) => {
    const charged = chargedFor(facts);
    const cost = costOf(tier, facts);
    const counted = count(charged.keys, cost);
    return counted instanceof Promise
      ? counted.then((late) => judge(late, facts, charged, cost))
      : judge(counted, facts, charged, cost);
  };

  function judge(counted: Counted, { principal }: RequestFacts, { notes }: Charged, cost: number): Verdict {
    // F6: whoever has a name has something to protect, whatever the options say.
    const isOpen = counted.kind === "uncounted" && principal !== undefined;
    const decision = isOpen
      ? deny(storeUnavailable(retrySeconds), ["counter store down, and the caller is known", ...notes])
      : decideCount(policy, { now: options.now(), retrySeconds }, counted, notes);
    if (counted.kind !== "taken") return { decision, cost, countedBy: "nobody", full: NONE_FULL };
    return { decision, cost, countedBy: counted.by, full: namesOf(counted.taken) };
  }

  function namesOf({ admitted, full }: Taken): readonly string[] {
    return admitted ? NONE_FULL : full.map((index) => tier.limits[index]?.name ?? "");
  }
}
