import { isResourceType } from "@wardline/fhir-r4";

/** `report`: a warning; `refuse`: an error, as R4's text has it. */
export type ExampleFaultsMode = "report" | "refuse";

/**
 * Elements that R4 demands and that examples published with R4 leave out, each with the resources that do. The official JSON
 * schema demands no primitive, so it takes them too.
 */
export const LEFT_OUT_BY_EXAMPLES: ReadonlySet<string> = new Set([
  // ImplementationGuide-fhir, ig-r4
  "ImplementationGuide.name",
  "ImplementationGuide.status",
  // Questionnaire-qs1
  "Questionnaire.item.linkId",
  // SearchParameters on extensions of CodeSystem and ValueSet: author, effective, end, keyword, workflow
  "SearchParameter.base",
]);

/**
 * Whether the text is a reference in every respect but that its id has more than the 64 characters R4 allows, as one in
 * ImplementationGuide-fhir and ig-r4 has.
 */
export function hasLongId(reference: string): boolean {
  const [, type = ""] = LONG_ID.exec(reference) ?? [];
  return isResourceType(type);
}

const LONG_ID = /^([A-Za-z]{1,64})\/[A-Za-z0-9\-.]{65,128}$/;
