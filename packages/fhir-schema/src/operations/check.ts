import { isResourceType } from "@wardline/fhir-r4";
import type { SchemaIssue } from "../issues.ts";
import { isRecord } from "../record.ts";
import type { OperationTable } from "./definitions.ts";
import { isPrimitive, primitiveFault } from "./primitives.ts";
import { changesState, type OperationInput, type OperationInputs, operationInputs } from "./table.ts";

/** An operation as it is called. */
export interface OperationCall {
  readonly name: string;
  /** Absent at system level. */
  readonly type?: string | undefined;
  /** Parameters beyond R4's definition that pass. */
  readonly extraParameters: ReadonlySet<string>;
  /** Largest `_count`, of a server's own operations too. Default unlimited. */
  readonly maxCount?: number;
  /** What is asked before R4's own definitions. Default none. */
  readonly definitions?: OperationTable | undefined;
}

function definitionOf({ name, type, definitions }: OperationCall): OperationInputs | "elsewhere" | undefined {
  return definitions?.find(name, type) ?? operationInputs(name, type);
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** Parameters any interaction takes: they shape the answer. */
const FORMAT: ReadonlySet<string> = new Set(["_format", "_pretty", "_summary", "_elements"]);

/**
 * Checks the parameters an operation was given in its URL against its definition: one of those given, or R4's. An operation
 * that neither defines passes: what it takes is its server's affair.
 *
 * @see https://hl7.org/fhir/R4/operations.html#executing
 */
export function checkOperationQuery(call: OperationCall, method: string, pairs: Pairs): readonly SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  const definition = definitionOf(call);
  if (definition === "elsewhere") return [ELSEWHERE];
  // At system level some of R4's operations are not told apart, and all of them change the state.
  const needsPost = definition?.changesState ?? changesState(call.name);
  if (method !== "POST" && needsPost) issues.push(error("not-supported", "The operation needs a POST."));
  if (pairs.some(([name, value]) => name === "_count" && isOver(Number(value), call.maxCount))) {
    issues.push(PAGE_TOO_LARGE);
  }
  if (definition === undefined) return issues;
  const given = pairs.filter(([name]) => !FORMAT.has(name) && !call.extraParameters.has(name));
  for (const [name, value] of given) {
    const input = definition.inputs.find((one) => one.name === name);
    if (input === undefined) issues.push(UNKNOWN_INPUT);
    else if (!isPrimitive(input.type)) issues.push(error("not-supported", "The input cannot be given in a URL.", name));
    else if (primitiveFault(input.type, value))
      issues.push(error("value", "The value is not of the input's type.", name));
  }
  const isGiven = (name: string): number => given.filter(([one]) => one === name).length;
  // A POST may split its inputs between URL and body, so that only a GET can be told to lack one.
  countIssues(definition, isGiven, method === "POST", issues);
  return issues;
}

/**
 * Checks the Parameters of an operation, or the one resource it may be given in their place. Requires the body to be
 * well-formed FHIR (see `validateResource`).
 *
 * @see https://hl7.org/fhir/R4/operations.html#request
 */
export function checkOperationBody(call: OperationCall, body: unknown): readonly SchemaIssue[] {
  if (!isRecord(body)) return [error("structure", "The operation's body is no resource.")];
  const definition = definitionOf(call);
  if (definition === "elsewhere") return [ELSEWHERE];
  if (body["resourceType"] !== "Parameters") {
    return definition === undefined ? [] : bareResourceIssues(definition, body["resourceType"]);
  }
  const issues: SchemaIssue[] = [];
  const given = recordsOf(body["parameter"]);
  if (given.some((one) => one["name"] === "_count" && isOver(one["valueInteger"], call.maxCount))) {
    issues.push(PAGE_TOO_LARGE);
  }
  if (definition === undefined) return issues;
  parameterIssues(definition.inputs, given, { at: "Parameters.parameter", beyond: call.extraParameters }, issues);
  countIssues(definition, countIn(given), false, issues);
  return issues;
}

