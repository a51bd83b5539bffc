import { type Findings, type Job, MAX_NOTES } from "./check.ts";
import { invariantIssue } from "./problems.ts";

/** Judges the invariants a walk has noted. One that cannot be evaluated does not hold. */
export function judgeInvariants({ jobs, errors, maxErrors }: Findings): void {
  for (const job of jobs) {
    if (errors.length >= maxErrors) return;
    if (job.invariant.severity === "error" && !holds(job)) errors.push(invariantIssue(job.invariant, job.item.path));
  }
}

/** The same of what a profile only advises: told, bounded like every note, and no reason to refuse. */
export function judgeAdvice({ jobs, notes }: Findings): void {
  for (const job of jobs) {
    if (notes.length >= MAX_NOTES) return;
    if (job.invariant.severity === "warning" && !holds(job)) notes.push(invariantIssue(job.invariant, job.item.path));
  }
}

function holds({ invariant, item, resource, root }: Job): boolean {
  const evaluator = invariant.evaluators.get(item.type ?? "") ?? onlyOne(invariant.evaluators);
  try {
    return evaluator?.(item.value ?? item.extra, { resource, root }) === true;
  } catch {
    return false;
  }
}

function onlyOne<Value>(values: ReadonlyMap<string, Value>): Value | undefined {
  return values.size === 1 ? values.values().next().value : undefined;
}
