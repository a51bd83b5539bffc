import { definePolicy, type PolicyDocument } from "@wardline/policy-types";
import { afterEach, describe, expect, it } from "vitest";
import { createThrottles, type Throttles } from "../src/controls/throttle.ts";
import { checkPolicy } from "../src/policy/load.ts";

const policyWith = (limit: number, tier = "apps"): PolicyDocument =>
  checkPolicy(
    definePolicy({
      development: true,
      upstream: "http://127.0.0.1:9/r4",
      issuer: "http://127.0.0.1:9",
      door: { limit },
      tiers: { [tier]: { windows: [{ name: "w", limit, windowSeconds: 60, by: "client" }] } },
    }),
  ).policy;

const opened: Throttles[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

function throttlesOf(policy: PolicyDocument): Throttles {
  const throttles = createThrottles({ policy, redis: undefined, weightOf: () => 1, onEvent: () => undefined });
  opened.push(throttles);
  return throttles;
}

/** What a policy's assembly asks for. */
function use(throttles: Throttles, policy: PolicyDocument): readonly unknown[] {
  const breaker = throttles.breaker("fhir", undefined, 1000);
  return [throttles.door(policy), ...policy.routes.map((route) => throttles.tier(policy, route)), breaker];
}

describe("throttles over reloads", () => {
  it("what did not change keeps what it has counted", () => {
    const throttles = throttlesOf(policyWith(10));
    const first = use(throttles, policyWith(10));
    throttles.settle();
    expect(use(throttles, policyWith(10))).toEqual(first);
    throttles.settle();
    const [door, tier, breaker] = use(throttles, policyWith(11));
    expect([door === first[0], tier === first[1], breaker === first[2]]).toEqual([false, false, true]);
  });

  it("F11: a policy that is refused after it was assembled changes nothing", () => {
    const throttles = throttlesOf(policyWith(10));
    const first = use(throttles, policyWith(10));
    throttles.settle();
    const before = throttles.snapshot();
    const refused = use(throttles, policyWith(11, "others"));
    throttles.abandon();
    expect(throttles.snapshot()).toEqual(before);
    expect(use(throttles, policyWith(10))).toEqual(first);
    throttles.settle();
    expect(use(throttles, policyWith(11, "others"))[0]).not.toBe(refused[0]);
  });

  it("S8: limits of policies that are gone are not kept for ever", () => {
    const throttles = throttlesOf(policyWith(10));
    const [first] = use(throttles, policyWith(10));
    throttles.settle();
    use(throttles, policyWith(11, "others"));
    throttles.settle();
    expect(Object.keys(throttles.snapshot().tiers)).toEqual(["others"]);
    expect(use(throttles, policyWith(10))[0]).not.toBe(first);
  });
});
