import type { Interaction, Reasons, ScopeLetter } from "@wardline/policy-types";
import type { Narrowing } from "./narrow.ts";

/** A permitted interaction: what its answer is judged by. */
export interface Access {
  readonly interaction: Interaction;
  /** The rights that count fall short of every resource of the types asked for: absent and hidden must look alike (A9). */
  readonly bound: boolean;
  readonly narrowing?: Narrowing;
  readonly because: Reasons;
}

/** What every interaction needs on its base type (SMART 2.2, scopes for requesting FHIR resources). */
export function lettersNeeded({ code, condition }: Pick<Interaction, "code" | "condition">): readonly ScopeLetter[] {
  // A condition runs a search, and tells by its outcome what it found.
  const conditional: readonly ScopeLetter[] = condition === undefined ? [] : ["s"];
  switch (code) {
    case "read":
    case "vread":
    case "history-instance":
      return ["r"];
    case "search-type":
    case "search-system":
    case "history-type":
    case "history-system":
      return ["s"];
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
