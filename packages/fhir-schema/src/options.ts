import { isResourceType, RESOURCE_TYPES } from "@wardline/fhir-r4";
import { ConfigurationError, type Findings, findings, nearest, refuseUnknownKeys } from "@wardline/policy-types";
import { compileProfiles } from "./profiles/compile.ts";
import type { ProfileValidator } from "./profiles/validate.ts";
import type { SchemaReport } from "./report.ts";
import type { ExampleFaultsMode } from "./resources/example-faults.ts";

/** `report`: tell `onReport` and let the request pass. */
export type CheckMode = "refuse" | "report" | "off";

export interface FhirSchemaOptions {
  /** Bodies. Their bytes are checked in every mode but `off`. Default `refuse`. */
  readonly resources?: CheckMode;
  /** Queries, also those of conditions and of entries. Default `refuse`. */
  readonly queries?: CheckMode;
  /** Answers of the handler: reported, never changed. Default `off`, which costs nothing. */
  readonly responses?: "off" | "report";
  /** Resource types served. Default all of R4. */
  readonly types?: readonly string[];
  /** What media types may name, `4.0` or `4.3` (R4B); resources are checked by R4 either way. Default `4.0`. */
  readonly fhirVersion?: "4.0" | "4.3";
  /** Absolute URLs of this server, which entries of a batch may carry. Default none. */
  readonly baseUrls?: readonly string[];
  /** Search and operation parameters beyond R4 that pass, names without modifier. Default none. */
  readonly extraParameters?: readonly string[];
  /** Largest `_count`. Default 1000. */
  readonly maxCount?: number;
  /** `_include` and `_revinclude` of one search together. Default 10. */
  readonly maxIncludes?: number;
  /** Steps of one chain or `_has`. Default 3. */
  readonly maxChain?: number;
  /** Parameters of one search, repeats counted. Default 100. */
  readonly maxParameters?: number;
  /** Values of one parameter, separated by commas. Default 1000. */
  readonly maxValues?: number;
  /** Findings told of one request. Default 20. */
  readonly maxIssues?: number;
  /** Largest body, before and after decompression. Default 1 MiB. */
  readonly requestBodyBytes?: number;
  /** How many times its length a compressed body may become. Default 100. */
  readonly maxInflation?: number;
  /** Objects and arrays within each other. Default 100. */
  readonly maxDepth?: number;
  /** Entries of one array. Default 10000. */
  readonly maxArrayLength?: number;
  /** What examples published with R4 do though R4 forbids it: told to `onReport` as a warning, or refused. Default `report`. */
  readonly exampleFaults?: ExampleFaultsMode;
  /** Heed `Prefer: handling=lenient`: unknown parameters are left out of what is forwarded. Default false. */
  readonly allowLenient?: boolean;
  /** Profiles, and by type those that every resource written must meet. Default none. */
  readonly profiles?: {
    readonly structureDefinitions: readonly object[];
    readonly valueSets?: readonly object[];
    readonly required?: Readonly<Record<string, readonly string[]>>;
  };
  /** Hears what report modes find, and what is told without being refused: warnings, what a profile advises. */
  readonly onReport?: (report: SchemaReport) => void;
}

type Defaulted = Required<Omit<FhirSchemaOptions, "types" | "extraParameters" | "profiles">>;

export interface ParsedOptions extends Readonly<Defaulted> {
  readonly types: ReadonlySet<string> | undefined;
  readonly extraParameters: ReadonlySet<string>;
  readonly profiles: ProfileSettings | undefined;
}

export interface ProfileSettings {
  readonly validator: ProfileValidator;
  /** Profiles each resource of a type must meet. */
  readonly required: ReadonlyMap<string, readonly string[]>;
}

