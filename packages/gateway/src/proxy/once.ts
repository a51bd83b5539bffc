import type { IncomingMessage } from "node:http";
import { DependencyError, type Problem } from "@wardline/policy-types";
import type { RequestContext } from "@wardline/policy-types/express";
import {
  IDEMPOTENCY_IN_WORK,
  IDEMPOTENCY_KEY_INVALID,
  IDEMPOTENCY_OTHER_REQUEST,
  IDEMPOTENCY_UNAVAILABLE,
} from "../problems.ts";
import {
  type IdempotencyClaim,
  type IdempotencyStore,
  idempotencyKey,
  idempotencyOwner,
  idempotencySeal,
  requestFingerprint,
} from "./idempotency.ts";

/** An item of structured fields (a quoted string), or the plain text many clients send. */
const KEY = /^(?:"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,255}"|[\x21\x23-\x2b\x2d-\x7e]{1,255})$/;
const UNSAFE_METHODS: ReadonlySet<string> = new Set(["POST", "PATCH"]);
/** Interactions that are asked by POST and change nothing. */
const READS: ReadonlySet<string> = new Set(["search-type", "search-system"]);

export type Turn =
  | { readonly kind: "plain" }
  | { readonly kind: "refuse"; readonly problem: Problem }
  | { readonly kind: "repeat"; readonly answer: Extract<IdempotencyClaim, { kind: "repeat" }>["answer"] }
  | { readonly kind: "once"; readonly key: string; readonly claim: Extract<IdempotencyClaim, { kind: "first" }> };

/**
 * Whether an unsafe request with an `Idempotency-Key` may go on, is a repeat, or must wait.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07
 */
export async function takeTurn(req: IncomingMessage, context: RequestContext, store: IdempotencyStore): Promise<Turn> {
  const sent = req.headers["idempotency-key"];
  const { interaction, principal, body, upstream = "" } = context;
  const method = req.method ?? "GET";
  if (sent === undefined || !UNSAFE_METHODS.has(method) || interaction === undefined || READS.has(interaction.code)) {
    return { kind: "plain" };
  }
  if (typeof sent !== "string" || !KEY.test(sent)) return { kind: "refuse", problem: IDEMPOTENCY_KEY_INVALID };
  const key = idempotencyKey(sent, principal);
  const [, query = ""] = context.originalUrl.split(/\?(.*)/s);
  const bytes = body?.bytes ?? Buffer.alloc(0);
  const fingerprint = requestFingerprint({
    upstream,
    method,
    path: interaction.path,
    query,
    conditions: [req.headers["if-match"] ?? "", String(req.headers["if-none-exist"] ?? "")],
    body: bytes,
  });
  let claim: IdempotencyClaim;
  try {
    const seal = idempotencySeal(sent, principal, query, bytes);
    claim = await store.claim(key, { owner: idempotencyOwner(principal), fingerprint, seal });
  } catch (error) {
    if (error instanceof DependencyError) return { kind: "refuse", problem: IDEMPOTENCY_UNAVAILABLE };
    throw error;
  }
  switch (claim.kind) {
    case "first":
      return { kind: "once", key, claim };
    case "repeat":
      return claim;
    case "in-work":
      return { kind: "refuse", problem: IDEMPOTENCY_IN_WORK };
    case "other-request":
      return { kind: "refuse", problem: IDEMPOTENCY_OTHER_REQUEST };
  }
}
