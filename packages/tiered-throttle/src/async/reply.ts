import type { Problem } from "@wardline/policy-types";

/** What became of a request: answered, refused, or none of ours. */
export type Reply =
  | { readonly kind: "answered" }
  | { readonly kind: "passed" }
  | { readonly kind: "refused"; readonly problem: Problem; readonly because: string };

export const ANSWERED: Reply = Object.freeze({ kind: "answered" });
export const PASSED: Reply = Object.freeze({ kind: "passed" });

export function refused(problem: Problem, because: string): Reply {
  return { kind: "refused", problem, because };
}
