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

/** What exists and who uses it. What was seen outlives a policy that declares the same endpoints. */
export interface Inventory {
  readonly of: (policy: PolicyDocument, documents: ReadonlyMap<string, object>) => ApiInventory;
  readonly current: () => ApiInventory | undefined;
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
  let declared = "";
  let inventory: ApiInventory | undefined;

  return {
    of(next, documents) {
      const entries = [
        ...entriesFromPolicy({ routes: next.routes.filter((route) => !hasDocument(route)) }),
        ...next.routes.filter(hasDocument).flatMap((route) => documentEntries(route, documents.get(route.id))),
      ];
      const text = JSON.stringify(entries);
      if (inventory === undefined || declared !== text) {
        declared = text;
        inventory = apiInventory({
          entries,
          now,
          ...(metrics === undefined ? {} : { metrics }),
          ...(journal === undefined ? {} : { journal }),
        });
      }
      return inventory;
    },
    current: () => inventory,
    pasObserver: ({ apiType }) =>
      journal === undefined || apiType !== "prior-authorization"
        ? undefined
        : observePas({ journal, now, ...(isExtendedReview === undefined ? {} : { isExtended: isExtendedReview }) }),
    close: async () => journal?.close(),
  };
}
