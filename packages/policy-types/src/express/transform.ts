import type { Problem } from "../decision.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Where in the way out a transform stands. Stages run in this order, whatever the order of registration. */
export const TRANSFORM_STAGES = ["guard", "redact", "label", "encrypt", "rewrite"] as const;
export type TransformStage = (typeof TRANSFORM_STAGES)[number];

/** What a transform knows about the answer whose body it judges. */
export interface AnswerFacts {
  /** Status the handler gave. */
  readonly status: number;
  /** Media type without parameters, lower case; empty when the handler gave none. */
  readonly mediaType: string;
  /** `line`: one line of an NDJSON body. */
  readonly unit: "body" | "line";
  /** The handler's headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * What becomes of a body.
 * - `keep`: unchanged; if every transform keeps, the handler's own bytes are sent.
 * - `replace`: this instead. The input may not be modified in place.
 * - `drop`: nothing instead: an NDJSON line disappears, a whole body becomes empty.
 * - `refuse`: nothing of the answer is sent, the problem is.
 */
export type BodyVerdict =
  | { readonly kind: "keep" }
  | { readonly kind: "replace"; readonly body: Json }
  | { readonly kind: "drop" }
  | { readonly kind: "refuse"; readonly problem: Problem };

export const KEEP: BodyVerdict = Object.freeze({ kind: "keep" });

/**
 * One judge of the answer. Judging is synchronous, so that what was judged is what is serialised; whatever a judge needs
 * from outside (keys, consent) it fetches before the handler runs. A transform that throws refuses the answer: what cannot be judged is not sent.
 */
export interface BodyTransform {
  readonly name: string;
  readonly stage: TransformStage;
  /** Judges a parsed JSON body, or one NDJSON line. */
  json(body: Json, answer: AnswerFacts): BodyVerdict;
  /**
   * Judges a body that is not JSON, by its head alone. Absent: refused, because what cannot be read cannot be judged
   * (S12).
   */
  opaque?(answer: AnswerFacts): BodyVerdict;
  /** Judges an answer without a body. Absent: kept. */
  empty?(answer: AnswerFacts): BodyVerdict;
  /**
   * Headers to set (or, with `undefined`, remove) on the answer; nothing, where there is nothing to say. A removal counts for
   * all; of two values the earlier stage's.
   */
  headers?(answer: AnswerFacts): Readonly<Record<string, string | undefined>> | undefined;
}
