import type { Problem } from "@wardline/policy-types";
import {
  type AnswerFacts,
  type BodyTransform,
  type BodyVerdict,
  type Json,
  KEEP,
} from "@wardline/policy-types/express";
import { type JudgedBinary, lettersNeeded } from "../access.ts";
import { ANSWER_NOT_FHIR, ANSWER_OPAQUE, NOT_FOUND } from "../problems.ts";
import { type FhirResource, isFhirResource, isObject } from "../resource.ts";
import { patientsInside } from "../written.ts";
import { AnswerUnreadable, type GuardFacts, type Need } from "./facts.ts";
import { NO_ADDRESSES, publicLocation, type SaidHeaders } from "./locations.ts";
import { judgeContainer, judgeResource } from "./resource.ts";

/** Told when the guard refuses an answer that the decision had let the handler give. */
export type OnRefusal = (problem: Problem, because: string) => void;

/**
 * The guarantee: judges every resource of the answer of one interaction, whatever the handler did with the request. What
 * is not covered does not leave; a single resource that is not covered looks like one that does not exist (A9).
 */
export function createGuard(facts: GuardFacts, onRefusal: OnRefusal): Guard {
  return new Guard(facts, onRefusal);
}

/** A class, because each request has one: the functions are the same for all of them. */
export class Guard implements BodyTransform {
  readonly name = "smart-auth/guard";
  readonly stage = "guard";
  readonly #facts: GuardFacts;
  readonly #onRefusal: OnRefusal;

  constructor(facts: GuardFacts, onRefusal: OnRefusal) {
    this.#facts = facts;
    this.#onRefusal = onRefusal;
  }

