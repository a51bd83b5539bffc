import type { CapabilityRest } from "@wardline/api-inventory";
import { searchParameter } from "@wardline/fhir-r4";
import type { Json } from "@wardline/policy-types/express";

type JsonObject = { readonly [name: string]: Json };

/** What the edge knows of itself. */
export interface EdgeFacts {
  readonly name: string;
  /** The FHIR base as clients see it. */
  readonly url: string;
  /** What the policy permits here. */
  readonly offers: CapabilityRest;
  /** By name without `$`, those R4 does not know as well. */
  readonly operations: readonly string[];
  /** Search parameters beyond R4 that pass. */
  readonly extraParameters: readonly string[];
  readonly security: { [name: string]: Json };
  /** ISO date, where an upstream gives none. */
  readonly today: string;
}

/** Which flag goes with which interaction; what cannot be asked for is not promised. */
const FLAGS: Readonly<Record<string, string>> = {
  updateCreate: "update",
  conditionalCreate: "create",
  conditionalUpdate: "update",
  conditionalDelete: "delete",
  readHistory: "vread",
};
const KEPT = ["profile", "supportedProfile", "versioning", "referencePolicy"] as const;
const PATCH_FORMATS: readonly Json[] = ["application/json-patch+json", "application/fhir+json"];

/**
 * What is really served here: the part of what the upstream says it can do that the policy permits. `statementFor` gives the
 * statement of the system that answers for a type, and without a type of the one that answers for the whole.
 *
 * Does NOT repeat who made the upstream, nor its narrative, which tells of what is not served.
 *
 * @see https://hl7.org/fhir/R4/capabilitystatement.html
 */
export function capabilityStatement(
  statementFor: (type: string | undefined) => JsonObject,
  facts: EdgeFacts,
): { [name: string]: Json } {
  const whole = statementFor(undefined);
  const { offers } = facts;
  const resource = offers.resource.flatMap((offered) => resourceOf(offered, statementFor(offered.type), facts));
  const systemCodes = codesIn(restOf(whole)["interaction"]);
  const interaction = offers.interaction.filter(({ code }) => systemCodes.has(code));
  const patches = resource.some((one) => codesIn(one["interaction"] ?? []).has("patch"));
  const patchFormat = patches ? list(whole["patchFormat"]).filter((format) => PATCH_FORMATS.includes(format)) : [];
  return {
    resourceType: "CapabilityStatement",
    status: text(whole["status"]) ?? "active",
    date: text(whole["date"]) ?? facts.today,
    kind: "instance",
    implementation: { description: facts.name, url: facts.url },
    fhirVersion: text(whole["fhirVersion"]) ?? "4.0.1",
    format: ["application/fhir+json", "json"],
    ...some("patchFormat", patchFormat),
    ...some("implementationGuide", list(whole["implementationGuide"])),
    rest: [
      {
        mode: "server",
        security: facts.security,
        ...some("resource", resource),
        ...some(
          "interaction",
          interaction.map(({ code }) => ({ code })),
        ),
        ...some("operation", operationsOf(restOf(whole), facts)),
      },
    ],
  };
}

function resourceOf(
  { type, interaction }: CapabilityRest["resource"][number],
  statement: JsonObject,
  facts: EdgeFacts,
): { [name: string]: Json }[] {
  const said = objects(restOf(statement)["resource"]).find((one) => one["type"] === type);
  if (said === undefined) return [];
  const known = codesIn(said["interaction"]);
  const codes = interaction.map(({ code }) => code).filter((code) => known.has(code));
  const operation = operationsOf(said, facts);
  if (codes.length === 0 && operation.length === 0) return [];
  const flags = Object.entries(FLAGS).filter(
    ([flag, code]) => said[flag] !== undefined && codes.some((one) => one === code),
  );
  return [
    {
      type,
      ...Object.fromEntries(KEPT.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]]]))),
      interaction: codes.map((code) => ({ code })),
      ...Object.fromEntries(flags.map(([flag]) => [flag, said[flag] ?? null])),
      ...(codes.includes("search-type") ? searchOf(type, said, facts) : {}),
      ...some("operation", operation),
    },
  ];
}

function searchOf(type: string, said: JsonObject, { extraParameters, offers }: EdgeFacts): { [name: string]: Json } {
  const isPassed = (name: Json | undefined): boolean =>
    typeof name === "string" && (searchParameter(type, name) !== undefined || extraParameters.includes(name));
  /** `Observation:subject`, of a type that is served, by a parameter it has. */
  const isIncluded = (include: Json): boolean => {
    const [from = "", by = ""] = typeof include === "string" ? include.split(":") : [];
    return offers.resource.some((one) => one.type === from) && searchParameter(from, by) !== undefined;
  };
  return {
    ...some("searchInclude", list(said["searchInclude"]).filter(isIncluded)),
    ...some("searchRevInclude", list(said["searchRevInclude"]).filter(isIncluded)),
    ...some(
      "searchParam",
      objects(said["searchParam"])
        .filter(({ name }) => isPassed(name))
        .map(({ name, type: kind, definition }) => ({
          name: name ?? null,
          type: kind ?? null,
          ...(definition === undefined ? {} : { definition }),
        })),
    ),
  };
}

function operationsOf(said: JsonObject, { operations }: EdgeFacts): { [name: string]: Json }[] {
  return objects(said["operation"])
    .filter(({ name }) => typeof name === "string" && operations.includes(name.replace(/^\$/, "")))
    .map(({ name, definition }) => ({ name: name ?? null, definition: definition ?? null }));
}

function restOf(statement: JsonObject): JsonObject {
  return objects(statement["rest"]).find(({ mode }) => mode === "server") ?? {};
}

function codesIn(interaction: Json | undefined): ReadonlySet<string> {
  return new Set(objects(interaction).flatMap(({ code }) => (typeof code === "string" ? [code] : [])));
}

function some(name: string, values: Json[]): { [name: string]: Json } {
  return values.length === 0 ? {} : { [name]: values };
}

const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
const text = (value: Json | undefined): string | undefined => (typeof value === "string" ? value : undefined);

function objects(value: Json | undefined): JsonObject[] {
  return list(value).filter(
    (one): one is { [name: string]: Json } => one !== null && typeof one === "object" && !Array.isArray(one),
  );
}
