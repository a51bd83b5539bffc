import type { IssueType } from "@wardline/policy-types";
import type { SchemaIssue } from "../issues.ts";
import type { Fault } from "./run.ts";

type Sentence = readonly [issue: IssueType, detail: string, outcomeCode?: string];

/** What is told for each rule. Fixed sentences: nothing of the resource (S15). */
const SENTENCES: Readonly<Record<string, Sentence>> = {
  type: ["structure", "This element has another JSON type than R4 gives it."],
  empty: ["structure", "An object must not be empty."],
  minItems: ["structure", "An array must not be empty."],
  unknown: ["structure", "This element holds a property that R4 does not define here."],
  required: ["required", "This element is required."],
  choice: ["structure", "Only one type of this element may be given."],
  fhirAligned: ["structure", "Every place of this array needs a value or extensions, in two arrays of one length."],
  fhirList: ["too-long", "This array has more entries than are accepted."],
  fhirCoded: ["code-invalid", "No coding is of the closed list of codes this element is bound to."],
  enum: ["code-invalid", "The code is not of the closed list this element is bound to."],
  format: ["value", "The value does not have the form its type requires."],
  longId: ["value", "The reference names an id of more than 64 characters."],
  depth: ["structure", "Elements are nested more deeply than is accepted."],
  contained: ["invariant", "A contained resource must not contain others."],
  resourceType: ["required", "A resource names its type in resourceType."],
  unknownType: ["structure", "R4 has no resource of this type.", "MSG_UNKNOWN_TYPE"],
  otherType: ["invalid", "The resource is of another type than the URL names.", "MSG_RESOURCE_TYPE_MISMATCH"],
  otherId: ["invalid", "The resource has another id than the URL names.", "MSG_RESOURCE_ID_MISMATCH"],
  idMissing: ["required", "The resource must have the id the URL names.", "MSG_RESOURCE_ID_MISSING"],
  exception: ["exception", "The resource could not be checked."],
};

const OTHER: Sentence = ["structure", "The resource is not well-formed R4."];

export function issueOf(type: string, { rule, path, name, warning }: Fault): SchemaIssue {
  const [issue, detail, outcomeCode] = SENTENCES[rule] ?? OTHER;
  const below = name === undefined ? "" : `.${name.replace("[x]", "")}`;
  const severity = warning === true ? "warning" : "error";
  const expression = `${type}${fhirPath(path)}${below}`;
  return { severity, issue, detail, expression, ...(outcomeCode === undefined ? {} : { outcomeCode }) };
}

/** `/name/0/given/1` is `.name[0].given[1]`. */
function fhirPath(path: string): string {
  const segments = path.split("/").slice(1);
  return segments.map((segment) => (/^\d/.test(segment) ? `[${segment}]` : `.${segment}`)).join("");
}
