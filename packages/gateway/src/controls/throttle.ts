import type { IncomingMessage } from "node:http";
import type { BreakerPolicy, PolicyDocument, RoutePolicy } from "@wardline/policy-types";
import {
  type Breaker,
  type ConnectionLimits,
  connectionLimits,
  createBreaker,
  createShedder,
  doorThrottle,
  type QuotaMemory,
  type ReservedPools,
  reservedPools,
  type Shedder,
  type ThrottleSnapshot,
  type TieredThrottle,
  type TierRule,
  tieredThrottle,
} from "@wardline/tiered-throttle";
import type { RequestHandler } from "express";
import type { GatewayEvent } from "../events.ts";
import { signInRules } from "../sign-in/limits.ts";
import type { SharedRedis } from "../state/redis.ts";

/**
 * Counters, slots, pools and circuits. They outlive a policy whose limits did not change: a reload must not give everybody
 * a fresh quota.
 */
export interface Throttles {
  /** Of the policy of the start. */
  readonly connections: ConnectionLimits | undefined;
  readonly door: (policy: PolicyDocument) => RequestHandler;
  readonly pools: (policy: PolicyDocument) => ReservedPools | undefined;
  readonly tier: (policy: PolicyDocument, route: RoutePolicy) => TieredThrottle;
  /** Before a client has proved who it is, and after. */
  readonly signIn: (policy: PolicyDocument) => SignInThrottles;
  readonly breaker: (upstream: string, policy: BreakerPolicy | undefined, headersTimeoutMs: number) => Breaker;
  /** Another policy is in force: what none of its parts asked for since the last change is forgotten. */
  settle(): void;
  /** The policy that was being assembled is not: what was made for it alone is forgotten. */
  abandon(): void;
  readonly snapshot: () => ThrottlesSnapshot;
  close(): void;
}

export interface SignInThrottles {
  readonly address: RequestHandler;
  /** Absent: the tier limits addresses alone. */
  readonly client: RequestHandler | undefined;
}

export interface ThrottlesSnapshot {
  readonly connections: ReturnType<ConnectionLimits["snapshot"]> | undefined;
  readonly tiers: Readonly<Record<string, ThrottleSnapshot>>;
  readonly pools: ReturnType<ReservedPools["snapshot"]> | undefined;
  readonly breakers: Readonly<Record<string, ReturnType<Breaker["state"]>>>;
}

export interface ThrottleFacts {
  readonly policy: PolicyDocument;
  readonly redis: SharedRedis | undefined;
  /** Where quotas are remembered that this process counts alone. */
  readonly quotas?: QuotaMemory | undefined;
  /** How many times its cost a request takes. */
  readonly weightOf: (req: IncomingMessage) => number;
  readonly onEvent: (event: GatewayEvent) => void;
}

const CONNECTING_MS = 10_000;
const LONGEST_MS = 600_000;
const DOOR = { limit: 600, windowSeconds: 60 } as const;

