import type { IncomingMessage } from "node:http";
import type { Problem } from "@wardline/policy-types";
import {
  type AnswerFacts,
  type BodyTransform,
  type BodyVerdict,
  contextOf,
  type Json,
  KEEP,
  recordDecision,
  type TransformStage,
} from "@wardline/policy-types/express";
import type { ConsentView } from "./categories/rules.ts";
import { hidesResources, type Lens, mayCarryNotice, redactBody } from "./decide.ts";
import { isManifest } from "./manifest.ts";
import type { ParsedOptions } from "./options.ts";
import { ANSWER_UNJUDGEABLE, ERROR_WITHHELD, NOT_AVAILABLE } from "./problems.ts";
import type { JsonObject } from "./values.ts";
import { UnjudgeableError } from "./walk/context.ts";

export const CONTROL = "phi-redact";

/** Applies to one answer what was settled for its caller before the handler ran. */
export class AnswerRedaction implements BodyTransform {
  readonly name: string = CONTROL;
  readonly stage: TransformStage = "redact";
  readonly #req: IncomingMessage;
  readonly #lens: Lens;
  readonly #consent: ConsentView | undefined;
  readonly #settings: ParsedOptions;
  #isNoticed = false;

  constructor(req: IncomingMessage, lens: Lens, consent: ConsentView | undefined, settings: ParsedOptions) {
    this.#req = req;
    this.#lens = lens;
    this.#consent = consent;
    this.#settings = settings;
  }

  json(body: Json, { status, unit }: AnswerFacts): BodyVerdict {
    if (this.#tellsAbsence(status)) return this.#notAvailable(ABSENT);
    try {
      if (isManifest(body, contextOf(this.#req).interaction)) return KEEP;
      const after = redactBody(body, this.#lens, this.#consent, this.#settings, () => {
        this.#isNoticed = true;
      });
      if (after === body) return KEEP;
      if (after !== undefined && !this.#isEmptied(after)) return { kind: "replace", body: after };
      return unit === "line" ? { kind: "drop" } : this.#notAvailable("nothing of the answer may leave");
    } catch (error) {
      if (status >= 400 && error instanceof UnjudgeableError) return this.#withholdError(status);
      return this.#withhold(ANSWER_UNJUDGEABLE, "S12: the answer cannot be judged");
    }
  }

  empty({ status }: AnswerFacts): BodyVerdict {
    return this.#tellsAbsence(status) ? this.#notAvailable(ABSENT) : KEEP;
  }

  opaque({ status }: AnswerFacts): BodyVerdict {
    if (this.#tellsAbsence(status)) return this.#notAvailable(ABSENT);
    if (status >= 400) return this.#withholdError(status);
    return this.#withhold(ANSWER_UNJUDGEABLE, "S12: the answer is not JSON");
  }

  headers({ unit }: AnswerFacts): Readonly<Record<string, string | undefined>> | undefined {
    const { intermediary } = this.#settings;
    // The head of a stream leaves before anybody has seen what is in it.
    const notices = this.#isNoticed || (unit === "line" && mayCarryNotice(this.#lens));
    const replacesIds = changesIds(this.#lens);
    const hidesDate = changesLastUpdated(this.#lens);
    if (!notices && !replacesIds && !hidesDate && intermediary === undefined) return undefined;
    return {
      ...(notices ? { [NOTICE_HEADER]: PART_2_NOTICE } : {}),
      ...(intermediary === undefined ? {} : { "X-Intermediary": intermediary }),
      ...(replacesIds ? { Location: undefined, "Content-Location": undefined } : {}),
      ...(hidesDate ? { "Last-Modified": undefined } : {}),
    };
  }

  /** In the words of whoever said so of absent ones before; the record has ours. */
  #notAvailable(because: string): BodyVerdict {
    const verdict = this.#withhold(NOT_AVAILABLE, because);
    const { absent } = contextOf(this.#req);
    return absent === undefined ? verdict : { kind: "refuse", problem: absent };
  }

  /** A9: of one resource, where others like it are withheld. */
  #tellsAbsence(status: number): boolean {
    const isGone = status === 404 || status === 410;
    return isGone && contextOf(this.#req).interaction?.id !== undefined && hidesResources(this.#lens);
  }

  /** A9: the history of a withheld record is as absent as the record. */
  #isEmptied({ entry }: JsonObject): boolean {
    const isHistory = contextOf(this.#req).interaction?.code === "history-instance";
    return isHistory && entry === undefined && hidesResources(this.#lens);
  }

  #withholdError(status: number): BodyVerdict {
    return this.#withhold({ ...ERROR_WITHHELD, status }, "an error that is no OperationOutcome");
  }

  #withhold(problem: Problem, because: string): BodyVerdict {
    recordDecision(this.#req, { control: CONTROL, kind: "deny", because: [because], code: problem.code });
    return { kind: "refuse", problem };
  }
}

const ABSENT = "A9: the resource is absent, and looks as what is withheld does";

/** No standard names a header for it. @see 42 CFR 2.32(b) */
const NOTICE_HEADER = "X-Part2-Notice";
const PART_2_NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

/** Their URLs would tell the id that the body does not. */
function changesIds({ choice: { machine } }: Lens): boolean {
  const state = machine.root("Basic");
  return state !== undefined && state !== "drop" && machine.step(state, "id")?.kind !== "keep";
}

/** The header would tell the date that the body does not (R4 http.html, "read"). */
function changesLastUpdated({ choice: { machine } }: Lens): boolean {
  const state = machine.root("Basic");
  const meta = state === undefined || state === "drop" ? undefined : machine.step(state, "meta");
  if (meta?.kind !== "walk") return meta !== undefined && meta.kind !== "keep";
  return machine.step(meta.state, "lastUpdated")?.kind !== "keep";
}
