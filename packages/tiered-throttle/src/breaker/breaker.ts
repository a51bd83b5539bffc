import { type Decision, deny, permit } from "@wardline/policy-types";
import { type Aborted, type Aborting, type Attempt, attemptOnce, type Leaving, type UpstreamWork } from "./attempt.ts";
import { type CircuitPhase, createCircuit } from "./circuit.ts";
import { type BreakerOptions, parseBreaker } from "./options.ts";
import { breakerOpen, upstreamFull, upstreamTimeout } from "./problems.ts";
import { createRetryBudget, isSafeMethod } from "./retry-budget.ts";
import { createSharedState } from "./shared.ts";
import type { WindowCounts } from "./window.ts";

export interface CallOptions<Signal extends Aborted = AbortSignal> {
  /** Method of the request: GET, HEAD and OPTIONS may be retried. Default: never retried. */
  readonly method?: string;
  /** Aborts when the client has left. */
  readonly signal?: AbortSignal;
  /** In place of `signal`: the caller's own means to end the call, which the deadline uses as well. Spares a signal for each call. */
  readonly abort?: Aborting<Signal>;
}

/** Where a breaker stands, for a console, `/readyz` and the metrics. */
export interface BreakerState extends WindowCounts {
  readonly name: string;
  readonly state: CircuitPhase;
  /** Seconds until a call is tried again, when the circuit is open. */
  readonly retryAfterSeconds?: number;
  /** Calls whose work has not ended. */
  readonly running: number;
  /** `off`: state is not shared. */
  readonly shared: "off" | "unknown" | "up" | "down";
  readonly totals: BreakerTotals;
}

/** Since the start. */
export interface BreakerTotals {
  readonly good: number;
  readonly slow: number;
  readonly failed: number;
  /** Said nothing about the upstream. */
  readonly none: number;
  /** Not made: the circuit was open, or too many were running. */
  readonly refused: number;
  readonly retried: number;
  readonly opened: number;
}

export interface Breaker {
  readonly name: string;
  /**
   * Does the work, or says why not: circuit open or too many at once (503), or given up at the deadline (504). What the work throws is
   * thrown on.
   */
  execute<Value, Signal extends Aborted = AbortSignal>(
    work: UpstreamWork<Value, Signal>,
    call?: CallOptions<Signal>,
  ): Promise<Decision<Value>>;
  state(): BreakerState;
}

/**
 * A circuit breaker for one upstream: opens when too many calls of a window failed or were slow, tries single probes after a pause, and
 * closes when enough of them were good; a probe goes on when its client leaves. With `shared`, instances tell each other when they open.
 *
 * Does NOT count what is no fault of the upstream: 4xx answers, malformed requests, clients that left, calls it refused itself. Does NOT
 * read bodies: a call ends when the work has its answer, unless `follow` is given the body.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  const parsed = parseBreaker(options);
  const { name, now, concurrency = Number.POSITIVE_INFINITY } = parsed;
  const totals = { good: 0, slow: 0, failed: 0, none: 0, refused: 0, retried: 0, opened: 0 };
  const budget = createRetryBudget(parsed.retryShare);
  let running = 0;

  const hooks = { onBroken: noteBroken, onEnd: noteEnd };
  const circuit = createCircuit({ ...parsed, onPhase });
  const shared = parsed.shared && createSharedState(name, parsed.shared, now, (ms) => circuit.openFor(ms));

  return {
    name,
    async execute(work, call = {}) {
      shared?.look();
      budget.call();
      let made = await attempt(work, call);
      if (made.kind === "threw" && made.report === "failed" && isSafeMethod(call.method) && budget.spend()) {
        totals.retried += 1;
        const again = await attempt(work, call);
        // Refused the second time, the first is still what happened.
        if (again.kind !== "open" && again.kind !== "full") made = again;
      }
      switch (made.kind) {
        case "answered":
          return permit(made.value, [`upstream ${name} answered`]);
        case "timed-out":
          return deny(upstreamTimeout(), [`upstream ${name}: no answer within the deadline`]);
        case "open":
          return deny(breakerOpen(circuit.remainingMs()), [`circuit of upstream ${name} is open`]);
        case "full":
          return deny(upstreamFull(), [`upstream ${name}: as many calls as allowed are running`]);
        case "threw":
          throw made.error;
      }
    },
    state() {
      shared?.look();
      const state = circuit.phase();
      return {
        name,
        state,
        ...(state === "open" ? { retryAfterSeconds: Math.max(1, Math.ceil(circuit.remainingMs() / 1000)) } : {}),
        ...circuit.counts(),
        running,
        shared: shared?.health ?? "off",
        totals: { ...totals },
      };
    },
  };

  async function attempt<Value, Signal extends Aborted>(
    work: UpstreamWork<Value, Signal>,
    leaving: Leaving<Signal>,
  ): Promise<Attempt<Value> | { readonly kind: "open" | "full" }> {
    if (running >= concurrency) {
      totals.refused += 1;
      return { kind: "full" };
    }
    const made = await circuit.run((isProbe) => {
      running += 1;
      // Who asks and leaves again and again would otherwise keep the circuit open for all.
      return attemptOnce(work, parsed, isProbe ? {} : leaving, hooks);
    });
    if (made === undefined) {
      totals.refused += 1;
      return { kind: "open" };
    }
    totals[made.report] += 1;
    return made;
  }

  function noteEnd(): void {
    running -= 1;
  }

  function noteBroken(): void {
    totals.failed += 1;
    circuit.note("failed");
  }

  function onPhase(state: CircuitPhase, pauseMs: number): void {
    if (state === "open" && pauseMs > 0) {
      totals.opened += 1;
      shared?.opened(pauseMs);
    }
    if (state === "closed") shared?.closed();
    try {
      parsed.onState(Object.freeze({ name, state }));
    } catch {
      // A listener that fails changes nothing about who is let through.
    }
  }
}
