import type { Problem } from "@wardline/policy-types";

export const LEDGER_UNAVAILABLE: Problem = Object.freeze({
  code: "audit-event/ledger-unavailable",
  status: 503,
  issue: "transient",
  detail: "The access cannot be recorded now, so it is not answered; try again later.",
  headers: Object.freeze({ "Retry-After": "5" }),
});
