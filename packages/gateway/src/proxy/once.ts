import type { IncomingMessage } from "node:http";
import type { Problem } from "@wardline/policy-types";
import type { RequestContext } from "@wardline/policy-types/express";
import { IDEMPOTENCY_IN_WORK, IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_OTHER_REQUEST } from "../problems.ts";
import { type IdempotencyClaim, type IdempotencyStore, idempotencyKey, requestFingerprint } from "./idempotency.ts";

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
export function takeTurn(req: IncomingMessage, context: RequestContext, store: IdempotencyStore): Turn {
  const sent = req.headers["idempotency-key"];
  const { interaction, principal, body } = context;
  const method = req.method ?? "GET";
  if (sent === undefined || !UNSAFE_METHODS.has(method) || interaction === undefined || READS.has(interaction.code)) {
    return { kind: "plain" };
  }
  if (typeof sent !== "string" || !KEY.test(sent)) return { kind: "refuse", problem: IDEMPOTENCY_KEY_INVALID };
  const key = idempotencyKey(sent, principal);
  const [, query = ""] = context.originalUrl.split(/\?(.*)/s);
  const claim = store.claim(key, requestFingerprint(method, interaction, query, body?.bytes ?? Buffer.alloc(0)));
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
