// Reads the official R4 4.0.1 definitions from the npm package hl7.fhir.r4.examples, one resource per file.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PACKAGE = "hl7.fhir.r4.examples";
const VERSION = "4.0.1";

/** The folder of the installed definitions, or undefined when they are not installed. */
export function structuresFolder() {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(PACKAGE) ?? []) {
    const manifest = join(folder, PACKAGE, "package.json");
    if (existsSync(manifest)) return dirname(manifest);
  }
  return undefined;
}

function resourcesOf(folder, type) {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${type}-`) && name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")))
    .filter((resource) => resource.resourceType === type);
}

/** What the tables are made from. Throws when the folder holds another version than 4.0.1. */
export function readStructures(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (manifest.name !== PACKAGE || manifest.version !== VERSION) {
    throw new Error(`expected ${PACKAGE} ${VERSION}, found ${manifest.name} ${manifest.version}`);
  }
  const byUrl = (type) => new Map(resourcesOf(folder, type).map((resource) => [resource.url, resource]));
  return {
    source: `${PACKAGE} ${VERSION} (CC0-1.0)`,
    // Ids that begin with "example" belong to sample definitions, not to the specification.
    structures: resourcesOf(folder, "StructureDefinition")
      .filter(
        ({ id, kind, derivation }) => !id.startsWith("example") && kind !== "logical" && derivation !== "constraint",
      )
      .sort((a, b) => (a.type < b.type ? -1 : 1)),
    valueSets: byUrl("ValueSet"),
    codeSystems: byUrl("CodeSystem"),
  };
}
