import { isResourceType, RESOURCE_TYPES } from "@wardline/fhir-r4";
import { type Findings, findings, nearest, refuseUnknownKeys } from "@wardline/policy-types";
import { type OperationTable, readOperations } from "./operations/definitions.ts";
import { checkStrings, isListOfObjects } from "./option-checks.ts";
import { type ProfileSettings, parseProfiles } from "./profile-settings.ts";
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
  /** Parameters of one search, repeats counted. Default 100, at most 1000. */
  readonly maxParameters?: number;
  /** Values of one parameter, separated by commas. Default 1000. */
  readonly maxValues?: number;
  /** Findings told of one request. Default 20. */
  readonly maxIssues?: number;
  /** Largest body, before and after decompression. Default 1 MiB. */
  readonly requestBodyBytes?: number;
  /** How many times its length a compressed body may become. Default 100. */
  readonly maxInflation?: number;
  /** Objects and arrays within each other. Default 100, at most 1000. */
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
  /** OperationDefinitions of operations beyond R4, or of R4's own as a server narrows them. Default none. */
  readonly operationDefinitions?: readonly object[];
  /** Hears what report modes find, and what is told without being refused: warnings, what a profile advises. */
  readonly onReport?: (report: SchemaReport) => void;
}

type Defaulted = Required<Omit<FhirSchemaOptions, "types" | "extraParameters" | "profiles" | "operationDefinitions">>;

export interface ParsedOptions extends Readonly<Defaulted> {
  readonly types: ReadonlySet<string> | undefined;
  readonly extraParameters: ReadonlySet<string>;
  readonly profiles: ProfileSettings | undefined;
  readonly operations: OperationTable | undefined;
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
const KNOWN = [...Object.keys(DEFAULTS), "types", "extraParameters", "profiles", "operationDefinitions", "onReport"];
const MODES = {
  resources: ["refuse", "report", "off"],
  queries: ["refuse", "report", "off"],
  responses: ["off", "report"],
  exampleFaults: ["report", "refuse"],
};
const LIMITS = ["maxCount", "maxValues", "maxIssues", "requestBodyBytes", "maxInflation", "maxArrayLength"] as const;
/** What judges a body goes down with it. */
const DEEPEST = 1000;
/** A query of more pairs is not read. */
const MOST_PARAMETERS = 1000;

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseOptions(options: FhirSchemaOptions): ParsedOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  checkModes(found, options);
  for (const name of LIMITS) checkWhole(found, name, options[name], 1);
  checkWhole(found, "maxDepth", options.maxDepth, 1, DEEPEST);
  checkWhole(found, "maxParameters", options.maxParameters, 1, MOST_PARAMETERS);
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
  const operations = parseOperations(found, options.operationDefinitions);
  found.throwIfAny("fhirSchema options");

  return Object.freeze({
    ...DEFAULTS,
    ...withoutUndefined(options),
    onReport: options.onReport ?? (() => undefined),
    types: options.types === undefined ? undefined : new Set(options.types),
    extraParameters: new Set(options.extraParameters ?? []),
    profiles,
    operations,
  });
}

function parseOperations(found: Findings, definitions: unknown): OperationTable | undefined {
  if (definitions === undefined) return undefined;
  if (isListOfObjects(definitions)) return readOperations(definitions as object[], "operationDefinitions", found);
  found.add("operationDefinitions", "not-a-list", "write a list of OperationDefinitions");
  return undefined;
}

function withoutUndefined(
  options: FhirSchemaOptions,
): Omit<FhirSchemaOptions, "types" | "extraParameters" | "profiles" | "operationDefinitions"> {
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

function checkWhole(found: Findings, name: string, value: unknown, least: number, most?: number): void {
  if (value === undefined) return;
  if (
    Number.isSafeInteger(value) &&
    (value as number) >= least &&
    (value as number) <= (most ?? Number.POSITIVE_INFINITY)
  )
    return;
  found.add(name, "not-a-limit", `write a whole number from ${least}${most === undefined ? "" : ` to ${most}`}`);
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
