/** One server in the rotation. */
export interface Weighted {
  readonly weight: number;
  /** False: left out while another one is. */
  readonly healthy: boolean;
}

/**
 * Smooth weighted rotation: over a full turn each server is picked as often as its weight says, spread evenly. Servers
 * that are not healthy are left out unless none is: a probe may be wrong, and refusing everything helps nobody.
 */
export function createRotation<Target extends Weighted>(): (
  targets: readonly Target[],
  not?: Target,
) => Target | undefined {
  const credit = new WeakMap<Target, number>();

  return (targets, not) => {
    const others = targets.filter((target) => target !== not);
    const healthy = others.filter((target) => target.healthy);
    const eligible = healthy.length > 0 ? healthy : others;
    const total = eligible.reduce((sum, { weight }) => sum + weight, 0);
    let chosen: Target | undefined;
    for (const target of eligible) {
      credit.set(target, (credit.get(target) ?? 0) + target.weight);
      if (chosen === undefined || (credit.get(target) ?? 0) > (credit.get(chosen) ?? 0)) chosen = target;
    }
    if (chosen !== undefined) credit.set(chosen, (credit.get(chosen) ?? 0) - total);
    return chosen;
  };
}

/** Retries as a share of requests, so that a failing upstream is not asked many times over by all who wait for it. */
export interface RetryBudget {
  /** Counts a request. */
  earn(): void;
  /** Takes one retry, if there is one left. */
  spend(): boolean;
}

const LARGEST_BUDGET = 10;

/** `share` of requests may be retried; what is saved up is bounded. */
export function retryBudget(share: number): RetryBudget {
  let saved = share === 0 ? 0 : 1;
  return {
    earn() {
      saved = Math.min(LARGEST_BUDGET, saved + share);
    },
    spend() {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}
