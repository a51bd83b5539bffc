import type { AbuseMonitorHandler } from "@wardline/abuse-monitor";
import type { ApiInventory } from "@wardline/api-inventory";
import type { RequestHandler } from "express";
import type { Audit } from "./audit.ts";
import type { Watch } from "./controls/abuse.ts";
import type { BulkExports } from "./controls/bulk-export.ts";
import type { Inventory } from "./controls/inventory.ts";
import type { Throttles } from "./controls/throttle.ts";
import type { Health } from "./health.ts";
import type { ParsedDependencies } from "./options.ts";
import type { CheckedPolicy } from "./policy/load.ts";
import type { IdempotencyStore } from "./proxy/idempotency.ts";
import type { Upstream } from "./proxy/upstream.ts";
import type { Material } from "./state/material.ts";
import type { SharedState } from "./state/shared.ts";

/** What a pipeline is assembled from: a policy, and what outlives it. */
export interface Parts {
  readonly checked: CheckedPolicy;
  readonly material: Material;
  readonly shared: SharedState;
  readonly throttles: Throttles;
  readonly bulkExports: BulkExports;
  readonly watch: Watch;
  /** The watch of this policy. */
  readonly monitor: AbuseMonitorHandler | undefined;
  readonly inventory: Inventory;
  /** The inventory of this policy. */
  readonly apis: ApiInventory;
  readonly audit: Audit;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly health: Health;
  readonly idempotency: IdempotencyStore;
  readonly tracing: RequestHandler | undefined;
  readonly dependencies: ParsedDependencies;
}
