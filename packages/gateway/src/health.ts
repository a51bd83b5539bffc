import type { LedgerState } from "@wardline/audit-event";
import type { Drift } from "./drift.ts";
import type { GatewayEvent } from "./events.ts";

/** What `/readyz` shows: names, states and times, nothing of any request. */
export interface Readiness {
  readonly status: "ready" | "draining" | "audit-failed";
  /** Hash of the policy in force. */
  readonly policy: string;
  /** How what runs differs from what was approved; empty is right. Does not make the edge unready. */
  readonly drift: readonly Drift[];
  readonly audit: Pick<LedgerState, "status" | "queuedBytes" | "because" | "checkpoint">;
  /** A failing upstream does not make the edge unready: it answers 502 and 504 for it, and serves the others. */
  readonly upstreams: Readonly<Record<string, { readonly status: "ok" | "failing"; readonly since?: string }>>;
}

/** Knows what is broken, and says so once per change (F12). */
export interface Health {
  upstreamFailed(name: string, error: unknown): void;
  upstreamAnswered(name: string): void;
  draining(): void;
  /** Another policy is in force. */
  policyChanged(version: string, upstreams: readonly string[]): void;
  drifted(drift: readonly Drift[]): void;
  readiness(): Readiness;
}

export interface HealthFacts {
  readonly ledgerState: () => LedgerState;
  readonly now: () => number;
  readonly onEvent: (event: GatewayEvent) => void;
}

export function watchHealth({ ledgerState, now, onEvent }: HealthFacts): Health {
  const failingSince = new Map<string, number>();
  let isDraining = false;
  let policy = "";
  let upstreams: readonly string[] = [];
  let drift: readonly Drift[] = [];

  return {
    upstreamFailed(name, error) {
      if (failingSince.has(name)) return;
      failingSince.set(name, now());
      onEvent({
        level: "error",
        code: "gateway/upstream-failed",
        message: "an upstream does not answer as it should",
        facts: { upstream: name },
        error,
      });
    },
    upstreamAnswered(name) {
      const since = failingSince.get(name);
      if (since === undefined) return;
      failingSince.delete(name);
      onEvent({
        level: "info",
        code: "gateway/upstream-recovered",
        message: "an upstream answers again",
        facts: { upstream: name, afterMs: now() - since },
      });
    },
    draining() {
      isDraining = true;
    },
    policyChanged(version, names) {
      policy = version;
      upstreams = names;
      for (const name of failingSince.keys()) if (!names.includes(name)) failingSince.delete(name);
    },
    drifted(found) {
      drift = found;
    },
    readiness() {
      const { status, queuedBytes, because, checkpoint } = ledgerState();
      const state = status === "open" ? "ready" : "audit-failed";
      return {
        status: isDraining ? "draining" : state,
        policy,
        drift,
        audit: {
          status,
          queuedBytes,
          ...(because === undefined ? {} : { because }),
          ...(checkpoint === undefined ? {} : { checkpoint }),
        },
        upstreams: Object.fromEntries(upstreams.map((name) => [name, stateOf(failingSince.get(name))])),
      };
    },
  };
}

function stateOf(since: number | undefined): Readiness["upstreams"][string] {
  return since === undefined ? { status: "ok" } : { status: "failing", since: new Date(since).toISOString() };
}
