import { isResourceType } from "@wardline/fhir-r4";
import { type Findings, findings } from "@wardline/policy-types";
import { isRecord } from "../record.ts";
import type { OperationInput, OperationInputs } from "./table.ts";

/** What given OperationDefinitions say, by operation and type. Made by `compileOperations`. */
export interface OperationTable {
  /** The inputs on a type, or at system level; `elsewhere` when the operation is defined, and not there. */
  readonly find: (name: string, type: string | undefined) => OperationInputs | "elsewhere" | undefined;
}

type Json = Readonly<Record<string, unknown>>;
type Row = OperationInputs & { readonly on: readonly string[] };

const ON_SYSTEM = "";
const ON_EVERY_TYPE = "Resource";

/**
 * Reads OperationDefinitions: inputs by name, type and number, and where the operation is called. Does NOT read what they
 * answer.
 *
 * Throws a `ConfigurationError` with every mistake found in the definitions.
 *
 * @see https://hl7.org/fhir/R4/operationdefinition.html
 */
export function compileOperations(definitions: readonly object[]): OperationTable {
  const found = findings();
  const table = readOperations(definitions, "operationDefinitions", found);
  found.throwIfAny("compileOperations()");
  return table;
}

/** The same, with the mistakes told below `path`. */
export function readOperations(definitions: readonly object[], path: string, found: Findings): OperationTable {
  const byName = new Map<string, Map<string, OperationInputs>>();
  for (const [index, definition] of definitions.entries()) {
    const at = `${path}[${index}]`;
    const row = readDefinition(definition as Json, at, found);
    if (row === undefined) continue;
    const places = byName.get(row.name) ?? new Map<string, OperationInputs>();
    byName.set(row.name, places);
    for (const place of row.on) {
      if (places.has(place))
        found.add(at, "operation-repeated", "another definition is of the same operation and type");
      places.set(place, row);
    }
  }
  return Object.freeze({
    find(name: string, type: string | undefined) {
      const places = byName.get(name);
      if (places === undefined) return undefined;
      const here = type === undefined ? places.get(ON_SYSTEM) : (places.get(type) ?? places.get(ON_EVERY_TYPE));
      return here ?? "elsewhere";
    },
  });
}

function readDefinition(definition: Json, at: string, found: Findings): Row | undefined {
  const { resourceType, code, kind = "operation", affectsState, parameter = [] } = definition;
  if (resourceType !== "OperationDefinition" || kind !== "operation" || typeof code !== "string" || !NAME.test(code)) {
    found.add(at, "not-a-definition", "give an OperationDefinition of kind `operation`, with its `code`");
    return undefined;
  }
  const on = placesOf(definition, at, found);
  const inputs = readInputs(parameter, `${at}.parameter`, found);
  return { name: code, on, inputs, changesState: affectsState === true };
}

function readInputs(list: unknown, at: string, found: Findings): readonly OperationInput[] {
  if (!Array.isArray(list)) {
    found.add(at, "not-a-list", "write a list of parameters");
    return [];
  }
  return (list as readonly unknown[]).flatMap((one, index) => {
    if (isRecord(one) && one["use"] === "out") return [];
    const input = readInput(one, `${at}[${index}]`, found);
    return input === undefined ? [] : [input];
  });
}

const NAME = /^[A-Za-z0-9-]{1,64}$/;

function placesOf({ system, type, instance, resource = [] }: Json, at: string, found: Findings): readonly string[] {
  const types = Array.isArray(resource) ? (resource as readonly unknown[]).map(String) : [];
  const onTypes = type === true || instance === true;
  if (!types.every((one) => one === ON_EVERY_TYPE || isResourceType(one)) || (onTypes && types.length === 0)) {
    found.add(`${at}.resource`, "unknown-type", "name resource types of R4, or `Resource` for all");
  } else if (!onTypes && system !== true) {
    found.add(at, "nowhere", "say where it is called: `system`, `type` or `instance`");
  }
  return [...(system === true ? [ON_SYSTEM] : []), ...(onTypes ? types : [])];
}

function readInput(parameter: unknown, at: string, found: Findings): OperationInput | undefined {
  const { name, use, min, max, type = "parts", part } = isRecord(parameter) ? parameter : {};
  const most = max === "*" ? Number.POSITIVE_INFINITY : Number(max);
  const counts =
    Number.isSafeInteger(min) && (min as number) >= 0 && most >= (min as number) && typeof max === "string";
  if (typeof name !== "string" || name === "" || use !== "in" || !counts || typeof type !== "string") {
    found.add(at, "not-a-parameter", "give each parameter `name`, `use`, `min`, `max`, and `type` or `part`");
    return undefined;
  }
  const own = { name, type: type === "Any" || type === "Element" ? "any" : type, min: min as number, max: most };
  return type === "parts" ? { ...own, parts: readInputs(part, `${at}.part`, found) } : own;
}
