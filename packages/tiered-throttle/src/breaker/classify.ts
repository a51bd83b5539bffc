/** What a result says about the upstream. `ignored`: nothing, the fault is the caller's or ours. */
export type CallVerdict = "good" | "failed" | "ignored";

/**
 * Reads an answer by its status. 4xx is a healthy upstream refusing its caller; 501 and 505 refuse what was asked, not now but
 * always (RFC 9110 section 15.6); every other 5xx is a failure. An answer without a status is good.
 */
export function classifyAnswer(answer: unknown): CallVerdict {
  const status = statusOf(answer);
  return status !== undefined && status >= 500 && status !== 501 && status !== 505 ? "failed" : "good";
}

function statusOf(answer: unknown): number | undefined {
  if (answer === null || typeof answer !== "object") return undefined;
  const { statusCode, status } = answer as { statusCode?: unknown; status?: unknown };
  if (typeof statusCode === "number") return statusCode;
  return typeof status === "number" ? status : undefined;
}

/**
 * Reads an error. F13: what was given up before it reached the upstream (a caller's mistake, our own shed load, a client that
 * left) says nothing about it.
 */
export function classifyError(error: unknown): CallVerdict {
  if (error === null || typeof error !== "object") return "failed";
  const { name, code } = error as { name?: unknown; code?: unknown };
  if (name === "AbortError" || code === "ABORT_ERR" || code === "UND_ERR_ABORTED") return "ignored";
  return typeof code === "string" && OURS.has(code) ? "ignored" : "failed";
}

/** Codes of undici and Node for requests that were never sent because they were wrong. */
const OURS: ReadonlySet<string> = new Set([
  "UND_ERR_INVALID_ARG",
  "UND_ERR_NOT_SUPPORTED",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED",
  "ERR_INVALID_CHAR",
  "ERR_INVALID_URL",
  "ERR_INVALID_ARG_TYPE",
  "ERR_HTTP_INVALID_HEADER_VALUE",
]);
