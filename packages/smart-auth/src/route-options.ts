import { isResourceType } from "@wardline/fhir-r4";
import type { CompartmentRule, Interaction, InteractionCode, ScopeLetter } from "@wardline/policy-types";
import { type Findings, INTERACTION_CODES } from "@wardline/policy-types";
import { checkBooleans } from "./checks.ts";
import { DEFAULT_SUPPORT_TYPES } from "./grant.ts";
import { isLoopback } from "./loopback.ts";
import { isMemberType } from "./rights.ts";
import type { RouteSettings } from "./settings.ts";

/** What is served, and what is offered of it. */
export interface RouteOptions {
  /** Public FHIR base without a slash at the end: `https://fhir.example.org/fhir`. */
  readonly baseUrl: string;
  /** Other bases the handler's answers use for the same server, an upstream's own. Rewritten to `baseUrl`. */
  readonly backendBaseUrls?: readonly string[];
  /** Interactions offered. Default: capabilities and reading, see `DEFAULT_INTERACTIONS`. Operations go by `operations`. */
  readonly interactions?: readonly InteractionCode[];
  /** Operations offered, by name without `$`. Default none. */
  readonly operations?: readonly string[];
  /**
   * Of `operations`, what callers bound to a patient may ask for on a type, `Claim/$submit`, and by which right (`c`, `u` or
   * `s`) on the resources of the type they submit: everything submitted must be about that one patient. Needs `readStored`.
   * Default none.
   */
  readonly memberOperations?: Readonly<Record<string, "c" | "u" | "s">>;
  /** Resource types served. Default every type of R4. */
  readonly types?: readonly string[];
  /** Search parameters beyond R4 the backend knows and that widen nothing: its paging. Default none. */
  readonly extraParameters?: readonly string[];
  /**
   * Heed `Prefer: handling=lenient`: search parameters that R4 does not have are left out of what is asked, and the answer says
   * so. Weakens: the client may get more than it meant to ask for, of what its token covers. Default false.
   */
  readonly allowLenient?: boolean;
  /** How a resource is found to belong to a patient. Default `subject`. */
  readonly compartmentRule?: CompartmentRule;
  /** Types without a patient that a bound caller may read by reference. Default `DEFAULT_SUPPORT_TYPES`. */
  readonly supportTypes?: readonly string[];
}

/** Reading only: whoever wants writes, whole-type histories, system searches, batches or transactions says so. */
export const DEFAULT_INTERACTIONS: readonly InteractionCode[] = Object.freeze([
  "capabilities",
  "read",
  "vread",
  "history-instance",
  "search-type",
]);

export const ROUTE_OPTIONS: readonly (keyof RouteOptions)[] = [
  "baseUrl",
  "backendBaseUrls",
  "interactions",
  "operations",
  "memberOperations",
  "types",
  "extraParameters",
  "allowLenient",
  "compartmentRule",
  "supportTypes",
];

/** Checks what is served. Findings go to `found`. */
export function parseRoute(found: Findings, options: RouteOptions, development: boolean): RouteSettings {
  const baseUrl = parseBase(found, "baseUrl", options.baseUrl, (url) => development && isLoopback(url.hostname));
  const backend = list(found, "backendBaseUrls", options.backendBaseUrls).map((url, at) =>
    parseBase(found, `backendBaseUrls[${at}]`, url, () => true),
  );
  const codes: readonly string[] = INTERACTION_CODES.filter((code) => code !== "operation");
  const interactions = list(found, "interactions", options.interactions ?? DEFAULT_INTERACTIONS, (code) =>
    codes.includes(code) ? undefined : "is no interaction code that can be offered; operations go by `operations`",
  );
  const operations = list(found, "operations", options.operations, (name) =>
    /^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(name) ? undefined : "is no operation name; write it without `$`",
  );
  const types = options.types === undefined ? undefined : list(found, "types", options.types, typeFault);
  const rule = options.compartmentRule ?? "subject";
  if (rule !== "subject" && rule !== "full") {
    found.add("compartmentRule", "unknown-value", 'must be "subject" or "full"');
  }
  checkBooleans(found, options, ["allowLenient"]);
  return Object.freeze({
    baseUrl,
    baseUrls: Object.freeze([baseUrl, ...backend]),
    interactions: new Set(interactions as Interaction["code"][]),
    operations: new Set(operations),
    memberOperations: parseMemberOperations(found, options.memberOperations, operations),
    ...(types === undefined ? {} : { types: new Set(types) }),
    extraParameters: new Set(list(found, "extraParameters", options.extraParameters)),
    allowLenient: options.allowLenient === true,
    compartmentRule: rule,
    supportTypes: Object.freeze([
      ...list(found, "supportTypes", options.supportTypes ?? DEFAULT_SUPPORT_TYPES, supportTypeFault),
    ]),
  });
}

const SUBMITTING: readonly string[] = ["c", "u", "s"] satisfies ScopeLetter[];

function parseMemberOperations(
  found: Findings,
  given: unknown,
  operations: readonly string[],
): ReadonlyMap<string, ScopeLetter> {
  if (given === undefined) return new Map();
  if (given === null || typeof given !== "object" || Array.isArray(given)) {
    found.add("memberOperations", "not-an-object", 'must give a right for each operation: `{ submit: "c" }`');
    return new Map();
  }
  const entries = Object.entries(given);
  for (const [name, letter] of entries) {
    const path = `memberOperations.${name}`;
    if (!operations.includes(name)) found.add(path, "not-offered", "name the operation in `operations`, too");
    if (name === "export") found.add(path, "unknown-value", "an export is judged by its types, not by a submission");
    if (!SUBMITTING.includes(letter as string)) found.add(path, "unknown-value", 'must be "c", "u" or "s"');
  }
  return new Map(entries as [string, ScopeLetter][]);
}

function typeFault(type: string): string | undefined {
  return isResourceType(type) ? undefined : "is no resource type of R4";
}

/** What belongs to patients is judged by whose it is; what can hold anything (A13) is never open by reference. */
function supportTypeFault(type: string): string | undefined {
  if (isMemberType(type, "full")) return "belongs to patients, so it is no support type";
  return ["Binary", "Bundle", "Parameters"].includes(type)
    ? "can hold anything, so it is no support type"
    : typeFault(type);
}

/** The realm, references and links are built from it, so it is held to characters that need no escaping anywhere. */
function parseBase(found: Findings, path: string, value: unknown, allowHttp: (url: URL) => boolean): string {
  if (typeof value !== "string" || !URL.canParse(value) || !/^[A-Za-z0-9:/.\-_~%[\]]+$/.test(value)) {
    found.add(path, "not-a-url", "must be an absolute URL without query, fragment and user");
    return "";
  }
  const url = new URL(value);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && allowHttp(url))) {
    found.add(path, "not-https", "must be https; http needs `development` and a loopback address");
  }
  return value.replace(/(?<!\/)\/+$/, "");
}

function list(
  found: Findings,
  path: string,
  value: unknown,
  fault: (item: string) => string | undefined = () => undefined,
): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
    found.add(path, "not-a-list", "must be a list of strings");
    return [];
  }
  value.forEach((item, at) => {
    const message = fault(item);
    if (message !== undefined) found.add(`${path}[${at}]`, "unknown-value", message);
  });
  return value;
}
