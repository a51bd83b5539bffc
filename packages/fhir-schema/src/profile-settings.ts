import { isResourceType } from "@wardline/fhir-r4";
import { ConfigurationError, type Findings, refuseUnknownKeys } from "@wardline/policy-types";
import { checkStrings, isListOfObjects } from "./option-checks.ts";
import { compileProfiles } from "./profiles/compile.ts";
import type { ProfileValidator } from "./profiles/validate.ts";

interface GivenProfiles {
  readonly structureDefinitions: readonly object[];
  readonly valueSets?: readonly object[];
  readonly required?: Readonly<Record<string, readonly string[]>>;
}

export interface ProfileSettings {
  readonly validator: ProfileValidator;
  /** Profiles each resource of a type must meet. */
  readonly required: ReadonlyMap<string, readonly string[]>;
}

export function parseProfiles(found: Findings, profiles: GivenProfiles | undefined): ProfileSettings | undefined {
  if (profiles === undefined) return undefined;
  if (profiles === null || typeof profiles !== "object" || Array.isArray(profiles)) {
    found.add("profiles", "not-an-object", "write { structureDefinitions, valueSets, required }");
    return undefined;
  }
  refuseUnknownKeys(found, profiles, ["structureDefinitions", "valueSets", "required"], "profiles");
  const required = checkRequired(found, profiles.required ?? {});
  if (!isListOfObjects(profiles.structureDefinitions) || !isListOfObjects(profiles.valueSets ?? [])) {
    found.add("profiles", "not-a-list", "write structureDefinitions and valueSets as lists of resources");
    return undefined;
  }
  try {
    const validator = compileProfiles(profiles);
    const unknown = [...required].flatMap(([type, urls]) =>
      urls.filter((url) => !isKnown(validator, url)).map(() => type),
    );
    for (const type of new Set(unknown)) {
      found.add(`profiles.required.${type}`, "unknown-profile", "name profiles whose definitions are given");
    }
    return Object.freeze({ validator, required });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const { path, code, message } of error.issues)
      found.add(path === "" ? "profiles" : `profiles.${path}`, code, message);
    return undefined;
  }
}

function isKnown({ urls }: ProfileValidator, canonical: string): boolean {
  return urls.includes(canonical.split("|", 1)[0] ?? "");
}

function checkRequired(found: Findings, required: unknown): ReadonlyMap<string, readonly string[]> {
  if (required === null || typeof required !== "object" || Array.isArray(required)) {
    found.add("profiles.required", "not-an-object", "write lists of profile URLs by resource type");
    return new Map();
  }
  const entries = Object.entries(required as Record<string, unknown>);
  for (const [type, urls] of entries) {
    const at = `profiles.required.${type}`;
    if (!isResourceType(type)) found.add(at, "unknown-type", "write a resource type of R4");
    checkStrings(found, at, urls, /^[a-z][a-z0-9+.-]*:\S+$/, "the URL of a profile");
  }
  return new Map(entries.filter(([, urls]) => Array.isArray(urls)) as [string, string[]][]);
}
