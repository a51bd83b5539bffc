/**
 * Retries as a share of calls: each call adds `share`, each retry takes one, so that a failing upstream never gets much more load
 * because it fails. Starts with one retry, and never saves up more than ten.
 */
export interface RetryBudget {
  call(): void;
  /** True when a retry may be made; it is then spent. */
  spend(): boolean;
}

export function createRetryBudget(share: number): RetryBudget {
  let saved = share === 0 ? 0 : 1;
  return {
    call() {
      saved = Math.min(MOST_SAVED, saved + share);
    },
    spend() {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}

const MOST_SAVED = 10;

/** RFC 9110 section 9.2.1: asking again changes nothing at the upstream. */
export function isSafeMethod(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}
