import type { Problem } from "@wardline/policy-types";

/** The endpoint's retirement date has come. The headers say since when, and what replaces it. */
export const ENDPOINT_RETIRED: Problem = Object.freeze({
  code: "api-inventory/endpoint-retired",
  status: 410,
  issue: "not-supported",
  detail: "This endpoint has been retired.",
});

/** With `undeclared: "refuse"`. */
export const ENDPOINT_UNDECLARED: Problem = Object.freeze({
  code: "api-inventory/endpoint-undeclared",
  status: 404,
  issue: "not-found",
  detail: "This server has no such endpoint.",
});
