import { CircuitState, circuitBreaker, handleWhenResult, type IBackoff, type IBreaker } from "cockatiel";
import { type CallOutcome, createOutcomeWindow, isUnhealthy, type Tolerance, type WindowCounts } from "./window.ts";

export type CircuitPhase = "closed" | "open" | "half-open";

export interface CircuitPolicy extends Tolerance {
  readonly windowMs: number;
  /** First pause of an open circuit; doubled by each failed probe up to `maxOpenMs`. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Good calls in a row after which a half-open circuit is trusted again. */
  readonly probes: number;
  readonly now: () => number;
  /** `pauseMs`: how long this opening lasts, when it was found out here. */
  readonly onPhase: (phase: CircuitPhase, pauseMs: number) => void;
}

/** What one call said about the upstream. `none`: nothing. */
export type Report = CallOutcome | "none";

export interface Circuit {
  /**
   * Makes the call unless the circuit is open; then gives `undefined` at once. The call itself never rejects. On a probe depends
   * whether others are let through again.
   */
  run<Call extends { readonly report: Report }>(call: (isProbe: boolean) => Promise<Call>): Promise<Call | undefined>;
  /** Adds what became known of a call after its report: a body that broke off. */
  note(outcome: CallOutcome): void;
  /** Opens for this long because another instance has found the upstream unhealthy. */
  openFor(ms: number): void;
  phase(): CircuitPhase;
  /** Milliseconds until a call is tried again; 0 when one may be made now. */
  remainingMs(): number;
  counts(): WindowCounts;
}

interface Judged {
  /** The circuit opens, or stays open. */
  readonly failing: boolean;
}

/**
 * A circuit of cockatiel, which keeps the states, fed by a window that also counts slow calls. Settled here: time is ours and
 * monotonic (cockatiel reads the wall clock, which can be set back); while a probe runs, others are refused (cockatiel lets them
 * wait for it, however long it takes); a probe that says nothing leaves the circuit open (cockatiel would close it); a call that
 * began before the circuit opened says nothing about whether it may close.
 */
export function createCircuit(policy: CircuitPolicy): Circuit {
  const { now } = policy;
  const window = createOutcomeWindow(policy.windowMs);
  /** Counts openings: what began before the last one is stale. */
  let generation = 0;
  let openUntil = 0;
  let pauseMs = 0;
  let probing = false;
  /** Calls that still have to be good, one at a time, before all are let through again. */
  let probesLeft = 0;
  /** The next opening's pause, when it is not ours to choose. */
  let givenPauseMs: number | undefined;

  const states = circuitBreaker(
    handleWhenResult((judged) => (judged as Judged).failing),
    { breaker: OPEN_WHEN_TOLD, halfOpenAfter: NO_PAUSE },
  );
  states.onBreak(() => {
    const told = givenPauseMs;
    givenPauseMs = undefined;
    generation += 1;
    probesLeft = 0;
    window.clear();
    if (told === undefined) pauseMs = Math.min(policy.maxOpenMs, pauseMs === 0 ? policy.openMs : pauseMs * 2);
    openUntil = now() + (told ?? pauseMs);
    policy.onPhase("open", told === undefined ? pauseMs : 0);
  });

  return {
    async run(call) {
      const wasOpen = states.state === CircuitState.Open;
      if (wasOpen && now() < openUntil) return undefined;
      const isProbe = wasOpen || probing || probesLeft > 0;
      if (isProbe && probing) return undefined;
      if (wasOpen) {
        probesLeft = policy.probes;
        policy.onPhase("half-open", 0);
      }
      const born = generation;
      // A closed circuit has nothing to ask, and only hears of the call that is to open it.
      if (!wasOpen && !isProbe) {
        const done = await call(false);
        if (judge(done.report, born, false)) trip();
        return done;
      }
      probing = isProbe;
      try {
        const { made } = await states.execute(async () => {
          const done = await call(isProbe);
          return { made: done, failing: judge(done.report, born, isProbe) };
        });
        return made;
      } finally {
        if (isProbe) probing = false;
      }
    },
    note(outcome) {
      window.add(outcome, now());
      if (states.state === CircuitState.Closed && isUnhealthy(window.counts(now()), policy)) trip();
    },
    openFor(ms) {
      if (states.state !== CircuitState.Closed || !(ms > 0)) return;
      givenPauseMs = Math.min(ms, policy.maxOpenMs);
      trip();
    },
    phase() {
      if (states.state === CircuitState.Closed) return probesLeft > 0 ? "half-open" : "closed";
      return probing ? "half-open" : "open";
    },
    remainingMs: () => (states.state === CircuitState.Open ? Math.max(0, openUntil - now()) : 0),
    counts: () => window.counts(now()),
  };

  function judge(report: Report, born: number, isProbe: boolean): boolean {
    if (born !== generation) return false;
    if (isProbe) return judgeProbe(report);
    if (report === "none") return false;
    window.add(report, now());
    return report !== "good" && isUnhealthy(window.counts(now()), policy);
  }

  function judgeProbe(report: Report): boolean {
    if (report === "none") {
      givenPauseMs = 0;
      return states.state !== CircuitState.Closed;
    }
    if (report !== "good") return true;
    probesLeft -= 1;
    if (probesLeft === 0) {
      pauseMs = 0;
      policy.onPhase("closed", 0);
    }
    return false;
  }

  function trip(): void {
    void states.execute(() => ({ failing: true }) satisfies Judged);
  }
}

/** The window judges; cockatiel only hears of a call that is to open the circuit. */
const OPEN_WHEN_TOLD: IBreaker = { state: undefined, success: () => undefined, failure: () => true };
/** Never longer than any time that has passed, also by a clock set back: the pause is kept by `openUntil`. */
const NO_PAUSE: IBackoff<unknown> = { duration: Number.NEGATIVE_INFINITY, next: () => NO_PAUSE };
