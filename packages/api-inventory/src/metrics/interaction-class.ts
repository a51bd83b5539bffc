import type { InteractionCode } from "@wardline/policy-types";

/** Few enough to be a label. */
export type InteractionClass = "read" | "search" | "write" | "batch" | "operation" | "export" | "other";

const CLASSES: Readonly<Record<InteractionCode, InteractionClass>> = Object.freeze({
  read: "read",
  vread: "read",
  "history-instance": "read",
  "history-type": "search",
  "history-system": "search",
  "search-type": "search",
  "search-system": "search",
  create: "write",
  update: "write",
  patch: "write",
  delete: "write",
  batch: "batch",
  transaction: "batch",
  operation: "operation",
  capabilities: "other",
  unknown: "other",
});

export function interactionClass(interaction: InteractionCode, operation: string | undefined): InteractionClass {
  return operation === "export" ? "export" : CLASSES[interaction];
}
