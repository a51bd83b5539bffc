import type { PolicyDocument } from "@wardline/policy-types";
import type { Registry } from "prom-client";
import type { Audit } from "../audit.ts";
import type { Watch } from "../controls/abuse.ts";
import type { Inventory } from "../controls/inventory.ts";
import type { Throttles } from "../controls/throttle.ts";
import type { Health } from "../health.ts";
import type { PolicyInForce } from "../in-force.ts";
import type { ParsedDependencies } from "../options.ts";
import type { SharedState } from "../state/shared.ts";

/** What operators can look at and change. */
export interface AdminFacts {
  readonly policy: PolicyDocument;
  readonly health: Health;
  readonly inForce: PolicyInForce;
  readonly audit: Audit;
  readonly watch: Watch;
  readonly inventory: Inventory;
  readonly throttles: Throttles;
  readonly shared: SharedState;
  readonly registry: Registry;
  readonly dependencies: ParsedDependencies;
}
