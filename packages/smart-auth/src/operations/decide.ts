import { type Decision, deny, permit, type ScopeLetter } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Access } from "../access.ts";
import { isTakenOut } from "../narrow.ts";
import { SEARCH_REFUSED } from "../problems.ts";
import { isFhirResource, objectsOf } from "../resource.ts";
import type { OperationFacts } from "./facts.ts";
import { decideSubmission } from "./submission.ts";

/**
 * Decides a registered operation (A7): without bound on its type, on the caller's own Patient, or with a submission that
 * is about one of the caller's patients. Its parameters may not reach data the caller may not read. Whatever it answers
 * is judged. Where the policy names a right for members, nobody does without it.
 *
 * @see https://hl7.org/fhir/R4/operations.html
 */
export async function decideOperation(facts: OperationFacts): Promise<Decision<Access>> {
  const { interaction, body, rights, memberOperations } = facts;
  const { type = "*", id, operation } = interaction;
  const letter = operation?.level === "type" ? memberOperations.get(operation.name) : undefined;
  const needed: readonly ScopeLetter[] = letter === undefined ? ["r", "s"] : ["r", "s", letter];
  const bound = !needed.every((one) => rights.reachesAll(type, one));
  if (bound && letter !== undefined) return decideSubmission(facts, letter);
  const isOwnPatient = operation?.level === "instance" && type === "Patient" && id !== undefined;
  if (bound && !isOwnPatient) return deny(SEARCH_REFUSED, ["an operation beyond the caller's own patient"]);
  if (bound && shapesAnswer(body)) return deny(SEARCH_REFUSED, ["a body that asks for parts of resources"]);
  const far = interaction.touches.some(
    ({ type: touched, via }) => via !== "base" && via !== "operation" && !rights.isOpen(touched),
  );
  if (far) return deny(SEARCH_REFUSED, ["an operation's parameters reach data that may be hidden"]);
  return permit({ interaction, bound, because: ["operation registered"] }, ["operation registered"]);
}

/** A12: what is taken out of a URL. Without its codes and labels nobody could tell of which category a resource is. */
function shapesAnswer(body: Json | undefined): boolean {
  const given = isFhirResource(body) && body.resourceType === "Parameters" ? objectsOf(body["parameter"]) : [];
  return given?.some(({ name }) => typeof name === "string" && isTakenOut(name)) ?? true;
}
