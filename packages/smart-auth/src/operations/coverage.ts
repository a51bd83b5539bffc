import { inCompartment } from "@wardline/fhir-r4";
import { type Decision, deny } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { RESOURCE_NOT_COVERED, STORED_UNKNOWN } from "../problems.ts";
import { type FhirResource, isFhirResource, isObject, type JsonObject, objectsOf } from "../resource.ts";
import { askStore } from "../stored.ts";
import type { ElsewhereFacts } from "./elsewhere.ts";
import { isIdentifierOf } from "./identity.ts";

/** Policies of one person. */
const MOST_COVERAGES = 100;

/**
 * What speaks against the numbers by which a submission names a Coverage. Payers find their members by them: the own Claim
 * under another's number would be the other's Claim (A11). What is named must be one of the patient's, as the store knows
 * it; whatever says no number is judged by whose it is.
 *
 * @see https://hl7.org/fhir/R4/coverage.html
 */
export async function coverageFault(
  resources: readonly FhirResource[],
  patient: string,
  { rights, store: { search } }: ElsewhereFacts,
): Promise<Decision<never> | undefined> {
  const named = resources.flatMap((resource) => namedIn(resource));
  if (named.length === 0) return undefined;
  if (search === undefined) return deny(STORED_UNKNOWN, ["no way to judge the number of a Coverage"]);
  const query = `beneficiary=Patient/${patient}&_count=${MOST_COVERAGES}`;
  const found = await askStore(() => search({ type: "Coverage", query }));
  if (found.kind === "deny") return found;
  // A server may answer more than it was asked.
  const own = coveragesIn(found.grant).filter((one) =>
    inCompartment(one, { type: "Patient", id: patient }, "subject", rights.references),
  );
  const isOwn = named.every((one) => own.some((stored) => agrees(one, stored)));
  return isOwn ? undefined : deny(RESOURCE_NOT_COVERED, ["a Coverage is named that is not the patient's"]);
}

/** Every Coverage, contained ones too, and every reference to one by its number alone. */
function namedIn(resource: Json): readonly JsonObject[] {
  const found: JsonObject[] = [];
  const open: Json[] = [resource];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (Array.isArray(node)) for (const one of node) open.push(one);
    else if (isObject(node)) {
      const { resourceType, coverage } = node;
      if (resourceType === "Coverage" && saysNumber(node)) found.push(node);
      if (isObject(coverage) && coverage["identifier"] !== undefined) {
        found.push({ identifier: [coverage["identifier"]] });
      }
      for (const one of Object.values(node)) open.push(one);
    }
  }
  return found;
}

function saysNumber({ identifier, subscriberId, dependent }: JsonObject): boolean {
  return identifier !== undefined || subscriberId !== undefined || dependent !== undefined;
}

function agrees({ identifier, subscriberId, dependent }: JsonObject, stored: FhirResource): boolean {
  if (subscriberId !== undefined && subscriberId !== stored["subscriberId"]) return false;
  if (dependent !== undefined && dependent !== stored["dependent"]) return false;
  if (identifier === undefined) return true;
  return objectsOf(identifier)?.every((one) => isIdentifierOf(one, stored)) ?? false;
}

function coveragesIn(bundle: Json): readonly FhirResource[] {
  const entries = isObject(bundle) ? objectsOf(bundle["entry"]) : undefined;
  return (entries ?? []).flatMap(({ resource }) =>
    isFhirResource(resource) && resource.resourceType === "Coverage" ? [resource] : [],
  );
}
