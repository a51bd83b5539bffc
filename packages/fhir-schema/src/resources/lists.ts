import type { NodeCheck, Run } from "./run.ts";
import { type ValueRule, valueFault } from "./values.ts";

/** The rule a list breaks, and the place in it: `[2]`, or nothing for the list itself. */
export interface ListFault {
  readonly rule: string;
  readonly place: string;
}

function ofList(run: Run, list: unknown): ListFault | undefined {
  if (!Array.isArray(list)) return { rule: "type", place: "" };
  if (list.length === 0) return { rule: "minItems", place: "" };
  return list.length > run.limits.maxArrayLength ? { rule: "fhirList", place: "" } : undefined;
}

/** Judges each entry of a list at `path`; what is wrong further in is recorded by the run. */
export function nodesFault(
  run: Run,
  {
    list,
    path,
    check,
    coded,
  }: {
    readonly list: unknown;
    readonly path: string;
    readonly check: NodeCheck;
    readonly coded: ((concept: unknown) => boolean) | undefined;
  },
): ListFault | undefined {
  const fault = ofList(run, list);
  if (fault !== undefined) return fault;
  const entries = list as readonly unknown[];
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index];
    if (!check.call(run, entry)) run.within(`${path}/${index}`);
    if (coded?.(entry) === false) return { rule: "fhirCoded", place: `[${index}]` };
  }
  return undefined;
}

/** Judges a list of primitives, each a value or null, by the extensions in `others`. */
export function valuesFault(run: Run, rule: ValueRule, list: unknown, others: unknown): ListFault | undefined {
  const fault = ofList(run, list);
  if (fault !== undefined) return fault;
  const values = list as readonly unknown[];
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const broken = value === null ? undefined : valueFault(rule, value);
    if (broken !== undefined) return { rule: broken, place: `[${index}]` };
  }
  return aligned(values, others) ? undefined : { rule: "fhirAligned", place: "" };
}

/** Judges a list of extensions of primitives, each an element or null, by the values in `others`. */
export function extensionsFault(
  run: Run,
  {
    list,
    others,
    path,
    check,
  }: {
    readonly list: unknown;
    readonly others: unknown;
    readonly path: string;
    readonly check: NodeCheck;
  },
): ListFault | undefined {
  const fault = ofList(run, list);
  if (fault !== undefined) return fault;
  const elements = list as readonly unknown[];
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index];
    if (element !== null && !check.call(run, element)) run.within(`${path}/${index}`);
  }
  return aligned(elements, others) ? undefined : { rule: "fhirAligned", place: "" };
}

/**
 * Whether each place of a primitive array holds a value or extensions, and both arrays end together.
 *
 * @see https://hl7.org/fhir/R4/json.html#primitive
 */
function aligned(values: readonly unknown[], others: unknown): boolean {
  if (others === undefined) return !values.includes(null);
  if (!Array.isArray(others) || others.length !== values.length) return false;
  return values.every((value, index) => value !== null || others[index] !== null);
}
