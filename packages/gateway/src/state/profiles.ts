import { readFile } from "node:fs/promises";
import type { FhirSchemaOptions } from "@wardline/fhir-schema";
import { ConfigurationError, type PolicyDocument } from "@wardline/policy-types";

/** What resources of a route must meet beyond R4. */
export type RouteProfiles = NonNullable<FhirSchemaOptions["profiles"]>;

/**
 * Reads the profiles of every route that names some, by its id.
 *
 * @throws {ConfigurationError} when a file cannot be read or holds no definitions
 */
export async function readProfiles({ routes }: PolicyDocument): Promise<ReadonlyMap<string, RouteProfiles>> {
  const found = new Map<string, RouteProfiles>();
  for (const [index, { id, schema }] of routes.entries()) {
    if (schema?.profiles === undefined) continue;
    const { files, required } = schema.profiles;
    const path = `routes[${index}].schema.profiles.files`;
    const resources = (await Promise.all(files.map((file, at) => readDefinitions(file, `${path}[${at}]`)))).flat();
    const ofType = (type: string): object[] => resources.filter((one) => one.resourceType === type);
    found.set(id, {
      structureDefinitions: ofType("StructureDefinition"),
      valueSets: ofType("ValueSet"),
      ...(required === undefined ? {} : { required }),
    } as RouteProfiles);
  }
  return found;
}

interface Definition {
  readonly resourceType?: unknown;
}

async function readDefinitions(file: string, path: string): Promise<readonly Definition[]> {
  const wrong = (message: string): ConfigurationError =>
    new ConfigurationError("the policy's profiles", [{ path, code: "unusable", message }]);
  let value: (Definition & { readonly entry?: readonly { readonly resource?: Definition }[] }) | null;
  try {
    value = JSON.parse(await readFile(file, "utf8")) as typeof value;
  } catch {
    throw wrong("names a file that cannot be read as JSON");
  }
  const resources =
    value?.resourceType === "Bundle" ? (value.entry ?? []).flatMap(({ resource }) => resource ?? []) : [value ?? {}];
  if (resources.some(({ resourceType }) => resourceType === "StructureDefinition" || resourceType === "ValueSet"))
    return resources;
  throw wrong("holds no StructureDefinition and no ValueSet");
}
