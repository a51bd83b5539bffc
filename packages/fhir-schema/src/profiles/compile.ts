import { findings, type Findings as Mistakes } from "@wardline/policy-types";
import { conforms } from "./check.ts";
import { tellApart } from "./discriminators.ts";
import type { ElementFacts } from "./elements.ts";
import { type FhirPath, loadFhirPath } from "./fhirpath.ts";
import { compileInvariants } from "./invariants.ts";
import { isObject, type JsonObject, objectsIn, textOf } from "./json.ts";
import { type ParsedProfileOptions, type ProfileOptions, parseProfileOptions } from "./options.ts";
import type { Evaluator, Profile, Profiles } from "./rules.ts";
import type { SkippedRule } from "./skipped.ts";
import { buildTree, type RuleParts, type Tree } from "./tree.ts";
import { type ProfileValidator, validatorOf } from "./validate.ts";
import { type CodeSet, compileValueSets, type ValueSets } from "./value-sets.ts";

export interface ProfileDefinitions {
  /** StructureDefinitions of R4 with their snapshots. */
  readonly structureDefinitions: readonly object[];
  /** ValueSets of required bindings, and CodeSystems that spell out what they take whole. */
  readonly valueSets?: readonly object[];
}

/**
 * Compiles profiles once: snapshots into trees of constraints, value sets into sets of codes, invariants into functions.
 * `skipped` of the result lists, for the operator, what the profiles ask and this package does not judge.
 *
 * Does NOT read differentials, fetch anything, or judge R4 itself.
 *
 * Throws a `ConfigurationError` with every mistake found in the definitions.
 *
 * @see https://hl7.org/fhir/R4/profiling.html
 */
export function compileProfiles(definitions: ProfileDefinitions, options: ProfileOptions = {}): ProfileValidator {
  const found = findings();
  const settings: ParsedProfileOptions = parseProfileOptions(options, found);
  const valueSets = compileValueSets(definitions.valueSets ?? [], found);
  const known = new Map<string, Profile>();
  const profiles: Profiles = (canonical) => {
    const [url = "", version] = canonical.split("|", 2);
    const profile = known.get(url);
    return profile !== undefined && (version === undefined || version === (profile.version ?? version))
      ? profile
      : undefined;
  };
  const skipped: SkippedRule[] = [];
  const engines = enginesOnce(found);
  const shared: Shared = { found, valueSets, profiles, skipped, ...engines, cache: new Map() };

  const trees: Tree[] = [];
  for (const [index, definition] of definitions.structureDefinitions.entries()) {
    const read = readProfile(definition as JsonObject, `structureDefinitions[${index}]`, shared);
    if (read === undefined) continue;
    if (known.has(read.profile.url))
      found.add(`structureDefinitions[${index}]`, "profile-repeated", "another definition has the same url");
    known.set(read.profile.url, read.profile);
    trees.push(read.tree);
  }
  for (const tree of trees) tree.finish();
  found.throwIfAny("compileProfiles()");
  skipped.push(...missingProfiles(known, profiles));
  return validatorOf([...known.values()], profiles, skipped, settings);
}

interface Shared {
  readonly found: Mistakes;
  readonly valueSets: ValueSets;
  readonly profiles: Profiles;
  readonly skipped: SkippedRule[];
  readonly cache: Map<string, Evaluator>;
  readonly engine: () => FhirPath | undefined;
  readonly engineIfThere: () => FhirPath | undefined;
}

function enginesOnce(found: Mistakes): Pick<Shared, "engine" | "engineIfThere"> {
  let loaded: { readonly engine: FhirPath | undefined } | undefined;
  let told = false;
  const engineIfThere = (): FhirPath | undefined => {
    loaded ??= { engine: loadFhirPath() };
    return loaded.engine;
  };
  return {
    engineIfThere,
    engine() {
      const engine = engineIfThere();
      if (engine === undefined && !told) {
        told = true;
        found.add("", "fhirpath-missing", "the profiles have invariants: install the package `fhirpath`");
      }
      return engine;
    },
  };
}

function readProfile(
  definition: JsonObject,
  where: string,
  shared: Shared,
): { readonly profile: Profile; readonly tree: Tree } | undefined {
  const { found } = shared;
  const url = textOf(definition["url"]);
  const type = textOf(definition["type"]);
  const version = textOf(definition["version"]);
  if (definition["resourceType"] !== "StructureDefinition" || url === undefined || type === undefined) {
    found.add(where, "not-a-structure-definition", "a StructureDefinition with a `url` and a `type`");
    return undefined;
  }
  const snapshot = definition["snapshot"];
  const elements = isObject(snapshot) ? objectsIn(snapshot["element"]) : [];
  if (elements.length === 0) {
    found.add(where, "snapshot-missing", "has no snapshot: supply the StructureDefinition with its snapshot");
    return undefined;
  }
  const tree = buildTree(elements, where, partsFor(url, where, shared));
  if (tree === undefined) return undefined;
  return { profile: { url, type, root: tree.root, ...(version === undefined ? {} : { version }) }, tree };
}

function partsFor(profile: string, where: string, shared: Shared): RuleParts {
  const { found, valueSets, profiles, skipped, engine, engineIfThere, cache } = shared;
  const skip = (element: string, rule: string, reason: SkippedRule["reason"]): void =>
    void skipped.push(Object.freeze({ profile, element, rule, reason }));
  return {
    found,
    invariantsOf: (element, path) =>
      compileInvariants(element, path, { found, engine, engineIfThere, skip, where }, cache),
    skipSlice: (element, path) => skip(element, path, "reference-not-resolved"),
    codesOf: (element) => bindingOf(element, valueSets, skip),
    belongs: (slice, slicing, place) =>
      tellApart(slice, slicing, {
        profiles,
        conforms: (rule, item) => conforms(rule, item, profiles),
        found,
        where: place,
      }),
  };
}

function bindingOf(
  { id, types, requiredValueSet }: ElementFacts,
  valueSets: ValueSets,
  skip: (element: string, rule: string, reason: SkippedRule["reason"]) => void,
): CodeSet | undefined {
  if (requiredValueSet === undefined) return undefined;
  const codes = valueSets(requiredValueSet);
  if (codes === undefined) skip(id, requiredValueSet, "value-set-not-supplied");
  // A plain code is asked without a system, and a whole system that nobody listed cannot answer.
  else if (types.some(({ code }) => PLAIN_CODES.has(code)) && codes(undefined, "") === undefined)
    skip(id, requiredValueSet, "code-system-not-supplied");
  return codes;
}

const PLAIN_CODES: ReadonlySet<string> = new Set(["code", "string", "uri"]);

function missingProfiles(known: ReadonlyMap<string, Profile>, profiles: Profiles): readonly SkippedRule[] {
  return [...known.values()].flatMap(({ url, root }) =>
    typeProfilesBelow(root, new Set()).flatMap(([element, rule]) =>
      profiles(rule) === undefined
        ? [Object.freeze({ profile: url, element, rule, reason: "profile-not-supplied" as const })]
        : [],
    ),
  );
}

function typeProfilesBelow(rule: Profile["root"], seen: Set<Profile["root"]>): readonly (readonly [string, string])[] {
  if (seen.has(rule)) return [];
  seen.add(rule);
  return [
    ...rule.types.flatMap(({ profiles }) => profiles.map((canonical) => [rule.id, canonical] as const)),
    ...[...rule.children.values(), ...rule.slices].flatMap((part) => typeProfilesBelow(part, seen)),
  ];
}
