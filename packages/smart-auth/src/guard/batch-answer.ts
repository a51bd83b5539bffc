import { STATUS_CODES } from "node:http";
import type { Decision, Interaction, Problem } from "@wardline/policy-types";
import {
  type AnswerFacts,
  type BodyTransform,
  type BodyVerdict,
  type Json,
  KEEP,
  renderOperationOutcome,
} from "@wardline/policy-types/express";
import type { Access } from "../access.ts";
import type { BundleAccess } from "../batch.ts";
import { ANSWER_NOT_FHIR, ANSWER_OPAQUE, NOT_FOUND } from "../problems.ts";
import { isFhirResource, isObject, type JsonObject, objectsOf } from "../resource.ts";
import { createGuard, type OnRefusal } from "./answer.ts";
import { publicResponse } from "./entry.ts";
import type { GuardFacts } from "./facts.ts";
import { NO_ADDRESSES } from "./locations.ts";
import { bareOutcome } from "./outcome.ts";

/** How the answer of one permitted entry is judged, and who hears what comes of it. */
export interface EntryJudging {
  readonly facts: GuardFacts;
  readonly onRefusal: OnRefusal;
  /** Told what leaves in the entry's `response`. */
  readonly onAnswer: (status: number, location: Json | undefined) => void;
}

/** @param at the entry's place in the batch */
export type JudgeEntry = (access: Access, at: number) => EntryJudging;

/**
 * Judges the answer to a batch or transaction: each entry by the decision on its own request, refused entries put back
 * where they were asked. An answer that does not match what was forwarded is refused whole, since nobody could say which
 * entry is which.
 */
export function createBatchGuard(access: BundleAccess, judging: JudgeEntry, onRefusal: OnRefusal): BodyTransform {
  const refuse = (problem: Problem, because: string): BodyVerdict => {
    onRefusal(problem, because);
    return { kind: "refuse", problem };
  };
  return {
    name: "smart-auth/batch-guard",
    stage: "guard",
    json(body, { status }) {
      if (isFhirResource(body) && body.resourceType === "OperationOutcome" && status >= 400) {
        return { kind: "replace", body: bareOutcome(body) };
      }
      const entries = isAnswerTo(access, body) ? objectsOf(body["entry"]) : undefined;
      const permitted = access.entries.flatMap((decision, at) =>
        decision.kind === "permit" ? [{ grant: decision.grant, at }] : [],
      );
      if (entries?.length !== permitted.length) return refuse(ANSWER_NOT_FHIR, "the answer is not the batch's");
      const judged = permitted.map(({ grant, at }, place) => judgeEntry(entries[place] ?? {}, judging(grant, at)));
      return { kind: "replace", body: batchAnswer(access, judged) };
    },
    opaque: () => refuse(ANSWER_OPAQUE, "the answer is not JSON"),
    headers: () => NO_ADDRESSES,
  };
}

/** RFC 9110 section 9.3.2: HEAD has no body. Taken out when every judge has seen it, or it would tell of what they withhold (A9). */
export function withoutHeadBodies({ entries }: Interaction): BodyTransform | undefined {
  if (!entries.some(({ method }) => method === "HEAD")) return undefined;
  return {
    name: "smart-auth/head-entries",
    stage: "rewrite",
    json(body) {
      const answered = isObject(body) ? objectsOf(body["entry"]) : undefined;
      if (!isObject(body) || answered?.length !== entries.length) return KEEP;
      const entry = answered.map((one, at) => (entries[at]?.method === "HEAD" ? withoutResource(one) : one));
      return { kind: "replace", body: { ...body, entry } };
    },
  };
}

function withoutResource(entry: JsonObject): JsonObject {
  const { resource: _, ...rest } = entry;
  return rest;
}

/** The answer to a batch, given the judged answers of its permitted entries. */
export function batchAnswer({ entries, interaction }: BundleAccess, judged: readonly JsonObject[]): JsonObject {
  const left = [...judged];
  const all = entries.map((decision: Decision<Access>) =>
    decision.kind === "deny" ? refusedEntry(decision.problem) : (left.shift() ?? refusedEntry(NOT_FOUND)),
  );
  return {
    resourceType: "Bundle",
    type: `${interaction.code}-response`,
    ...(all.length === 0 ? {} : { entry: all }),
  };
}

function isAnswerTo({ interaction }: BundleAccess, body: Json): body is JsonObject {
  return isFhirResource(body) && body.resourceType === "Bundle" && body["type"] === `${interaction.code}-response`;
}

function judgeEntry(entry: JsonObject, { facts, onRefusal, onAnswer }: EntryJudging): JsonObject {
  const { resource } = entry;
  const response = isObject(entry["response"]) ? entry["response"] : {};
  const answer: AnswerFacts = {
    status: statusOf(response),
    mediaType: "application/fhir+json",
    unit: "body",
    headers: {},
  };
  const guard = createGuard(facts, onRefusal);
  const verdict = resource === undefined ? guard.empty(answer) : guard.json(resource, answer);
  if (verdict.kind === "refuse") {
    onAnswer(verdict.problem.status, undefined);
    return refusedEntry(verdict.problem);
  }
  const left = verdict.kind === "replace" ? verdict.body : verdict.kind === "drop" ? undefined : resource;
  const shown = publicResponse(response, left, facts);
  onAnswer(answer.status, shown["location"]);
  return { ...(left === undefined ? {} : { resource: left }), response: shown };
}

/** R4: "the status code SHALL start with a 3 digit HTTP code". */
function statusOf({ status }: JsonObject): number {
  return typeof status === "string" && /^[1-5]\d\d/.test(status) ? Number(status.slice(0, 3)) : 500;
}

function refusedEntry(problem: Problem): JsonObject {
  return {
    response: {
      status: `${problem.status} ${STATUS_CODES[problem.status] ?? ""}`.trim(),
      outcome: renderOperationOutcome(problem) as JsonObject,
    },
  };
}
