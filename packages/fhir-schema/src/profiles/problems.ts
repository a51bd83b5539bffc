import type { IssueType } from "@wardline/policy-types";
import type { SchemaIssue } from "../issues.ts";
import type { Invariant } from "./rules.ts";

export type IssueName =
  | "missing"
  | "too-many"
  | "not-allowed"
  | "type"
  | "fixed"
  | "pattern"
  | "length"
  | "range"
  | "binding"
  | "type-profile"
  | "target"
  | "slice-missing"
  | "slice-too-many"
  | "slice-closed"
  | "slice-order"
  | "invariant"
  | "too-costly"
  | "other-type"
  | "unknown-profile"
  | "not-a-resource";
export type NoteName = "must-support" | "unknown-claim";

/** Findings against a profile, by name. The same sentence whatever the value was (S15). */
const ISSUES: Readonly<Record<IssueName, readonly [IssueType, string]>> = {
  missing: ["required", "The profile requires this element."],
  "too-many": ["structure", "The profile allows fewer of this element."],
  "not-allowed": ["structure", "The profile does not allow this element."],
  type: ["structure", "The profile does not allow this type here."],
  fixed: ["value", "The profile fixes this element to another value."],
  pattern: ["value", "This element lacks a part that the profile's pattern requires."],
  length: ["value", "This element is longer than the profile allows."],
  range: ["value", "This element is outside the range that the profile allows."],
  binding: ["code-invalid", "The code is not in the value set that the profile requires."],
  "type-profile": ["structure", "This element conforms to none of the profiles required of it."],
  target: ["structure", "The profile does not allow a reference to this type here."],
  "slice-missing": ["required", "The profile requires more items of one kind in this list."],
  "slice-too-many": ["structure", "The profile allows fewer items of one kind in this list."],
  "slice-closed": ["structure", "The profile does not allow an item of this kind."],
  "slice-order": ["structure", "The profile requires the items of this list in another order."],
  invariant: ["invariant", "A rule of the profile does not hold here."],
  "too-costly": ["too-costly", "The rules of the profile take too long to judge for this resource."],
  "other-type": ["structure", "The profile is for another type of resource."],
  "unknown-profile": ["not-supported", "The profile asked for is not known to this server."],
  "not-a-resource": ["structure", "A resource with its type is expected."],
};

const NOTES: Readonly<Record<NoteName, readonly [IssueType, string]>> = {
  "must-support": ["incomplete", "An element that the profile marks as must-support is absent."],
  "unknown-claim": ["not-supported", "A profile that the resource claims is not known to this server."],
};

export function issueOf(name: IssueName, expression: string): SchemaIssue {
  const [issue, detail] = ISSUES[name];
  return Object.freeze({ severity: "error", issue, detail, expression });
}

/** An invariant that does not hold, by its key: a word of the profile, not of the request. */
export function invariantIssue(
  { key, severity }: Pick<Invariant, "key" | "severity">,
  expression: string,
): SchemaIssue {
  const [issue] = ISSUES.invariant;
  return Object.freeze({
    severity,
    issue,
    detail: `The profile's rule ${key} does not hold here.`,
    expression,
  });
}

export function noteOf(name: NoteName, expression: string): SchemaIssue {
  const [issue, detail] = NOTES[name];
  return Object.freeze({ severity: "information", issue, detail, expression });
}
