import { type Decision, permit } from "@wardline/policy-types";
import { LocalCounters } from "./counters.ts";
import { decideFailures, decideRate, type RateGrant, ratePolicyOf } from "./decide.ts";
import type { ParsedDoor } from "./door-options.ts";
import { createOwners } from "./keys.ts";
import { type Limit, limitOfWindow } from "./limits.ts";
import { authenticationFailures } from "./problems.ts";

/** The counters at the door: every request of an address, and those that failed to authenticate. */
export interface Door {
  /** Tells a stranger its limits on a refusal only. */
  decide(address: string | undefined): Decision<RateGrant>;
  /** Charges a failed authentication to its address, whose windows nobody else's name can fill. */
  failed(address: string | undefined): void;
}

export function openDoor({ limit, windowSeconds, failures, maxKeys, ipv6Prefix, now }: ParsedDoor): Door {
  const limits: readonly Limit[] = [limitOfWindow({ name: "door", limit, windowSeconds, by: "address" })];
  const policy = ratePolicyOf(limits, "draft-10");
  const within = Object.freeze(permit({ headers: Object.freeze({}) }, policy.within));
  const counters = new LocalCounters(limits, maxKeys);
  const failed =
    failures && new LocalCounters([limitOfWindow({ ...failures, name: "failures", by: "address" })], maxKeys);
  const ownerOf = createOwners(ipv6Prefix);
  const keyOf = (address: string | undefined): string => ownerOf("address", { principal: undefined, address }).key;

  return {
    decide(address) {
      const keys = [keyOf(address)];
      const at = now();
      const tooMany = failed && decideFailures(failed.look(keys, at), at, authenticationFailures);
      if (tooMany !== undefined) return tooMany;
      const taken = counters.take(keys, at);
      return taken.admitted ? within : decideRate(policy, taken, at);
    },
    failed(address) {
      failed?.take([keyOf(address)], now());
    },
  };
}
