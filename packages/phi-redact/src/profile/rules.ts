import type { Json } from "@wardline/policy-types/express";
import type { SensitiveRule } from "../categories/rules.ts";

/**
 * What becomes of an element (ISO/IEC 20889): four different things, and their opposite.
 *
 * - `keep`: stays, also where something around it is removed.
 * - `remove`: goes, with everything in it that no longer path keeps.
 * - `mask`: the value goes and says that it was there (data-absent-reason `masked`); `{ mask: { last: 4 } }` shows the end.
 * - `generalise`: a date becomes its year, an age over 89 becomes 90, a postal code its first three digits.
 * - `pseudonymise`: a keyed token in place of the value, the same for the same value within a purpose.
 * - `encrypt`: a ciphertext that only readers with the right can open.
 * - `{ replace: value }`: this instead.
 */
export type RuleAction =
  | "keep"
  | "remove"
  | "mask"
  | "generalise"
  | "pseudonymise"
  | "encrypt"
  | { readonly mask: { readonly last: number } }
  | { readonly replace: Json };

export interface RedactionRule {
  /**
   * As StructureDefinitions write it: `Patient.contact.name`, `Observation.value[x]`; a datatype wherever it occurs
   * (`HumanName.text`, `dateTime`); `Resource.id`, `DomainResource.text`, `Element.extension`; one extension by its URL:
   * `Patient.extension('http://…')`. The longest path wins.
   */
  readonly path: string;
  readonly action: RuleAction;
}

export interface RedactionProfile {
  readonly name: string;
  /**
   * Projection: types (`Observation`) and elements (`Patient.name`) that may leave. Resources of other types are dropped.
   * Absent: everything leaves that no rule removes.
   */
  readonly only?: readonly string[];
  /** Beside, and before, `DEFAULT_RULES`. */
  readonly rules?: readonly RedactionRule[];
  /** Categories withheld under this profile, beside those of the options. */
  readonly sensitive?: readonly SensitiveRule[];
}

/**
 * What every profile does unless it says otherwise, because it is where removed data come back: free text, copies of names
 * in references, attachments, extensions nobody listed, upstream error texts.
 */
export const DEFAULT_RULES: readonly RedactionRule[] = Object.freeze(
  [
    "DomainResource.text",
    "Composition.section.text",
    "Reference.display",
    "Reference.identifier",
    "Attachment.data",
    "Attachment.url",
    "Attachment.title",
    "Attachment.hash",
    "Element.extension",
    "Element.modifierExtension",
    "OperationOutcome.issue.diagnostics",
    "OperationOutcome.issue.details.text",
    "Bundle.entry.request.ifNoneExist",
  ].map((path) => Object.freeze({ path, action: "remove" as const })),
);

/** A profile, frozen and typed. It is checked when it is compiled. */
export function defineProfile(profile: RedactionProfile): RedactionProfile {
  return Object.freeze({
    ...profile,
    ...(profile.only === undefined ? {} : { only: Object.freeze([...profile.only]) }),
    ...(profile.rules === undefined
      ? {}
      : { rules: Object.freeze(profile.rules.map((rule) => Object.freeze({ ...rule }))) }),
  });
}
