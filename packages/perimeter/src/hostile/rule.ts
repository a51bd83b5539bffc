import type { TextForms } from "./forms.ts";

/** What an attack is after. A class is claimed as a whole: its detection rate on recorded attacks is printed by the tests. */
export type HostileClass =
  | "sql"
  | "nosql"
  | "ldap"
  | "shell"
  | "template"
  | "script"
  | "traversal"
  | "ssrf"
  | "xml"
  | "protocol"
  | "probe";

/** Part of a request where a text was found. `json`: strings and names in a body that is JSON but not FHIR. */
export type Surface = "path" | "parameter-name" | "parameter" | "header" | "form" | "json" | "json-name" | "xml";

/** One thing that has no business in a request, and why. */
export interface HostileRule {
  /** Stable: `sql/union-select`. */
  readonly id: string;
  readonly class: HostileClass;
  readonly reason: string;
  /** Absent: everywhere. */
  readonly on?: readonly Surface[];
  /** Traits of which a text must have at least one before `matches` is asked; 0: always asked. */
  readonly needs: number;
  matches(forms: TextForms): boolean;
}

/** A rule that one pattern over the folded text decides. */
export function textRule(id: string, reason: string, needs: number, pattern: RegExp): HostileRule {
  return rule(id, reason, needs, ({ folded }) => pattern.test(folded));
}

export function rule(id: string, reason: string, needs: number, matches: HostileRule["matches"]): HostileRule {
  return Object.freeze({ id, class: id.slice(0, id.indexOf("/")) as HostileClass, reason, needs, matches });
}

export function only(surfaces: readonly Surface[], rules: readonly HostileRule[]): readonly HostileRule[] {
  return Object.freeze(rules.map((one) => Object.freeze({ ...one, on: surfaces })));
}
