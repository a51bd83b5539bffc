import { inCompartment, parseInteraction } from "@wardline/fhir-r4";
import { type Decision, deny, permit, type ScopeLetter } from "@wardline/policy-types";
import type { Access } from "../access.ts";
import { newBinariesFault } from "../binary/decide.ts";
import { coversWithContained } from "../guard/contained.ts";
import { BUNDLE_TOO_LONG, RESOURCE_NOT_COVERED, SEARCH_REFUSED } from "../problems.ts";
import { type FhirResource, isFhirResource } from "../resource.ts";
import { isMemberType, type Rights } from "../rights.ts";
import { coverageFault } from "./coverage.ts";
import { elsewhereFault } from "./elsewhere.ts";
import type { OperationFacts } from "./facts.ts";
import { partsOf } from "./parts.ts";
import { resolve } from "./resolve.ts";

const PART_LIMIT = 100;
/** Parameters of the URL that say nothing about data. */
const HARMLESS: ReadonlySet<string> = new Set(["_format", "_pretty"]);

/**
 * Decides an operation with bound rights by what is submitted to it (Da Vinci PAS `Claim/$submit` and `$inquire`): every
 * resource of the operation's type must be covered, and the whole submission be about that one patient, as must be
 * whatever it refers to. What cannot be decided is refused (A7, A11).
 *
 * Does NOT know what the operation does with it; its answer is judged as if it were read.
 *
 * @see https://hl7.org/fhir/us/davinci-pas/
 */
export async function decideSubmission(facts: OperationFacts, letter: ScopeLetter): Promise<Decision<Access>> {
  const { interaction, body, rights } = facts;
  const { type = "*", search } = interaction;
  if (!rights.reaches(type, [letter])) {
    return deny(facts.scopeInsufficient(type, letter), ["no scope covers the operation"]);
  }
  if (body === undefined || search?.pairs.some(([name]) => !HARMLESS.has(name)) === true) {
    return deny(SEARCH_REFUSED, ["an operation by parameters, which cannot be judged"]);
  }
  const inline = parseInteraction({ method: "POST", path: `/${type}`, body }).touches;
  if (inline.some(({ via }) => via !== "base")) return deny(SEARCH_REFUSED, ["a match URL in a submission"]);
  const parts = isFhirResource(body) ? partsOf(body) : undefined;
  if (parts === undefined) return deny(RESOURCE_NOT_COVERED, ["the submission holds more than resources"]);
  if (parts.length > PART_LIMIT) return deny(BUNDLE_TOO_LONG, ["more than 100 resources submitted"]);
  const resolved = resolve(parts);
  const patient = resolved === undefined ? undefined : whoseOf(resolved.resources, { type, letter, rights });
  if (resolved === undefined || patient === undefined) {
    return deny(RESOURCE_NOT_COVERED, ["the submission is not about one patient of the caller's"]);
  }
  const fault =
    (await elsewhereFault(resolved, patient, facts)) ??
    (await coverageFault(resolved.resources, patient, facts)) ??
    (await newBinariesFault(facts, body, undefined));
  if (fault !== undefined) return fault;
  const because = ["operation judged by what is submitted"];
  return permit({ interaction, bound: true, submission: true, patients: [patient], because }, because);
}

interface Wanted {
  readonly type: string;
  readonly letter: ScopeLetter;
  readonly rights: Rights;
}

/** The one patient that everything is about; `undefined` when there is none, or more than one. */
function whoseOf(resources: readonly FhirResource[], { type, letter, rights }: Wanted): string | undefined {
  const asked = resources.filter(({ resourceType }) => resourceType === type);
  const isAbout = (resource: FhirResource, id: string) =>
    inCompartment(resource, { type: "Patient", id }, "subject", rights.references);
  const [first] = asked;
  if (first === undefined || !asked.every((one) => coversWithContained(rights, one, [letter]))) return undefined;
  const patients = rights.clausesFor(type, letter).flatMap(({ compartment }) => compartment?.id ?? []);
  const patient = patients.find((id) => isAbout(first, id));
  if (patient === undefined) return undefined;
  const isWhole = resources.every((one) => !isMemberType(one.resourceType, "full") || isAbout(one, patient));
  return isWhole ? patient : undefined;
}
