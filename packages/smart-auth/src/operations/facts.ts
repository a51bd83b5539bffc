import type { Interaction, Problem, ScopeLetter } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Rights } from "../rights.ts";
import type { Store } from "../stored.ts";

/** What an operation is judged with. */
export interface OperationFacts {
  readonly interaction: Interaction;
  readonly body?: Json | undefined;
  readonly rights: Rights;
  readonly store: Store;
  /** What members may ask for at type level, and by which right on what they submit. */
  readonly memberOperations: ReadonlyMap<string, ScopeLetter>;
  /** The refusal when that right is missing. */
  readonly scopeInsufficient: (type: string, letter: ScopeLetter) => Problem;
}
