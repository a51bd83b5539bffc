import { randomBytes } from "node:crypto";
import { type AbuseMonitorHandler, abuseMonitor, alertWebhook } from "@wardline/abuse-monitor";
import type { PolicyDocument } from "@wardline/policy-types";
import type { Audit } from "../audit.ts";
import type { GatewayEvent } from "../events.ts";
import type { Material } from "../state/material.ts";
import type { SharedRedis } from "../state/redis.ts";
import { createSuccession } from "./succession.ts";

export interface AbuseFacts {
  readonly redis: SharedRedis | undefined;
  readonly audit: Audit;
  readonly now: () => number;
  readonly onEvent: (event: GatewayEvent) => void;
}

/** The watchman of a policy: what it has seen outlives a reload, and with `abuse.history` a restart. */
export interface Watch {
  /** For a policy that is being assembled. */
  readonly of: (policy: PolicyDocument, material: Material) => AbuseMonitorHandler | undefined;
  /** Of the policy in force. */
  readonly current: () => AbuseMonitorHandler | undefined;
  settle(): void;
  abandon(): void;
  close(): Promise<void>;
}

interface Standing {
  readonly monitor: AbuseMonitorHandler | undefined;
  readonly key: Uint8Array;
}

export function createWatch({ redis, audit, now, onEvent }: AbuseFacts): Watch {
  const processKey = randomBytes(16);
  const standing = createSuccession<Standing>();

  function open(
    { abuse = {} }: PolicyDocument,
    { abuseKey, webhookSecret, places }: Material,
    before: Standing | undefined,
  ): Standing {
    const key = abuseKey ?? processKey;
    if (abuse === false) return { monitor: undefined, key };
    // Under another key nobody has the pseudonym that is remembered.
    const isSameKey = before !== undefined && Buffer.compare(before.key, key) === 0;
    const remembered = isSameKey ? before.monitor?.history() : undefined;
    const { webhook, history, key: _where, places: _file, ...asWritten } = abuse;
    const monitor = abuseMonitor({
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
    return { monitor, key };
  }

  /** Its file is another's. */
  function end(replaced: Standing | undefined): void {
    replaced?.monitor?.handOver();
    void replaced?.monitor?.close();
  }

  return {
    of(policy, material) {
      const settings = JSON.stringify([policy.abuse ?? {}, material.places?.text]);
      return standing.prepare(settings, (before) => open(policy, material, before)).monitor;
    },
    current: () => standing.current()?.monitor,
    settle: () => end(standing.settle()),
    abandon: () => end(standing.abandon()),
    async close() {
      end(standing.abandon());
      await standing.current()?.monitor?.close();
    },
  };
}
