import type { Interaction, Reasons, ScopeLetter } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Narrowing } from "./narrow.ts";

/** A permitted interaction: what its answer is judged by. */
export interface Access {
  /** What is carried out: of a conditional interaction, the one on the resource that its condition selected. */
  readonly interaction: Interaction;
  /** The rights that count fall short of every resource of the types asked for: absent and hidden must look alike (A9). */
  readonly bound: boolean;
  readonly narrowing?: Narrowing;
  /** The searches that together ask for everything the grant covers, when no single one can; `narrowing` is one of them. */
  readonly parts?: readonly Narrowing[];
  /** What a write is forwarded as. Absent: as it was asked. */
  readonly write?: ForwardedWrite;
  /** A Binary that was judged before it was asked for. */
  readonly binary?: JudgedBinary;
  /** An operation on what was submitted: its answer is what may be read. */
  readonly submission?: true;
  /** A15: whose records a write names, or will change as far as that is known: bare ids, for the audit. */
  readonly patients?: readonly string[];
  /** The kick-off of an export, and the types it may give. */
  readonly exports?: { readonly types: readonly string[] };
  readonly because: Reasons;
}

/** A bound caller's write on the way to the handler: held to the one resource and the one version that were judged. */
export interface ForwardedWrite {
  readonly method?: "POST" | "PUT";
  /** Path and query below the base, without a slash in front. */
  readonly url?: string;
  readonly ifMatch?: string;
  /** "" takes the header away. */
  readonly ifNoneExist?: string;
  readonly body?: Json;
}

/** What the judgement of a Binary rested on. */
export interface JudgedBinary {
  /** `securityContext.reference`, as stored. */
  readonly securityContext?: string;
  /** Patients of the resource that speaks for it. */
  readonly patients: readonly string[];
}

// Not frozen: V8 walks a frozen list several times slower, and these are walked for every resource of an answer.
const NONE: readonly ScopeLetter[] = [];
const READ: readonly ScopeLetter[] = ["r"];
const SEARCH: readonly ScopeLetter[] = ["s"];

/** What every interaction needs on its base type (SMART 2.2, scopes for requesting FHIR resources). */
export function lettersNeeded({ code, condition }: Pick<Interaction, "code" | "condition">): readonly ScopeLetter[] {
  // A condition runs a search, and tells by its outcome what it found.
  const conditional: readonly ScopeLetter[] = condition === undefined ? NONE : SEARCH;
  switch (code) {
    case "read":
    case "vread":
    case "history-instance":
      return READ;
    case "search-type":
    case "search-system":
    case "history-type":
    case "history-system":
      return SEARCH;
    case "create":
      return ["c", ...conditional];
    case "update":
    case "patch":
      return ["u", ...conditional];
    case "delete":
      return ["d", ...conditional];
    case "operation":
      return ["r", "s"];
    case "capabilities":
    case "batch":
    case "transaction":
    case "unknown":
      return [];
  }
}
