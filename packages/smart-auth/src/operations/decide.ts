import { type Decision, deny, permit, type ScopeLetter } from "@wardline/policy-types";
import type { Access } from "../access.ts";
import { SEARCH_REFUSED } from "../problems.ts";
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
  const { interaction, rights, memberOperations } = facts;
  const { type = "*", id, operation } = interaction;
  const letter = operation?.level === "type" ? memberOperations.get(operation.name) : undefined;
  const needed: readonly ScopeLetter[] = letter === undefined ? ["r", "s"] : ["r", "s", letter];
  const bound = !needed.every((one) => rights.reachesAll(type, one));
  if (bound && letter !== undefined) return decideSubmission(facts, letter);
  const isOwnPatient = operation?.level === "instance" && type === "Patient" && id !== undefined;
  if (bound && !isOwnPatient) return deny(SEARCH_REFUSED, ["an operation beyond the caller's own patient"]);
  const far = interaction.touches.some(
    ({ type: touched, via }) => via !== "base" && via !== "operation" && !rights.isOpen(touched),
  );
  if (far) return deny(SEARCH_REFUSED, ["an operation's parameters reach data that may be hidden"]);
  return permit({ interaction, bound, because: ["operation registered"] }, ["operation registered"]);
}
