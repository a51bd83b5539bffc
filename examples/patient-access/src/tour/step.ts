import type { Servers } from "../servers.ts";
import type { Tokens } from "../smart-app.ts";
import { type Answered, type Ask, type Json, reasonsOf, resourcesOf } from "./requests.ts";

/** One stop of the tour: it asks something, checks that the answer is the one promised, and says what happened. */
export interface Step {
  readonly title: string;
  readonly run: (stage: Stage) => Promise<Told>;
}

/** What a step can use. */
export interface Stage {
  /** Asks the gateway. */
  readonly ask: Ask;
  /** Asks the FHIR server behind it, without a token. */
  readonly askBackend: (path: string) => Promise<Json>;
  readonly servers: Servers;
  readonly auditFolder: string;
  /** Ids of every request the gateway has answered in this run. */
  readonly requestIds: () => readonly string[];
  /** Id of the patient who signed in to the patient app and to the busy app. */
  readonly patient: string;
  readonly tokens: { readonly patient: Tokens; readonly busy: Tokens; readonly system: Tokens };
}

export interface Told {
  readonly asked: string;
  /** `permit` and `deny` are the gateway's; `check` is a check of the tour's own. */
  readonly decided: "permit" | "deny" | "check";
  readonly status?: number;
  readonly answer: string;
  readonly because: string;
  /** What the audit record says of it, in the controls' own words. */
  readonly recorded?: string;
}

/** Thrown by a step when what happened is not what the tour says. */
export class NotAsTold extends Error {}

export function expectThat(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new NotAsTold(promise);
}

/** What the gateway did with one request; `because` in a sentence, beside what it recorded. */
export function told(asked: string, { status, record }: Answered, answer: string, because: string): Told {
  return { asked, decided: record.outcome, status, answer, because, recorded: reasonsOf(record) };
}

/** Whose records these are: ids, without repeats. */
export function subjectsOf(bundle: Json): readonly string[] {
  const references = resourcesOf(bundle).map(({ subject }) => subject?.reference ?? "nobody");
  return [...new Set(references)];
}
