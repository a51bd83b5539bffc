import type { ApiType, Grant, Interaction, Principal, TrustZone } from "@wardline/policy-types";
import type { OperationClass } from "./classes/index.ts";
import type { Caller } from "./keys.ts";
import type { Limit, ThrottleWindow } from "./limits.ts";
import type { QuotaPolicy } from "./quota/index.ts";

type OneOf<Word extends string> = Word | readonly Word[];

/** Which requests a tier is for. Everything that is given must hold; of a list, one is enough. What is not known matches nothing. */
export interface TierMatch {
  readonly zone?: OneOf<TrustZone>;
  readonly apiType?: OneOf<ApiType>;
  readonly operationClass?: OneOf<OperationClass>;
  /** Names of clients, users and the like are unique only within their issuer: name it where several are trusted. */
  readonly issuer?: OneOf<string>;
  readonly client?: OneOf<string>;
  readonly organisation?: OneOf<string>;
  readonly user?: OneOf<string>;
  readonly device?: OneOf<string>;
  readonly department?: OneOf<string>;
}

/** How much one kind of caller may ask. */
export interface TierRule {
  /** Keeps the tier's counters apart from those of other tiers in the same store. */
  readonly name: string;
  /** Absent: every request. */
  readonly when?: TierMatch;
  readonly windows?: readonly ThrottleWindow[];
  readonly quotas?: readonly QuotaPolicy[];
  /** Requests at once per client, in this process; absent: unbounded. */
  readonly concurrency?: number;
  /** What a request of each class takes from every window and quota. Default 1 each. */
  readonly costs?: Readonly<Partial<Record<OperationClass, number>>>;
}

/** What a request is, as far as a tier asks. */
export interface RequestFacts extends Caller {
  readonly zone: TrustZone | undefined;
  readonly apiType: string | undefined;
  readonly interaction: Interaction | undefined;
  readonly grant: Grant | undefined;
  readonly operationClass: OperationClass;
  /** One per entry of a batch or transaction, else one. */
  readonly classes: readonly OperationClass[];
  /** How many times its cost the request takes: 1, or more for a caller who is slowed down. */
  readonly weight: number;
}

/** A tier as the middleware uses it. */
export interface ParsedTier {
  readonly name: string;
  readonly matches: (facts: RequestFacts) => boolean;
  readonly limits: readonly Limit[];
  readonly concurrency: number | undefined;
  readonly costs: Readonly<Record<OperationClass, number>>;
}

export const MATCH_KEYS: readonly (keyof TierMatch)[] = [
  "zone",
  "apiType",
  "operationClass",
  "issuer",
  "client",
  "organisation",
  "user",
  "device",
  "department",
];

/** The first tier that is for this request. The last one is for every request, or the options would have been refused. */
export function resolveTier<Tier extends Pick<ParsedTier, "matches">>(
  tiers: readonly Tier[],
  facts: RequestFacts,
): Tier {
  for (const tier of tiers) if (tier.matches(facts)) return tier;
  return tiers.at(-1) as Tier;
}

export function compileMatch(when: TierMatch = {}): ParsedTier["matches"] {
  const wanted = MATCH_KEYS.flatMap((key) => {
    const words = when[key];
    return words === undefined ? [] : [{ key, words: new Set<string>([words].flat()) }];
  });
  if (wanted.length === 0) return () => true;
  return (facts) => wanted.every(({ key, words }) => words.has(factOf(key, facts) ?? ""));
}

const PRINCIPAL_KEYS = {
  issuer: "issuer",
  client: "clientId",
  organisation: "organisation",
  user: "subject",
  device: "device",
  department: "department",
} as const satisfies Readonly<Record<Exclude<keyof TierMatch, "zone" | "apiType" | "operationClass">, keyof Principal>>;

function factOf(key: keyof TierMatch, facts: RequestFacts): string | undefined {
  if (key === "zone" || key === "apiType" || key === "operationClass") return facts[key];
  return facts.principal?.[PRINCIPAL_KEYS[key]];
}

/** F14's unit: every entry of a bundle costs what it would cost alone. */
export function costOf(
  { costs }: Pick<ParsedTier, "costs">,
  { classes, weight }: Pick<RequestFacts, "classes" | "weight">,
): number {
  let cost = 0;
  for (const one of classes) cost += costs[one];
  return Math.max(1, cost) * weight;
}
