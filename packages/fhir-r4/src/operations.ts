import { OPERATIONS } from "./generated/operations.ts";

/** An operation that R4 4.0.1 defines. */
export interface OperationDefinition {
  readonly name: string;
  /** The type it is defined on; `Resource` for every type. */
  readonly type: string;
  readonly levels: readonly ("system" | "type" | "instance")[];
}

/** @see https://hl7.org/fhir/R4/operationslist.html */
export const OPERATION_DEFINITIONS: readonly OperationDefinition[] = Object.freeze(
  OPERATIONS.trim()
    .split("\n")
    .map((line) => {
      const [name = "", type = "", ...levels] = line.split(" ");
      return Object.freeze({ name, type, levels: levels as OperationDefinition["levels"] });
    }),
);

/**
 * Operations that, by their definition, answer from resources of the type they are called on. Every other one
 * (`$everything`, `$document`, `$graph`, `$export`, a server's own) may reach any type.
 */
const STAYS_ON_ITS_TYPE: ReadonlySet<string> = new Set([
  "closure",
  "conforms",
  "expand",
  "find",
  "find-matches",
  "implements",
  "lastn",
  "lookup",
  "match",
  "meta",
  "meta-add",
  "meta-delete",
  "preferred-id",
  "snapshot",
  "stats",
  "subset",
  "subsumes",
  "translate",
  "validate",
  "validate-code",
]);

/** The only operations R4 lets a client call on one version of a resource. */
export const VERSION_OPERATIONS: ReadonlySet<string> = new Set(["meta", "meta-add", "meta-delete"]);

/** Whether R4 defines the operation on this type and it does not leave it. */
export function staysOnType(name: string, type: string | undefined): boolean {
  if (type === undefined || !STAYS_ON_ITS_TYPE.has(name)) return false;
  return OPERATION_DEFINITIONS.some((one) => one.name === name && (one.type === type || one.type === "Resource"));
}
