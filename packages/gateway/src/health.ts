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
  readonly upstreams: Readonly<Record<string, Standing>>;
  /** Whether their keys can be had. Those known before count for at most an hour (F7). */
  readonly issuers: Readonly<Record<string, Standing>>;
  /** When the first certificate of each listener with TLS runs out. */
  readonly certificates?: Readonly<Record<string, { readonly expiresAt: string }>>;
  /** What instances share. While it is down, limits are local, and revocation, replay and consent refuse (F4, F8). */
  readonly redis?: "up" | "down";
  /** What does not work as it should, in one list: `redis`, `audit`, `drift`, `policy refused`, `certificate main`, `upstream ehr`, `circuit ehr`, `issuer https://...`. */
  readonly degraded: readonly string[];
}

interface Standing {
  readonly status: "ok" | "failing";
  readonly since?: string;
}

const WEEK_MS = 7 * 86_400_000;
const TLS_UNFIT = "new certificates do not fit; those in use stay";

/** Knows what is broken, and says so once per change (F12). */
export interface Health {
  upstreamFailed(name: string, error: unknown): void;
  upstreamAnswered(name: string): void;
  /** An issuer's keys could be had, or could not. */
  keysChanged(issuer: string, areHad: boolean): void;
  /** A listener has certificates of its own, which run out then. */
  certificatesOf(listener: string, expiresAt: () => number): void;
  /** Tells once which certificates run out within a week, and which have: nobody may be looking at `/readyz`. */
  lookAtCertificates(): void;
  /** New certificates of a listener were taken, or did not do. */
  certificatesChanged(listener: string, areTaken: boolean, error?: unknown): void;
  draining(): void;
  /** Another policy is in force. */
  policyChanged(version: string, upstreams: readonly string[], issuers: readonly string[]): void;
  drifted(drift: readonly Drift[]): void;
  /** The last policy that was to come into force did, or was refused (F11). */
  policyOffered(isRefused: boolean): void;
  readiness(): Readiness;
}

export interface HealthFacts {
  readonly ledgerState: () => LedgerState;
  /** Does the audit log not get to the disk what it has to record? */
  readonly auditIsStuck: () => boolean;
  /** Absent: nothing is shared. */
  readonly redisState?: (() => "up" | "down") | undefined;
  /** By upstream. */
  readonly circuits?: () => Readonly<Record<string, { readonly state: string }>>;
  readonly now: () => number;
  readonly onEvent: (event: GatewayEvent) => void;
}

export function watchHealth({ ledgerState, auditIsStuck, redisState, circuits, now, onEvent }: HealthFacts): Health {
  const failingSince = new Map<string, number>();
  const keylessSince = new Map<string, number>();
  const certificates = new Map<string, () => number>();
  const unfit = new Set<string>();
  const runningOut = new Map<string, "soon" | "over">();
  let isDraining = false;
  let policy = "";
  let upstreams: readonly string[] = [];
  let issuers: readonly string[] = [];
  let drift: readonly Drift[] = [];
  let isRefused = false;

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
    keysChanged(issuer, areHad) {
      if (areHad) keylessSince.delete(issuer);
      else if (!keylessSince.has(issuer)) keylessSince.set(issuer, now());
    },
    certificatesOf(listener, expiresAt) {
      certificates.set(listener, expiresAt);
    },
    lookAtCertificates() {
      for (const [listener, expiresAt] of certificates) {
        const left = expiresAt() - now();
        const state = left <= 0 ? "over" : left <= WEEK_MS ? "soon" : undefined;
        if (state === runningOut.get(listener)) continue;
        if (state === undefined) runningOut.delete(listener);
        else runningOut.set(listener, state);
        const facts = { listener, expiresAt: new Date(expiresAt()).toISOString() };
        if (state === "over") onEvent({ level: "error", ...CERTIFICATE_EXPIRED, facts });
        if (state === "soon") onEvent({ level: "warn", ...CERTIFICATE_EXPIRES, facts });
      }
    },
    certificatesChanged(listener, areTaken, error) {
      const facts = { listener };
      if (areTaken) {
        unfit.delete(listener);
        onEvent({ level: "info", code: "gateway/tls-reloaded", message: "certificates were replaced", facts });
      } else if (!unfit.has(listener)) {
        unfit.add(listener);
        onEvent({ level: "error", code: "gateway/tls-reload-failed", message: TLS_UNFIT, facts, error });
      }
    },
    draining() {
      isDraining = true;
    },
    policyChanged(version, names, known) {
      policy = version;
      upstreams = names;
      issuers = known;
      for (const name of failingSince.keys()) if (!names.includes(name)) failingSince.delete(name);
      for (const issuer of keylessSince.keys()) if (!known.includes(issuer)) keylessSince.delete(issuer);
    },
    drifted(found) {
      drift = found;
    },
    policyOffered(refused) {
      isRefused = refused;
    },
    readiness() {
      const { status, queuedBytes, because, checkpoint } = ledgerState();
      const isRecorded = status === "open" && !auditIsStuck();
      const state = isRecorded ? "ready" : "audit-failed";
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
        upstreams: Object.fromEntries(upstreams.map((name) => [name, standingOf(failingSince.get(name))])),
        issuers: Object.fromEntries(issuers.map((issuer) => [issuer, standingOf(keylessSince.get(issuer))])),
        ...(redisState === undefined ? {} : { redis: redisState() }),
        ...(certificates.size === 0
          ? {}
          : {
              certificates: Object.fromEntries(
                [...certificates].map(([name, expiresAt]) => [
                  name,
                  { expiresAt: new Date(expiresAt()).toISOString() },
                ]),
              ),
            }),
        degraded: [
          ...(redisState?.() === "down" ? ["redis"] : []),
          ...(isRecorded ? [] : ["audit"]),
          ...(drift.length === 0 ? [] : ["drift"]),
          ...[...certificates].flatMap(([name, expiresAt]) =>
            unfit.has(name) || expiresAt() <= now() ? [`certificate ${name}`] : [],
          ),
          ...(isRefused ? ["policy refused"] : []),
          ...[...failingSince.keys()].map((name) => `upstream ${name}`),
          ...Object.entries(circuits?.() ?? {}).flatMap(([name, circuit]) =>
            circuit.state === "closed" ? [] : [`circuit ${name}`],
          ),
          ...[...keylessSince.keys()].map((issuer) => `issuer ${issuer}`),
        ],
      };
    },
  };
}

const CERTIFICATE_EXPIRED = {
  code: "gateway/certificate-expired",
  message: "a certificate has run out: clients that verify it are lost",
} as const;
const CERTIFICATE_EXPIRES = {
  code: "gateway/certificate-expires",
  message: "a certificate runs out within a week",
} as const;

function standingOf(since: number | undefined): Standing {
  return since === undefined ? { status: "ok" } : { status: "failing", since: new Date(since).toISOString() };
}
