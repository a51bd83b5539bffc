import { type Decision, deny, permit } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { MEDIA_TYPE_UNSUPPORTED, PATCH_NOT_APPLICABLE } from "../problems.ts";
import { type FhirResource, isFhirResource } from "../resource.ts";
import { applyFhirPathPatch } from "./fhirpath-patch.ts";
import { applyJsonPatch } from "./json-patch.ts";

/**
 * What a patch makes of the stored version: a list is a JSON Patch, a Parameters resource a FHIRPath Patch.
 *
 * @see https://hl7.org/fhir/R4/http.html#patch
 */
export function applyPatch(stored: FhirResource, patch: Json | undefined): Decision<Json> {
  if (patch === undefined || !isReadable(patch)) {
    return deny(MEDIA_TYPE_UNSUPPORTED, ["the patch is neither JSON Patch nor FHIRPath Patch"]);
  }
  const outcome = Array.isArray(patch) ? applyJsonPatch(stored, patch) : applyFhirPathPatch(stored, patch);
  return outcome.kind === "patched"
    ? permit(outcome.result, ["patch applied"])
    : deny(PATCH_NOT_APPLICABLE, [outcome.because]);
}

/** In one of the two forms that can be judged. Others are XML, or in a batch a Binary that holds one of them encoded. */
export function isReadable(patch: Json | undefined): boolean {
  return Array.isArray(patch) || (isFhirResource(patch) && patch.resourceType === "Parameters");
}
