/** How one call to an upstream went. `slow` is an answer that came, too late to be healthy. */
export type CallOutcome = "good" | "slow" | "failed";

export interface WindowCounts {
  readonly calls: number;
  readonly failed: number;
  readonly slow: number;
}

/** Outcomes of the last `windowMs`, in ten steps; constant memory. */
export interface OutcomeWindow {
  add(outcome: CallOutcome, now: number): void;
  counts(now: number): WindowCounts;
  clear(): void;
}

interface Step {
  /** Which tenth of a window since the clock's zero this is. */
  index: number;
  calls: number;
  failed: number;
  slow: number;
}

export function createOutcomeWindow(windowMs: number): OutcomeWindow {
  const stepMs = windowMs / STEPS;
  const steps: Step[] = Array.from({ length: STEPS }, () => ({ index: -STEPS, calls: 0, failed: 0, slow: 0 }));

  return {
    add(outcome, now) {
      const index = Math.floor(now / stepMs);
      const step = steps[((index % STEPS) + STEPS) % STEPS] as Step;
      if (step.index !== index) Object.assign(step, { index, calls: 0, failed: 0, slow: 0 });
      step.calls += 1;
      if (outcome !== "good") step[outcome] += 1;
    },
    counts(now) {
      const oldest = Math.floor(now / stepMs) - STEPS + 1;
      const total = { calls: 0, failed: 0, slow: 0 };
      for (const step of steps) {
        if (step.index < oldest) continue;
        total.calls += step.calls;
        total.failed += step.failed;
        total.slow += step.slow;
      }
      return total;
    },
    clear() {
      for (const step of steps) step.index = Number.NEGATIVE_INFINITY;
    },
  };
}

const STEPS = 10;

export interface Tolerance {
  readonly minimumCalls: number;
  readonly errorRate: number;
  readonly slowRate: number;
}

/** Whether the upstream did worse than is tolerated, judged on enough calls to say so. */
export function isUnhealthy(counts: WindowCounts, { minimumCalls, errorRate, slowRate }: Tolerance): boolean {
  if (counts.calls < minimumCalls) return false;
  return counts.failed >= errorRate * counts.calls || counts.slow >= slowRate * counts.calls;
}
