import { isRecord, own } from "./element-paths.ts";
import { parseReference, type ReferenceOptions, statedType } from "./references.ts";

/** Patients named anywhere inside a value. */
export interface Mentions {
  /** Bare ids, without repeats. */
  readonly patients: readonly string[];
  /** A patient may be named in a way that cannot be decided: a contained Patient, an identifier, a foreign URL. */
  readonly undecided: boolean;
}

/**
 * Reads every `reference` at any depth, whatever element it stands in. For parts where the compartment's parameters do
 * not reach: contained resources and malformed elements. Iterative, so that depth cannot exhaust the stack.
 */
export function mentionsInside(value: unknown, options: ReferenceOptions): Mentions {
  const found: Found = { patients: new Set(), undecided: false };
  const open: unknown[] = typeof value === "string" ? [{ reference: value }] : [value];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) {
      for (const member of node as readonly unknown[]) if (typeof member === "object") open.push(member);
    } else if (isRecord(node)) {
      noteNode(node, options, found);
      for (const key of Object.keys(node)) if (typeof node[key] === "object") open.push(node[key]);
    }
  }
  return { patients: [...found.patients], undecided: found.undecided };
}

interface Found {
  readonly patients: Set<string>;
  undecided: boolean;
}

function noteNode(node: Readonly<Record<string, unknown>>, options: ReferenceOptions, found: Found): void {
  if (own(node, "resourceType") === "Patient") found.undecided = true;
  const isTyped = statedType(node) === "Patient";
  const reference = own(node, "reference");
  if (reference === undefined) {
    if (isTyped && own(node, "identifier") !== undefined) found.undecided = true;
    return;
  }
  for (const text of Array.isArray(reference) ? (reference as readonly unknown[]) : [reference]) {
    if (typeof text !== "string") continue;
    const parsed = parseReference(text, options);
    if (parsed.kind === "literal" && parsed.type === "Patient") found.patients.add(parsed.id);
    const unsettled = parsed.kind !== "literal" && parsed.kind !== "contained";
    if (unsettled && (isTyped || /patient/i.test(text))) found.undecided = true;
  }
}
