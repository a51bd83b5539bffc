import { OPERATION_INPUTS } from "./generated/parameters.ts";

/** One input of an operation. */
export interface OperationInput {
  readonly name: string;
  /** A datatype, a resource type, `Resource` for any, `any` for whatever a parameter can hold, or `parts`. */
  readonly type: string;
  readonly min: number;
  readonly max: number;
  /** What an input made of parts is made of, where that is known. */
  readonly parts?: readonly OperationInput[];
}

export interface OperationInputs {
  readonly name: string;
  readonly inputs: readonly OperationInput[];
  /** It is no GET. */
  readonly changesState: boolean;
}

/** R4 4.0.1 says of these that they change the server's state: they are no GET. */
const CHANGES_STATE: ReadonlySet<string> = new Set([
  "closure",
  "meta-add",
  "meta-delete",
  "process-message",
  "submit",
  "submit-data",
]);

/** The inputs of R4's operations, by `name Type`; `Resource` for those of every type. */
const byName: ReadonlyMap<string, OperationInputs> = new Map(
  OPERATION_INPUTS.trim()
    .split("\n")
    .map((line) => {
      const [name = "", type = "", ...inputs] = line.split(" ");
      const changesState = CHANGES_STATE.has(name);
      return [`${name} ${type}`, Object.freeze({ name, inputs: Object.freeze(inputs.map(parseInput)), changesState })];
    }),
);

function parseInput(text: string): OperationInput {
  const [name = "", type = "", min = "0", max = "*"] = text.split(":");
  return Object.freeze({ name, type, min: Number(min), max: max === "*" ? Number.POSITIVE_INFINITY : Number(max) });
}

/** What R4 says of an operation on a type; undefined for a server's own, of which nothing is known. */
export function operationInputs(name: string, type: string | undefined): OperationInputs | undefined {
  return (type === undefined ? systemLevel(name) : byName.get(`${name} ${type}`)) ?? byName.get(`${name} Resource`);
}

/** At system level the type is not named: the operation is the one R4 has of that name, if it has just one. */
function systemLevel(name: string): OperationInputs | undefined {
  const [only, ...others] = [...byName.values()].filter((one) => one.name === name);
  return others.length === 0 ? only : undefined;
}

export function changesState(name: string): boolean {
  return CHANGES_STATE.has(name);
}
