import type { FhirSchemaOptions } from "@wardline/fhir-schema";
import type { PolicyDocument } from "@wardline/policy-types";
import { readEach, readText, wrongForm } from "./read.ts";

/** What resources of a route must meet beyond R4. */
export type RouteProfiles = NonNullable<FhirSchemaOptions["profiles"]>;

/**
 * Reads the profiles of every route that names some, by its id.
 *
 * @throws {ConfigurationError} when a file cannot be read or holds no definitions
 */
export async function readProfiles({ routes }: PolicyDocument): Promise<ReadonlyMap<string, RouteProfiles>> {
  const readings = routes.flatMap(({ id, schema: { profiles } = {} }, index) => {
    if (profiles === undefined) return [];
    return [async () => [id, await profilesOf(profiles, `routes[${index}].schema.profiles.files`)] as const];
  });
  return new Map(await readEach(readings));
}

type ProfilesPolicy = NonNullable<NonNullable<PolicyDocument["routes"][number]["schema"]>["profiles"]>;

async function profilesOf({ files, required }: ProfilesPolicy, path: string): Promise<RouteProfiles> {
  const resources = await readAll(files, path, ["StructureDefinition", "ValueSet"]);
  const ofType = (type: string): object[] => resources.filter((one) => one.resourceType === type);
  return {
    structureDefinitions: ofType("StructureDefinition"),
    valueSets: ofType("ValueSet"),
    ...(required === undefined ? {} : { required }),
  } as RouteProfiles;
}

/**
 * Reads the OperationDefinitions of every route that names some, by its id.
 *
 * @throws {ConfigurationError} when a file cannot be read or holds none
 */
export async function readOperationDefinitions({
  routes,
}: PolicyDocument): Promise<ReadonlyMap<string, readonly object[]>> {
  const readings = routes.flatMap(({ id, schema: { operationDefinitions } = {} }, index) => {
    if (operationDefinitions === undefined) return [];
    return [
      async () => {
        const path = `routes[${index}].schema.operationDefinitions`;
        const resources = await readAll(operationDefinitions, path, ["OperationDefinition"]);
        return [id, resources.filter(({ resourceType }) => resourceType === "OperationDefinition")] as const;
      },
    ];
  });
  return new Map(await readEach(readings));
}

async function readAll(
  files: readonly string[],
  path: string,
  types: readonly string[],
): Promise<readonly Definition[]> {
  return (await readEach(files.map((file, at) => () => readDefinitions(file, `${path}[${at}]`, types)))).flat();
}

interface Definition {
  readonly resourceType?: unknown;
}

async function readDefinitions(file: string, path: string, types: readonly string[]): Promise<readonly Definition[]> {
  const text = await readText(file, path);
  let value: (Definition & { readonly entry?: readonly { readonly resource?: Definition }[] }) | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw wrongForm(path, "names a file that cannot be read as JSON");
  }
  const resources =
    value?.resourceType === "Bundle" ? (value.entry ?? []).flatMap(({ resource }) => resource ?? []) : [value ?? {}];
  if (resources.some(({ resourceType }) => types.some((type) => type === resourceType))) return resources;
  throw wrongForm(path, `holds no ${types.join(" and no ")}`);
}
