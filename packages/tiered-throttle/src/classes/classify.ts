import type { Grant, Interaction, SearchQuery } from "@wardline/policy-types";
import { isWide } from "./wide.ts";

/** How much work a request is for the server behind, from least to most. */
export const OPERATION_CLASSES = ["ordinary", "expensive", "bulk"] as const;
export type OperationClass = (typeof OPERATION_CLASSES)[number];

/** Where ordinary ends. */
export interface ClassBounds {
  /** `_count` above this is expensive. Default 200. */
  readonly count?: number;
  /** Chain and `_has` steps in one parameter above this are expensive. Default 1. */
  readonly chainSteps?: number;
  /** `_include` and `_revinclude` in one request above this are expensive. Default 5. */
  readonly includes?: number;
  /** Operations that read much at once, without `$`. */
  readonly expensiveOperations?: readonly string[];
  /** Operations that read everything, without `$`. Default `["export"]`. */
  readonly bulkOperations?: readonly string[];
}

export const DEFAULT_BOUNDS: Required<ClassBounds> = Object.freeze({
  count: 200,
  chainSteps: 1,
  includes: 5,
  expensiveOperations: Object.freeze(["everything", "document", "graphql", "lastn", "match", "stats"]),
  bulkOperations: Object.freeze(["export"]),
});

/**
 * The class of one interaction. What could not be named is expensive: nobody knows what it does. A batch or transaction is
 * as dear as its dearest entry; see `classesOf` for what its entries cost together.
 *
 * Does NOT know how much data there is: a search for one busy patient is ordinary.
 */
export function classify(
  interaction: Interaction,
  grant: Grant | undefined,
  bounds: Required<ClassBounds>,
): OperationClass {
  const { code, operation, search, condition, entries } = interaction;
  if (operation !== undefined) {
    if (bounds.bulkOperations.includes(operation.name)) return "bulk";
    if (bounds.expensiveOperations.includes(operation.name)) return "expensive";
  }
  if (entries.length > 0) return dearest(entries.map((entry) => classify(entry.interaction, grant, bounds)));
  if (code === "unknown" || code === "history-type" || code === "history-system") return "expensive";
  if (isHeavy(search, bounds) || isHeavy(condition, bounds)) return "expensive";
  const searches = code === "search-type" || code === "search-system";
  return searches && isWide(interaction, grant) ? "expensive" : "ordinary";
}

/** One class per piece of work: an entry of a batch or transaction each, so that a bundle is no way to ask at a discount. */
export function classesOf(
  interaction: Interaction,
  grant: Grant | undefined,
  bounds: Required<ClassBounds>,
): readonly OperationClass[] {
  const { entries } = interaction;
  if (entries.length === 0) return ALONE[classify(interaction, grant, bounds)];
  return entries.map((entry) => classify(entry.interaction, grant, bounds));
}

const ALONE: Readonly<Record<OperationClass, readonly OperationClass[]>> = Object.freeze({
  ordinary: Object.freeze(["ordinary"] as const),
  expensive: Object.freeze(["expensive"] as const),
  bulk: Object.freeze(["bulk"] as const),
});

export function dearest(classes: readonly OperationClass[]): OperationClass {
  if (classes.length === 1) return classes[0] as OperationClass;
  return OPERATION_CLASSES.findLast((one) => classes.includes(one)) ?? "ordinary";
}

/** Whole-text parameters, whose cost nobody can bound. */
const WHOLE_TEXT = new Set(["_text", "_content", "_filter", "_query"]);

function isHeavy(query: SearchQuery | undefined, bounds: Required<ClassBounds>): boolean {
  if (query === undefined) return false;
  const { criteria, includes, control } = query;
  return (
    includes.length > bounds.includes ||
    includes.some(({ source, parameter, iterate }) => iterate || source === "*" || parameter === "*") ||
    criteria.some(({ steps, parameter }) => steps.length > bounds.chainSteps || WHOLE_TEXT.has(parameter)) ||
    control.some(({ name, value }) => name === "_count" && !(countOf(value) <= bounds.count))
  );
}

/** NaN for what is no number, which is no small number either. */
function countOf(value: string): number {
  return /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
}
