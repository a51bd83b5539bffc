import { parseInteraction } from "@wardline/fhir-r4";
import type { Interaction, InteractionCode } from "@wardline/policy-types";
import { type InventoryEntry, isFhirEntry } from "./entry.ts";
import { isOperationPlace } from "./operation-places.ts";
import { byBase, byRoute } from "./places.ts";

/** What is asked, as far as a registry needs it. */
export interface Asked {
  readonly method: string;
  /** As received, without the query. */
  readonly path: string;
  readonly query?: string;
  /** As an earlier stage named it; else it is read from method and path. */
  readonly interaction?: Interaction;
}

/** The entry under which a request falls, and whether the entry declares it. */
export interface Claim {
  readonly entry: InventoryEntry;
  readonly interaction: InteractionCode;
  readonly operation?: string;
  readonly type?: string;
  /** False: the path is somebody's, but nobody declared this method, interaction, operation or type. */
  readonly declared: boolean;
}

export type ClaimOf = (asked: Asked) => Claim | undefined;

/** Finds who claims a request: exact routes first, then the longest FHIR base. */
export function createClaimOf(entries: readonly InventoryEntry[]): ClaimOf {
  const routesAt = byRoute(entries.filter((entry) => !isFhirEntry(entry)));
  const basesOver = byBase(entries.filter(isFhirEntry));

  return (asked) => {
    const there = routesAt(asked.path);
    const exact = there.find((entry) => declaresMethod(entry, asked.method));
    const route = exact ?? there[0];
    if (route !== undefined) return { entry: route, interaction: "unknown", declared: exact !== undefined };
    const claims = basesOver(asked.path).map((entry) => fhirClaim(entry, asked));
    return claims.find(({ declared }) => declared) ?? claims[0];
  };
}

/** What SMART and FHIR publish beside a base without anybody declaring it. */
const DISCOVERY = "/.well-known/smart-configuration";

function fhirClaim(entry: InventoryEntry, asked: Asked): Claim {
  if (entry.zone === "patient" && asked.path === `${entry.path === "/" ? "" : entry.path}${DISCOVERY}`) {
    return { entry, interaction: "capabilities", declared: true };
  }
  const interaction = asked.interaction ?? readInteraction(entry, asked);
  const { code, type, operation } = interaction;
  return {
    entry,
    interaction: code,
    ...(operation === undefined ? {} : { operation: operation.name }),
    ...(type === undefined ? {} : { type }),
    declared: declares(entry, { code, type, operation: operation?.name, level: operation?.level }),
  };
}

const CONDITIONAL = ["PUT", "PATCH", "DELETE"];

function readInteraction(
  entry: InventoryEntry,
  { method, path, query = "" }: Asked,
): Pick<Interaction, "code" | "type" | "operation"> {
  const below = entry.path === "/" ? path : path.slice(entry.path.length);
  // What a batch holds is in its body, which is not read here.
  if (method === "POST" && (below === "" || below === "/")) return { code: "batch" };
  const plain = parseInteraction({ method, path: below });
  // That there are conditions makes it a conditional write; which ones is not the registry's to judge.
  const mayBeConditional = plain.code === "unknown" && query !== "" && CONDITIONAL.includes(method);
  return mayBeConditional ? parseInteraction({ method, path: below, query: "_id=1" }) : plain;
}

/** What was done, in the words of an AccessRecord. */
export interface Done {
  readonly code: InteractionCode;
  /** Name without `$`. */
  readonly operation?: string | undefined;
  readonly level?: "system" | "type" | "instance" | undefined;
  readonly type?: string | undefined;
}

/** Whether a FHIR entry says that this may be asked. */
export function declares(entry: InventoryEntry, { code, operation, level, type }: Done): boolean {
  const { interactions = [], operations = [], types } = entry;
  if (type !== undefined && type !== "*" && types !== undefined && !types.includes(type)) return false;
  if (code === "unknown") return false;
  // An operation nobody permitted has no name in a record.
  if (code === "operation") {
    return operation !== undefined && operations.includes(operation) && isOperationPlace(operation, type, level);
  }
  // Without its body a batch cannot be told from a transaction.
  if (code === "batch" || code === "transaction") {
    return interactions.includes("batch") || interactions.includes("transaction");
  }
  return interactions.includes(code);
}

/** Whether an entry for one route declares the method. Express answers HEAD where it answers GET. */
export function declaresMethod({ methods = [] }: InventoryEntry, method: string): boolean {
  return methods.some((one) => one === method || (one === "GET" && method === "HEAD"));
}