  json(body: Json, answer: AnswerFacts): BodyVerdict {
    try {
      const verdict = judgeJson(body, answer, this.#facts);
      return verdict ?? this.#refuse(NOT_FOUND, "the resource of the answer is absent or not covered");
    } catch (error) {
      if (!(error instanceof AnswerUnreadable)) throw error;
      return this.#refuse(ANSWER_NOT_FHIR, error.message);
    }
  }

  opaque(answer: AnswerFacts): BodyVerdict {
    const facts = this.#facts;
    if (isMissing(answer, facts)) return this.#refuse(NOT_FOUND, "the resource is absent");
    if (isUnboundBinary(facts)) return KEEP;
    const { binary } = facts.access;
    if (binary !== undefined && isAsJudged(answer, binary)) {
      facts.onPatients(binary.patients);
      return KEEP;
    }
    return this.#refuse(ANSWER_OPAQUE, "the answer is not JSON");
  }

  empty(answer: AnswerFacts): BodyVerdict {
    const facts = this.#facts;
    if (isMissing(answer, facts)) return this.#refuse(NOT_FOUND, "the resource is absent");
    return isUnshown(answer, facts) ? this.#refuse(NOT_FOUND, "a resource that is not shown cannot be judged") : KEEP;
  }

  headers(answer: AnswerFacts): SaidHeaders {
    return publicHeaders(answer, this.#facts);
  }

  #refuse(problem: Problem, because: string): BodyVerdict {
    this.#onRefusal(problem, because);
    return { kind: "refuse", problem };
  }
}

/** `undefined`: refused as not found. */
function judgeJson(body: Json, answer: AnswerFacts, facts: GuardFacts): BodyVerdict | undefined {
  if (!isFhirResource(body)) throw new AnswerUnreadable("the answer is no FHIR resource");
  if (isMissing(answer, facts)) return undefined;
  const { code } = facts.interaction;
  const judged = judgeTop(body, facts);
  if (judged === body) return KEEP;
  if (judged !== undefined) return { kind: "replace", body: judged };
  // A15: what an unbound caller may not read back tells whose record was written; a bound one's was judged before.
  if (WRITES.has(code) && !facts.bound) facts.onPatients(patientsInside(body, facts.rights.references), "written");
  // SMART 2.2: the right to write is no right to read back; the answer is then as with `Prefer: return=minimal`.
  return answer.unit === "line" || WRITES.has(code) ? { kind: "drop" } : undefined;
}

function judgeTop(body: FhirResource, facts: GuardFacts): Json | undefined {
  const { code } = facts.interaction;
  const { resourceType } = body;
  const isContainer = resourceType === "Bundle" || resourceType === "Parameters";
  if (code === "operation" && isContainer) return judgeContainer(body, needOf(facts), facts);
  if (SEARCHES.has(code) && resourceType === "Bundle") {
    const judged = judgeContainer(body, needOf(facts), facts);
    // The history of another's record is as absent as the record.
    const isHidden = code === "history-instance" && facts.bound && judged["entry"] === undefined;
    return isHidden ? undefined : judged;
  }
  if (code === "capabilities" && CAPABILITIES.has(resourceType)) return body;
  const { binary } = facts.access;
  if (resourceType === "Binary" && binary !== undefined) return judgeBinary(body, binary, facts);
  return judgeResource(body, needOf(facts), facts);
}

function needOf({ interaction, access }: GuardFacts): Need {
  if (WRITES.has(interaction.code) || access.submission === true) return READ;
  return interaction.code === "operation" ? READ_AND_SEARCH : { any: lettersNeeded(interaction) };
}

const READ: Need = Object.freeze({ any: ["r"] as const });
const READ_AND_SEARCH: Need = Object.freeze({ all: ["r", "s"] as const });
const WRITES: ReadonlySet<string> = new Set(["create", "update", "patch", "delete"]);
const READS_ONE: ReadonlySet<string> = new Set(["read", "vread", "history-instance"]);
const SEARCHES: ReadonlySet<string> = new Set([
  "search-type",
  "search-system",
  "history-instance",
  "history-type",
  "history-system",
]);
const CAPABILITIES: ReadonlySet<string> = new Set(["CapabilityStatement", "TerminologyCapabilities"]);

/** A9: one look for "never existed", "was deleted" and "not yours". */
function isMissing({ status }: AnswerFacts, { bound, interaction }: GuardFacts): boolean {
  return bound && interaction.id !== undefined && (status === 404 || status === 410);
}

/** A9: that there is such a resource is told as well, and nobody can see whose it is. */
function isUnshown({ status }: AnswerFacts, { bound, interaction }: GuardFacts): boolean {
  return bound && interaction.id !== undefined && READS_ONE.has(interaction.code) && status < 400;
}

/** A13: bytes can only be judged through what refers to them, so they need a right to every Binary. */
function isUnboundBinary({ interaction, rights }: GuardFacts): boolean {
  const reads = interaction.code === "read" || interaction.code === "vread";
  return reads && interaction.type === "Binary" && rights.reachesAll("Binary", "r");
}

/** A13: it was judged before it was asked for; should the server say what it is bound to, it must be the same. */
function isAsJudged({ status, headers }: AnswerFacts, { securityContext }: JudgedBinary): boolean {
  return status === 200 && (headers["x-security-context"] ?? securityContext) === securityContext;
}

function judgeBinary(
  body: FhirResource,
  { patients, securityContext }: JudgedBinary,
  { interaction, onPatients }: GuardFacts,
): Json | undefined {
  const context = body["securityContext"];
  const stated = isObject(context) ? context["reference"] : context;
  if (body["id"] !== interaction.id || stated !== securityContext) return undefined;
  onPatients(patients);
  return body;
}

function publicHeaders({ headers }: AnswerFacts, facts: GuardFacts): SaidHeaders {
  const { location, "content-location": contentLocation } = headers;
  if (location === undefined && contentLocation === undefined) return NO_ADDRESSES;
  const shown = (value: string | undefined) =>
    value === undefined ? undefined : publicLocation(value, facts.interaction, facts);
  return { ...NO_ADDRESSES, Location: shown(location), "Content-Location": shown(contentLocation) };
}
