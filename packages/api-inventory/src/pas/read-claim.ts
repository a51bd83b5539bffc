import type { Json } from "@wardline/policy-types/express";
import type { PriorAuthDecision } from "../cms/journal-entry.ts";

type JsonObject = { readonly [name: string]: Json };

/** What is kept of a submitted Claim: how it is known, how urgent it is, what it asks for. */
export interface ClaimFacts {
  /** Identifiers, in clear: they are hashed before they leave the request. */
  readonly keys: readonly string[];
  readonly expedited: boolean;
  readonly appeal: boolean;
  /** False where nothing is to be decided: it takes a request back, or only tells the payer. */
  readonly isRequest: boolean;
}

/** What is kept of a ClaimResponse. */
export interface ClaimAnswerFacts {
  readonly keys: readonly string[];
  readonly decision: PriorAuthDecision;
  /** `ClaimResponse.created`, where it is an instant. */
  readonly createdAt?: number;
}

/**
 * Reads the Claim of a `Claim/$submit`, alone, in a Bundle or in Parameters. Undefined when there is none that asks for a
 * prior authorisation.
 *
 * @see https://hl7.org/fhir/us/davinci-pas/STU2.1/StructureDefinition-profile-claim.html
 */
export function readClaim(body: Json | undefined): ClaimFacts | undefined {
  const claim = resourcesOf(body, "Claim").find((one) => one["use"] === "preauthorization");
  if (claim === undefined) return undefined;
  const types = list(claim["item"]).flatMap((item) => codesOf(item["extension"], X12_CERTIFICATION_TYPE));
  const appeal = types.some((code) => APPEALS.includes(code));
  const continues = types.some((code) => [...APPEALS, ...CONTINUATIONS].includes(code));
  const prior = continues ? list(claim["related"]).flatMap((related) => requestKeys(related["claim"])) : [];
  return {
    keys: [...identifierKeys("claim", claim["identifier"]), ...prior],
    expedited: isExpedited(claim),
    appeal,
    isRequest: types.length === 0 || !types.every((code) => NO_REQUESTS.includes(code)),
  };
}

/** Reads every answer to a prior-authorisation request in a body: alone, in a Bundle or in Parameters. */
export function readClaimAnswers(
  body: Json | undefined,
): readonly (ClaimAnswerFacts & { readonly source: JsonObject })[] {
  return resourcesOf(body, "ClaimResponse")
    .filter((one) => one["use"] === "preauthorization")
    .map((one) => ({ keys: answerKeys(one), decision: decisionOf(one), ...createdOf(one), source: one }));
}

/** X12 UM02: immediate appeal, standard appeal, reconsideration. */
const APPEALS = ["1", "2", "N"];
/** X12 UM02: cancel, revised. Of the case they change; an extension (4) or renewal (R) is decided anew. */
const CONTINUATIONS = ["3", "S"];
/** X12 UM02: cancel, notification, verification. */
const NO_REQUESTS = ["3", "5", "6"];
const X12_CERTIFICATION_TYPE = "/005010/1322";
/** X12 UM06: emergency, urgent. */
const X12_LEVEL_OF_SERVICE = "/005010/1338";
const URGENT = ["03", "U"];
/** X12 HCR01. */
const X12_REVIEW_ACTION = "/005010/306";

/** 42 CFR 422.568(b)(1), 422.572(a): the provider says that the standard time frame could harm the patient. */
function isExpedited(claim: JsonObject): boolean {
  const priority = list(object(claim["priority"])?.["coding"]).map((coding) => coding["code"]);
  return (
    priority.includes("stat") || codesOf(claim["extension"], X12_LEVEL_OF_SERVICE).some((code) => URGENT.includes(code))
  );
}

/**
 * From the review actions of the items; without any, from `outcome` and `preAuthRef`. Partly certified or modified counts as partial.
 *
 * @see https://hl7.org/fhir/us/davinci-pas/STU2.1/StructureDefinition-extension-reviewAction.html
 */
