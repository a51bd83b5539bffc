import type { PolicyDocument, TierPolicy } from "@wardline/policy-types";
import type { TierRule } from "@wardline/tiered-throttle";

/** A person signs in once and then again; a program that guesses does not stop at sixty. */
const DEFAULT_TIER: TierPolicy = {
  windows: [
    { name: "sign-in", limit: 60, windowSeconds: 60, by: "address" },
    { name: "sign-in-client", limit: 600, windowSeconds: 60, by: "client" },
  ],
};

/**
 * The tier in two: addresses are charged before anything is verified, everybody else once it is known who it is. A client's
 * window that anybody could fill by naming it would shut the client out.
 */
export function signInRules({ signIn, tiers }: PolicyDocument): { before: TierRule; after?: TierRule } {
  const { tier: name = "sign-in" } = signIn ?? {};
  const { windows = [], ...rest } = signIn?.tier === undefined ? DEFAULT_TIER : (tiers[name] ?? {});
  const others = windows.filter(({ by }) => by !== "address");
  const before = { name: `${name}-address`, windows: windows.filter(({ by }) => by === "address") };
  const hasMore = others.length > 0 || Object.keys(rest).length > 0;
  return { before, ...(hasMore ? { after: { name, windows: others, ...rest } } : {}) };
}
