import { isResourceType, RESOURCE_TYPES } from "@wardline/fhir-r4";
import { type Findings, nearest } from "@wardline/policy-types";

/** Adds what R4 does not have, with the type that was probably meant. */
export function checkTypes(types: readonly string[] | undefined, path: string, found: Findings): void {
  for (const [index, type] of (types ?? []).entries()) {
    if (isResourceType(type)) continue;
    const near = nearest(type, RESOURCE_TYPES);
    const hint = near === undefined ? "write one as R4 spells it" : `did you mean \`${near}\`?`;
    found.add(`${path}[${index}]`, "unknown-type", `\`${type}\` is no R4 resource type, ${hint}`);
  }
}