function decisionOf(answer: JsonObject): PriorAuthDecision {
  const { outcome, preAuthRef } = answer;
  if (outcome === "error") return "error";
  const lines = [...list(answer["item"]), ...list(answer["addItem"])];
  const adjudications = [...lines, answer].flatMap((line) => [
    ...codesOf(line["extension"], X12_REVIEW_ACTION),
    ...list(line["adjudication"]).flatMap((one) => codesOf(one["extension"], X12_REVIEW_ACTION)),
  ]);
  const actions = new Set(adjudications.map((code) => ACTIONS[code] ?? "pended"));
  if (actions.size === 0) return outcome === "complete" && typeof preAuthRef === "string" ? "approved" : "pended";
  if (actions.has("pended")) return "pended";
  if (actions.size > 1) actions.delete("cancelled");
  return actions.size === 1 ? ([...actions][0] ?? "pended") : "partial";
}

const ACTIONS: Readonly<Record<string, PriorAuthDecision>> = Object.freeze({
  A1: "approved",
  A2: "partial",
  A3: "denied",
  A4: "pended",
  A6: "partial",
  C: "cancelled",
  CT: "pended",
  NA: "approved",
});

function answerKeys(answer: JsonObject): string[] {
  const { preAuthRef, id } = answer;
  return [
    ...identifierKeys("response", answer["identifier"]),
    ...requestKeys(answer["request"]),
    ...(typeof preAuthRef === "string" ? [`authorization|${preAuthRef}`] : []),
    ...(typeof id === "string" ? [`ClaimResponse/${id}`] : []),
  ];
}

/** A reference to a Claim: by identifier, or by a path that names one. */
function requestKeys(reference: Json | undefined): string[] {
  const { identifier, reference: text } = object(reference) ?? {};
  const named = typeof text === "string" ? /(?:^|\/)(Claim\/[A-Za-z0-9\-.]{1,64})$/.exec(text)?.[1] : undefined;
  return [...identifierKeys("claim", identifier), ...(named === undefined ? [] : [named])];
}

function identifierKeys(kind: string, identifiers: Json | undefined): string[] {
  const many = Array.isArray(identifiers) ? list(identifiers) : list([identifiers ?? null]);
  return many.flatMap(({ system, value }) =>
    typeof value === "string" ? [`${kind}|${typeof system === "string" ? system : ""}|${value}`] : [],
  );
}

function createdOf({ created }: JsonObject): { readonly createdAt?: number } {
  if (typeof created !== "string" || !/T[\d:.]{1,32}(?:Z|[+-]\d\d:\d\d)$/.test(created)) return {};
  const at = Date.parse(created);
  return Number.isNaN(at) ? {} : { createdAt: at };
}

/** Codes of a code system anywhere in a list of extensions, at most two levels deep, as PAS writes them. */
function codesOf(extensions: Json | undefined, system: string): string[] {
  return list(extensions).flatMap((extension) => [
    ...codings(extension, system),
    ...list(extension["extension"]).flatMap((inner) => codings(inner, system)),
  ]);
}

function codings(extension: JsonObject, system: string): string[] {
  const coded = [
    ...list(object(extension["valueCodeableConcept"])?.["coding"]),
    ...list([extension["valueCoding"] ?? null]),
  ];
  return coded.flatMap((coding) => {
    const { system: own, code } = coding;
    return typeof own === "string" && own.endsWith(system) && typeof code === "string" ? [code] : [];
  });
}

/** The resources of a type that a body consists of: itself, entries of a Bundle, parts of Parameters. */
function resourcesOf(body: Json | undefined, type: string): JsonObject[] {
  const outer = object(body);
  if (outer === undefined) return [];
  const { resourceType } = outer;
  if (resourceType === type) return [outer];
  const parts =
    resourceType === "Bundle" ? list(outer["entry"]) : resourceType === "Parameters" ? list(outer["parameter"]) : [];
  return parts.flatMap((part) => {
    const resource = object(part["resource"]);
    if (resource?.["resourceType"] === "Bundle" && resourceType === "Parameters")
      return resourcesOf(resource as Json, type);
    return resource?.["resourceType"] === type ? [resource] : [];
  });
}

function list(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? (value as Json[]).map(object).filter((one) => one !== undefined) : [];
}

function object(value: Json | undefined): JsonObject | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
}
