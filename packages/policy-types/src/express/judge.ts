import type { Problem } from "../decision.ts";
import { parseLossless } from "./lossless.ts";
import type { AnswerFacts, BodyTransform, BodyVerdict, Json } from "./transform.ts";

/** What became of a whole body: `same` lets the handler's own bytes pass. */
export type Judgement =
  | { readonly kind: "same" }
  | { readonly kind: "changed"; readonly body: Json }
  | { readonly kind: "dropped" }
  | { readonly kind: "refused"; readonly problem: Problem };

/** Lets every transform judge a parsed body in turn, each seeing what the one before left. */
export function judgeJson(body: Json, transforms: readonly BodyTransform[], answer: AnswerFacts): Judgement {
  let current = body;
  for (const transform of transforms) {
    const verdict = attempt(() => transform.json(current, answer));
    if (verdict.kind === "refuse") return { kind: "refused", problem: verdict.problem };
    if (verdict.kind === "drop") return { kind: "dropped" };
    if (verdict.kind === "replace") current = verdict.body;
  }
  return current === body ? { kind: "same" } : { kind: "changed", body: current };
}

/** As `judgeJson`, from and to text. `changed` holds the new text. */
export function judgeText(
  bytes: Buffer,
  transforms: readonly BodyTransform[],
  answer: AnswerFacts,
): Exclude<Judgement, { kind: "changed" }> | { readonly kind: "changed"; readonly bytes: Buffer; readonly body: Json } {
  let parsed: ReturnType<typeof parseLossless>;
  try {
    parsed = parseLossless(STRICT_UTF8.decode(bytes));
  } catch {
    return { kind: "refused", problem: UNREADABLE };
  }
  const judgement = judgeJson(parsed.body, transforms, answer);
  if (judgement.kind === "dropped" || judgement.kind === "refused") return judgement;
  // RFC 8259 section 4: readers differ on which of two members of one name counts, and only one of them was judged.
  if (judgement.kind === "same" && !parsed.repeatsNames()) return judgement;
  const body = judgement.kind === "same" ? parsed.body : judgement.body;
  try {
    return { kind: "changed", bytes: Buffer.from(parsed.rewrite(body)), body };
  } catch {
    // RFC 8259 section 9 lets a text be nested more deeply than the engine that reads it can write.
    return { kind: "refused", problem: UNREADABLE };
  }
}

/** Judges an answer that has no body, or one that is not JSON, by its head. */
export function judgeHead(
  which: "empty" | "opaque",
  transforms: readonly BodyTransform[],
  answer: AnswerFacts,
): Judgement {
  for (const transform of transforms) {
    const judge = transform[which];
    if (judge === undefined && which === "opaque") return { kind: "refused", problem: UNREADABLE };
    const verdict = judge === undefined ? undefined : attempt(() => judge.call(transform, answer));
    if (verdict?.kind === "refuse") return { kind: "refused", problem: verdict.problem };
    if (verdict?.kind === "drop") return { kind: "dropped" };
    if (verdict?.kind === "replace") return { kind: "changed", body: verdict.body };
  }
  return { kind: "same" };
}

/** S12: a judge that fails has not permitted anything. */
function attempt(judge: () => BodyVerdict): BodyVerdict {
  try {
    return judge();
  } catch {
    return { kind: "refuse", problem: JUDGE_FAILED };
  }
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const UNREADABLE: Problem = Object.freeze({
  code: "policy-types/answer-unreadable",
  status: 502,
  issue: "exception",
  detail: "The answer cannot be judged in the form the server gave it, so it is not sent.",
});
export const TOO_LARGE: Problem = Object.freeze({
  code: "policy-types/answer-too-large",
  status: 502,
  issue: "too-costly",
  detail: "The answer is larger than can be judged, so it is not sent; ask for less at a time.",
});
export const JUDGE_FAILED: Problem = Object.freeze({
  code: "policy-types/judge-failed",
  status: 500,
  issue: "exception",
  detail: "The answer could not be judged, so it is not sent.",
});
