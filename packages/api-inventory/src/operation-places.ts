import { OPERATION_DEFINITIONS, type OperationDefinition } from "@wardline/fhir-r4";

type Level = OperationDefinition["levels"][number];

/** Where the Bulk Data guide puts its operation; R4 itself does not define it. */
const EXPORT: readonly OperationDefinition[] = [
  { name: "export", type: "Group", levels: ["system", "instance"] },
  { name: "export", type: "Patient", levels: ["type"] },
];
const LEVELS: readonly Level[] = ["system", "type", "instance"];

/** The types and levels on which an operation is called: as R4 defines it; one of a server's own, everywhere. */
export function operationPlaces(name: string): readonly OperationDefinition[] {
  const defined = [...OPERATION_DEFINITIONS, ...EXPORT].filter((one) => one.name === name);
  return defined.length > 0 ? defined : [{ name, type: "Resource", levels: LEVELS }];
}

export function isOperationPlace(name: string, type: string | undefined, level: Level | undefined): boolean {
  return operationPlaces(name).some((place) => {
    if (type === undefined) return place.levels.includes("system");
    if (place.type !== "Resource" && place.type !== type) return false;
    return level === undefined || place.levels.includes(level);
  });
}
