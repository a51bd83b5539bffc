import { codeList } from "./codes.ts";
import { PRIMITIVES } from "./primitives.ts";

/** How a primitive is judged: its type in JSON, and what then has to hold. */
export interface ValueRule {
  readonly json: "boolean" | "number" | "string";
  /** Absent when every value of the type will do. */
  readonly check?: (value: never) => boolean;
  /** The rule that is broken when `check` answers no: a key of the sentences in `findings.ts`. */
  readonly rule: "enum" | "format";
}

/** The rule of a primitive, or of one that is bound to a closed list of codes. */
export function valueRule(primitive: string, codes: string | undefined): ValueRule {
  const known = PRIMITIVES.get(primitive);
  if (known === undefined) throw new Error(`R4 has no primitive ${primitive}`);
  if (codes !== undefined) {
    const list = new Set(codeList(codes));
    return { json: "string", rule: "enum", check: (value: string) => list.has(value) };
  }
  return { ...known, rule: "format" };
}

/** Which rule a value breaks, or none. */
export function valueFault({ json, check, rule }: ValueRule, value: unknown): string | undefined {
  if (typeof value !== json) return "type";
  return check === undefined || check(value as never) ? undefined : rule;
}

/** Whether one coding of a CodeableConcept is in a closed list. */
export function codedBy(list: string): (concept: unknown) => boolean {
  const codes = new Set(codeList(list));
  return (concept) => {
    const { coding } = Object(concept) as { readonly coding?: unknown };
    if (!Array.isArray(coding)) return false;
    return coding.some((each: unknown) => {
      const { system, code } = Object(each) as { readonly system?: unknown; readonly code?: unknown };
      return codes.has(`${String(system)}|${String(code)}`);
    });
  };
}
