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
    const resources = await readAll(files, path, ["StructureDefinition", "ValueSet"]);
    const ofType = (type: string): object[] => resources.filter((one) => one.resourceType === type);
    found.set(id, {
      structureDefinitions: ofType("StructureDefinition"),
      valueSets: ofType("ValueSet"),
      ...(required === undefined ? {} : { required }),
    } as RouteProfiles);
  }
  return found;
}

/**
 * Reads the OperationDefinitions of every route that names some, by its id.
 *
 * @throws {ConfigurationError} when a file cannot be read or holds none
 */
export async function readOperationDefinitions({
  routes,
}: PolicyDocument): Promise<ReadonlyMap<string, readonly object[]>> {
  const found = new Map<string, readonly object[]>();
  for (const [index, { id, schema }] of routes.entries()) {
    if (schema?.operationDefinitions === undefined) continue;
    const path = `routes[${index}].schema.operationDefinitions`;
    const resources = await readAll(schema.operationDefinitions, path, ["OperationDefinition"]);
    found.set(
      id,
      resources.filter(({ resourceType }) => resourceType === "OperationDefinition"),
    );
  }
  return found;
}

async function readAll(
  files: readonly string[],
  path: string,
  types: readonly string[],
): Promise<readonly Definition[]> {
  return (await Promise.all(files.map((file, at) => readDefinitions(file, `${path}[${at}]`, types)))).flat();
}

interface Definition {
  readonly resourceType?: unknown;
}

async function readDefinitions(file: string, path: string, types: readonly string[]): Promise<readonly Definition[]> {
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
  if (resources.some(({ resourceType }) => types.some((type) => type === resourceType))) return resources;
  throw wrong(`holds no ${types.join(" and no ")}`);
}