/** With a single input that is a resource, the body may be that resource. */
function bareResourceIssues({ inputs }: OperationInputs, resourceType: unknown): readonly SchemaIssue[] {
  const resources = inputs.filter(({ type }) => isResourceInput(type));
  const [only] = resources;
  if (resources.length === 1 && only !== undefined && inputs.every((one) => one === only || one.min === 0)) {
    if (only.type === "Resource" || only.type === resourceType) return [];
  }
  return [error("structure", "The operation takes its inputs as Parameters.")];
}

type Parameter = Readonly<Record<string, unknown>>;

interface Place {
  readonly at: string;
  /** Names that pass whatever the definition says. */
  readonly beyond: ReadonlySet<string>;
}

function parameterIssues(
  inputs: readonly OperationInput[],
  given: readonly Parameter[],
  { at, beyond }: Place,
  issues: SchemaIssue[],
): void {
  for (const [index, parameter] of given.entries()) {
    const { name } = parameter;
    const here = `${at}[${index}]`;
    if (typeof name === "string" && beyond.has(name)) continue;
    const input = inputs.find((one) => one.name === name);
    if (input === undefined) issues.push({ ...UNKNOWN_INPUT, expression: `${here}.name` });
    else if (!holds(parameter, input))
      issues.push(error("structure", "The parameter is not of the input's type.", here));
    else if (input.parts !== undefined) partIssues(input.parts, recordsOf(parameter["part"]), `${here}.part`, issues);
  }
}

function partIssues(
  parts: readonly OperationInput[],
  given: readonly Parameter[],
  at: string,
  issues: SchemaIssue[],
): void {
  parameterIssues(parts, given, { at, beyond: NOTHING }, issues);
  const found: SchemaIssue[] = [];
  countIssues({ inputs: parts }, countIn(given), false, found);
  issues.push(...found.map((issue) => ({ ...issue, expression: at })));
}

const NOTHING: ReadonlySet<string> = new Set();

function recordsOf(list: unknown): readonly Parameter[] {
  return (Array.isArray(list) ? (list as readonly unknown[]) : []).map((one) => (isRecord(one) ? one : {}));
}

const countIn =
  (given: readonly Parameter[]) =>
  (name: string): number =>
    given.filter((one) => one["name"] === name).length;

function holds(parameter: Parameter, { type }: OperationInput): boolean {
  if (type === "parts") return Array.isArray(parameter["part"]);
  if (type === "any")
    return isRecord(parameter["resource"]) || Object.keys(parameter).some((key) => key.startsWith("value"));
  if (isResourceInput(type)) {
    const { resource } = parameter;
    return isRecord(resource) && (type === "Resource" || resource["resourceType"] === type);
  }
  return `value${type.charAt(0).toUpperCase()}${type.slice(1)}` in parameter;
}

function isResourceInput(type: string): boolean {
  return type === "Resource" || isResourceType(type);
}

function countIssues(
  { inputs }: Pick<OperationInputs, "inputs">,
  countOf: (name: string) => number,
  mayLack: boolean,
  issues: SchemaIssue[],
): void {
  for (const { name, min, max } of inputs) {
    const count = countOf(name);
    if (count < min && !mayLack)
      issues.push(error("required", "An input that the operation requires is missing.", name));
    if (count > max) issues.push(error("structure", "The input is given more often than the operation allows.", name));
  }
}

function error(issue: SchemaIssue["issue"], detail: string, expression?: string): SchemaIssue {
  return { severity: "error", issue, detail, ...(expression === undefined ? {} : { expression }) };
}

function isOver(count: unknown, maxCount = Number.POSITIVE_INFINITY): boolean {
  return typeof count === "number" && count > maxCount;
}

const PAGE_TOO_LARGE: SchemaIssue = Object.freeze(
  error("too-costly", "The page asked for is larger than this server answers.", "_count"),
);
const ELSEWHERE: SchemaIssue = Object.freeze(
  error("not-supported", "The operation is not defined on what it is called on."),
);
const UNKNOWN_INPUT: SchemaIssue = Object.freeze(
  error("not-supported", "The operation has no input of this name in its definition."),
);
