import { randomBytes } from "node:crypto";
import { type AbuseMonitorHandler, abuseMonitor, alertWebhook } from "@wardline/abuse-monitor";
import type { PolicyDocument } from "@wardline/policy-types";
import type { Audit } from "../audit.ts";
import type { GatewayEvent } from "../events.ts";
import type { Material } from "../state/material.ts";
import type { SharedRedis } from "../state/redis.ts";

export interface AbuseFacts {
  readonly redis: SharedRedis | undefined;
  readonly audit: Audit;
  readonly now: () => number;
  readonly onEvent: (event: GatewayEvent) => void;
}

/** The watchman of a policy: what it has seen outlives a reload, and with `abuse.history` a restart. */
export interface Watch {
  readonly of: (policy: PolicyDocument, material: Material) => AbuseMonitorHandler | undefined;
  readonly current: () => AbuseMonitorHandler | undefined;
  close(): Promise<void>;
}

export function createWatch({ redis, audit, now, onEvent }: AbuseFacts): Watch {
  const processKey = randomBytes(16);
  let keyBefore: Uint8Array | undefined;
  let settings = "";
  let placesBefore: string | undefined;
  let monitor: AbuseMonitorHandler | undefined;

  return {
    of({ abuse = {} }, { abuseKey, webhookSecret, places }) {
      const next = JSON.stringify(abuse);
      if (settings === next && placesBefore === places?.text) return monitor;
      settings = next;
      placesBefore = places?.text;
      const key = abuseKey ?? processKey;
      // Under another key nobody has the pseudonym that is remembered.
      const remembered =
        keyBefore !== undefined && Buffer.compare(keyBefore, key) === 0 ? monitor?.handOver() : undefined;
      keyBefore = key;
      void monitor?.close();
      if (abuse === false) {
        monitor = undefined;
        return undefined;
      }
      const { webhook, history, key: _where, places: _file, ...asWritten } = abuse;
      monitor = abuseMonitor({
        now,
        ...asWritten,
        ...(places === undefined ? {} : { locate: places.locate }),
        // Without a key of its own the monitor refuses to remember: nobody could read it after a restart.
        ...(abuseKey === undefined && history !== undefined ? {} : { key }),
        ...(history === undefined ? {} : { history }),
        ...(remembered === undefined ? {} : { remembered }),
        ...(redis === undefined || abuseKey === undefined
          ? {}
          : { shared: { sendCommand: redis.send, prefix: `${redis.prefix.replace(/(?<!:):+$/, "")}:abuse` } }),
        audit: (kind, facts) => audit.record(kind, facts),
        carriers:
          webhook === undefined || webhookSecret === undefined
            ? []
            : [alertWebhook({ url: webhook.url, secret: webhookSecret })],
        onAlert: ({ pattern, severity, id }) =>
          onEvent({
            level: severity === "low" ? "info" : "warn",
            code: "gateway/abuse",
            message: "somebody behaves as attackers do",
            facts: { pattern, severity, alert: id },
          }),
        onDegraded: ({ kind, code }) =>
          onEvent({
            level: kind === "degraded" ? "error" : "info",
            code: "gateway/abuse-monitor",
            message: "what the abuse monitor needs changed",
            facts: { change: kind, cause: code },
          }),
      });
      return monitor;
    },
    current: () => monitor,
    close: async () => monitor?.close(),
  };
}
