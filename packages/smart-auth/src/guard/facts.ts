import type { ScopeLetter } from "@wardline/policy-types";
import type { Access } from "../access.ts";
import type { Rights } from "../rights.ts";
import type { LinkFacts } from "./locations.ts";

/** What an answer is judged with. */
export interface GuardFacts extends LinkFacts {
  readonly access: Access;
  readonly bound: boolean;
  readonly rights: Rights;
  /** Told of every patient whose data leave, for the audit: bare ids. `written`: of whose data nothing is sent. */
  readonly onPatients: (ids: readonly string[], what?: "written") => void;
}

/** How the resources of a Bundle must be covered: by one of the letters, or (an operation's answer) by each. */
export type Need = { readonly any: readonly ScopeLetter[] } | { readonly all: readonly ScopeLetter[] };

/** The answer is not what it should be and cannot be judged; nothing of it is sent. */
export class AnswerUnreadable extends Error {}
