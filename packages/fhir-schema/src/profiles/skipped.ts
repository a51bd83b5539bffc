/** Something a profile asks that is not judged: told once, to the operator, never to a client. */
export interface SkippedRule {
  /** Canonical URL of the profile. */
  readonly profile: string;
  /** Element id in its snapshot. */
  readonly element: string;
  /** Key of the invariant, canonical URL of the value set or profile, or path that tells slices apart. */
  readonly rule: string;
  readonly reason:
    | "unsupported-function"
    | "no-expression"
    | "value-set-not-supplied"
    | "code-system-not-supplied"
    | "profile-not-supplied"
    | "reference-not-resolved";
}
