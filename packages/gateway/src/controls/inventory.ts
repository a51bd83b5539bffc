import {
  type ApiInventory,
  apiInventory,
  entriesFromPolicy,
  type ObservePasOptions,
  observePas,
  openUsageJournal,
  type TrafficMetrics,
  trafficMetrics,
  type UsageJournal,
} from "@wardline/api-inventory";
import type { PolicyDocument, RoutePolicy } from "@wardline/policy-types";
import type { RequestHandler } from "express";
import type { Registry } from "prom-client";
import type { GatewayEvent } from "../events.ts";
import { documentEntries, hasDocument } from "./open-api.ts";
import { createSuccession } from "./succession.ts";

/** What exists and who uses it. What was seen outlives a policy that declares the same endpoints. */
export interface Inventory {
  /** For a policy that is being assembled. */
  readonly of: (policy: PolicyDocument, documents: ReadonlyMap<string, object>) => ApiInventory;
  /** Of the policy in force. */
  readonly current: () => ApiInventory | undefined;
  settle(): void;
  abandon(): void;
  /** Watches prior authorisations pass, on routes that carry them and where usage is kept. */
  readonly pasObserver: (route: RoutePolicy) => RequestHandler | undefined;
  close(): Promise<void>;
}

export interface InventoryFacts {
  /** Of the first policy: API types get a metric label of their own. */
  readonly policy: PolicyDocument;
  /** Absent: nobody could read metrics. */
  readonly registry: Registry | undefined;
  readonly usageKey: Uint8Array | undefined;
  readonly now: () => number;
  readonly isExtendedReview?: ObservePasOptions["isExtended"];
  readonly onEvent: (event: GatewayEvent) => void;
}

export function openInventory(facts: InventoryFacts): Inventory {
  const { policy, registry, usageKey, now, isExtendedReview, onEvent } = facts;
  const apiTypes = [...new Set(policy.routes.map(({ apiType }) => apiType))];
  const metrics: TrafficMetrics | undefined =
    registry === undefined ? undefined : trafficMetrics({ registry, apiTypes });
  const journal: UsageJournal | undefined =
    policy.usage === undefined || usageKey === undefined
      ? undefined
      : openUsageJournal({
          file: policy.usage.file,
          key: usageKey,
          ...(policy.usage.timeZone === undefined ? {} : { timeZone: policy.usage.timeZone }),
          onDegraded: ({ kind, code, lost }) =>
            onEvent({
              level: kind === "degraded" ? "error" : "info",
              code: "gateway/usage-journal",
              message: "the journal of usage figures changed its state",
              facts: { change: kind, cause: code, lost },
            }),
        });
  const standing = createSuccession<ApiInventory>();

  return {
    of(next, documents) {
      const entries = [
        ...entriesFromPolicy({ routes: next.routes.filter((route) => !hasDocument(route)) }),
        ...next.routes.filter(hasDocument).flatMap((route) => documentEntries(route, documents.get(route.id))),
      ];
      return standing.prepare(JSON.stringify(entries), () =>
        apiInventory({
          entries,
          now,
          ...(metrics === undefined ? {} : { metrics }),
          ...(journal === undefined ? {} : { journal }),
        }),
      );
    },
    current: standing.current,
    settle: () => void standing.settle(),
    abandon: () => void standing.abandon(),
    pasObserver: ({ apiType }) =>
      journal === undefined || apiType !== "prior-authorization"
        ? undefined
        : observePas({ journal, now, ...(isExtendedReview === undefined ? {} : { isExtended: isExtendedReview }) }),
    close: async () => journal?.close(),
  };
}