export function createThrottles({ policy: first, redis, quotas, weightOf, onEvent }: ThrottleFacts): Throttles {
  const connections = first.door?.connections === undefined ? undefined : connectionLimits(first.door.connections);
  let current = inNoUse();
  /** By the policy that is being assembled. */
  let next = inNoUse();
  let shedder: Shedder | undefined;

  /** The same settings give the same thing, with what it has counted. */
  function keep<Kept>(settings: unknown, make: () => Kept): Kept {
    const key = JSON.stringify(settings);
    const kept = next.kept.get(key) ?? current.kept.get(key) ?? make();
    next.kept.set(key, kept);
    return kept as Kept;
  }

  function throttle(rules: readonly TierRule[], policy: PolicyDocument): TieredThrottle {
    return keep(["tier", rules, policy.redis?.onFailure ?? "local"], () =>
      tieredThrottle({
        tiers: rules,
        weightOf,
        protects: "patient-data",
        ...(redis === undefined
          ? quotas && { quotaMemory: quotas }
          : {
              redis: redis.send,
              redisPrefix: `${trimmed(redis.prefix)}:throttle:`,
              expectedReplicas: redis.replicas,
              onStoreFailure: policy.redis?.onFailure ?? "local",
              onStoreState: (state) => tellStore(state, onEvent),
            }),
      }),
    );
  }

  return {
    connections,
    door({ door = {} }) {
      const { connections: _ofTheStart, ...counted } = door;
      const settings = { ...DOOR, ...counted };
      return keep(["door", settings], () => doorThrottle(settings));
    },
    pools({ pools: policy }) {
      if (policy === undefined) return undefined;
      const { shedByLoad, pools: named, ...rest } = policy;
      next.pools = keep(["pools", policy], () => {
        if (shedByLoad === true) shedder ??= createShedder();
        return reservedPools({
          ...rest,
          pools: Object.hasOwn(named, "ordinary") ? named : { ...named, ordinary: {} },
          ...(shedByLoad === true && shedder !== undefined ? { shedder } : {}),
        });
      });
      return next.pools;
    },
    tier(policy, route) {
      const one = throttle(rulesOf(policy, route), policy);
      next.tiers.set(route.tier, one);
      return one;
    },
    signIn(policy) {
      const { before, after } = signInRules(policy);
      const client = after === undefined ? undefined : throttle([after], policy);
      return { address: throttle([before], policy), client };
    },
    breaker(name, policy = {}, headersTimeoutMs) {
      const { shared, ...settings } = policy;
      const breaker = keep(["breaker", name, policy, headersTimeoutMs], () =>
        createBreaker({
          name,
          // The connection's own deadline comes first: it tells the operator that the upstream fails. This one is for
          // whatever that one does not see.
          timeoutMs: Math.min(headersTimeoutMs + CONNECTING_MS, LONGEST_MS),
          slowCallMs: Math.min(5_000, headersTimeoutMs),
          ...settings,
          ...(shared === true && redis !== undefined
            ? { shared: { sendCommand: redis.send, prefix: `${trimmed(redis.prefix)}:breaker:` } }
            : {}),
          onState: ({ state }) =>
            onEvent({
              level: state === "closed" ? "info" : "error",
              code: "gateway/breaker",
              message: "the circuit of an upstream changed",
              facts: { upstream: name, state },
            }),
        }),
      );
      next.breakers.set(name, breaker);
      return breaker;
    },
    settle() {
      current = next;
      next = inNoUse();
    },
    abandon() {
      next = inNoUse();
    },
    snapshot: () => ({
      connections: connections?.snapshot(),
      tiers: Object.fromEntries([...current.tiers].map(([name, tier]) => [name, tier.snapshot()])),
      pools: current.pools?.snapshot(),
      breakers: Object.fromEntries([...current.breakers].map(([name, breaker]) => [name, breaker.state()])),
    }),
    close: () => shedder?.close(),
  };
}

/** What one policy asked for. */
interface InUse {
  /** By their settings. */
  readonly kept: Map<string, unknown>;
  readonly tiers: Map<string, TieredThrottle>;
  readonly breakers: Map<string, Breaker>;
  pools: ReservedPools | undefined;
}

function inNoUse(): InUse {
  return { kept: new Map(), tiers: new Map(), breakers: new Map(), pools: undefined };
}

/** The choices of the route, then its own tier for the rest. A tier's counters are its own wherever it is used. */
function rulesOf({ tiers }: PolicyDocument, { tier, tiersFor = [] }: RoutePolicy): readonly TierRule[] {
  const named = (name: string): Omit<TierRule, "name" | "when"> => tiers[name] ?? {};
  const seen = new Map<string, number>();
  const nameFor = (name: string): string => {
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return times === 0 ? name : `${name}-${times + 1}`;
  };
  return [
    ...tiersFor.map(({ tier: name, when }) => ({ name: nameFor(name), when, ...named(name) })),
    { name: nameFor(tier), ...named(tier) },
  ];
}

/** Whoever uses it puts a colon of its own behind it. */
function trimmed(prefix: string): string {
  return prefix.replace(/(?<!:):+$/, "");
}

function tellStore(state: "up" | "down", onEvent: ThrottleFacts["onEvent"]): void {
  onEvent(
    state === "up"
      ? { level: "info", code: "gateway/counters-shared", message: "limits are counted together again" }
      : { level: "error", code: "gateway/counters-local", message: "limits are counted by each instance alone" },
  );
}
