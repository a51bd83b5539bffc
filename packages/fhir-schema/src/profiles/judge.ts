import type { SchemaIssue } from "../issues.ts";
import type { Job } from "./check.ts";
import { invariantIssue, issueOf } from "./problems.ts";
import type { TimeBound } from "./time-bound.ts";

/**
 * Judges the invariants of one resource within its time. What is not judged in time is not a pass (S12); an invariant that
 * cannot be evaluated does not hold.
 */
export function judgeInvariants(
  jobs: readonly Job[],
  root: unknown,
  { within, path, maxErrors }: { readonly within: TimeBound; readonly path: string; readonly maxErrors: number },
): readonly SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  const outcome = within(() => {
    for (const { invariant, item, resource } of jobs) {
      if (issues.length >= maxErrors) return;
      const evaluator = invariant.evaluators.get(item.type ?? "") ?? onlyOne(invariant.evaluators);
      const focus = item.value ?? item.extra;
      if (evaluator === undefined || holds(() => evaluator(focus, { resource, root }))) continue;
      issues.push(invariantIssue(invariant.key, item.path));
    }
  });
  return outcome === "over" ? [...issues, issueOf("too-costly", path)] : issues;
}

function onlyOne<Value>(values: ReadonlyMap<string, Value>): Value | undefined {
  return values.size === 1 ? values.values().next().value : undefined;
}

function holds(judge: () => boolean): boolean {
  try {
    return judge();
  } catch {
    return false;
  }
}