const DEFAULTS: Omit<Defaulted, "onReport"> = {
  resources: "refuse",
  queries: "refuse",
  responses: "off",
  fhirVersion: "4.0",
  baseUrls: [],
  maxCount: 1000,
  maxIncludes: 10,
  maxChain: 3,
  maxParameters: 100,
  maxValues: 1000,
  maxIssues: 20,
  requestBodyBytes: 1024 * 1024,
  maxInflation: 100,
  maxDepth: 100,
  maxArrayLength: 10_000,
  exampleFaults: "report",
  allowLenient: false,
};
const KNOWN = [...Object.keys(DEFAULTS), "types", "extraParameters", "profiles", "onReport"];
const MODES = {
  resources: ["refuse", "report", "off"],
  queries: ["refuse", "report", "off"],
  responses: ["off", "report"],
  exampleFaults: ["report", "refuse"],
};
const LIMITS = [
  "maxCount",
  "maxParameters",
  "maxValues",
  "maxIssues",
  "requestBodyBytes",
  "maxInflation",
  "maxDepth",
  "maxArrayLength",
] as const;

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseOptions(options: FhirSchemaOptions): ParsedOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  checkModes(found, options);
  for (const name of LIMITS) checkWhole(found, name, options[name], 1);
  for (const name of ["maxIncludes", "maxChain"] as const) checkWhole(found, name, options[name], 0);
  if (options.allowLenient !== undefined && typeof options.allowLenient !== "boolean") {
    found.add("allowLenient", "not-a-boolean", "write true or false");
  }
  if (options.fhirVersion !== undefined && !["4.0", "4.3"].includes(options.fhirVersion)) {
    found.add("fhirVersion", "unknown-value", "write 4.0 or 4.3: no other version can be judged by the rules of R4");
  }
  checkTypes(found, "types", options.types);
  checkStrings(
    found,
    "extraParameters",
    options.extraParameters,
    /^[A-Za-z_][A-Za-z0-9_.-]*$/,
    "a name without modifier",
  );
  checkStrings(found, "baseUrls", options.baseUrls, /^https?:\/\/[^?#\s]+$/, "an absolute URL without query");
  const profiles = parseProfiles(found, options.profiles);
  found.throwIfAny("fhirSchema options");

  return Object.freeze({
    ...DEFAULTS,
    ...withoutUndefined(options),
    onReport: options.onReport ?? (() => undefined),
    types: options.types === undefined ? undefined : new Set(options.types),
    extraParameters: new Set(options.extraParameters ?? []),
    profiles,
  });
}

function withoutUndefined(
  options: FhirSchemaOptions,
): Omit<FhirSchemaOptions, "types" | "extraParameters" | "profiles"> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function checkModes(found: Findings, options: FhirSchemaOptions): void {
  for (const [name, modes] of Object.entries(MODES)) {
    const mode = options[name as keyof typeof MODES];
    if (mode !== undefined && !modes.includes(mode))
      found.add(name, "unknown-value", `write one of ${modes.join(", ")}`);
    if (mode === "report" && name !== "exampleFaults" && options.onReport === undefined) {
      found.add(name, "report-unheard", "give an `onReport`: without it nobody hears the report");
    }
  }
  if (options.onReport !== undefined && typeof options.onReport !== "function") {
    found.add("onReport", "not-a-function", "write a function");
  }
}

function checkWhole(found: Findings, name: string, value: unknown, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) return;
  found.add(name, "not-a-limit", `write a whole number from ${least}`);
}

function checkTypes(found: Findings, path: string, types: unknown): void {
  if (types === undefined) return;
  if (!Array.isArray(types) || types.length === 0) {
    found.add(path, "not-a-list", "write a list with at least one resource type");
    return;
  }
  (types as unknown[]).forEach((type, at) => {
    if (typeof type === "string" && isResourceType(type)) return;
    const near = typeof type === "string" ? nearest(type, RESOURCE_TYPES) : undefined;
    found.add(
      `${path}[${at}]`,
      "unknown-type",
      near === undefined ? "write a resource type of R4" : `did you mean \`${near}\`?`,
    );
  });
}

function checkStrings(found: Findings, path: string, list: unknown, shape: RegExp, what: string): void {
  if (list === undefined) return;
  if (!Array.isArray(list)) {
    found.add(path, "not-a-list", `write a list, each ${what}`);
    return;
  }
  (list as unknown[]).forEach((item, at) => {
    if (typeof item !== "string" || !shape.test(item)) found.add(`${path}[${at}]`, "not-valid", `write ${what}`);
  });
}

function parseProfiles(found: Findings, profiles: FhirSchemaOptions["profiles"]): ProfileSettings | undefined {
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

function isListOfObjects(list: unknown): boolean {
  return Array.isArray(list) && (list as unknown[]).every((one) => one !== null && typeof one === "object");
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
