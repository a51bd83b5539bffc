import type { Interaction } from "@wardline/policy-types";
import { COMPARTMENT_TYPES } from "./compartments.ts";
import { VERSION_OPERATIONS } from "./operations.ts";
import { isId } from "./references.ts";
import { isResourceType } from "./resource-types.ts";

/** What the query of an interaction means: it selects, it is a condition, it carries parameters, or only formats. */
type QueryUse = "search" | "history" | "condition" | "operation" | "mode" | "format";

/** An interaction as far as method and path tell it. */
export type Route = Pick<Interaction, "type" | "id" | "versionId" | "compartment" | "operation"> & {
  readonly code: Exclude<Interaction["code"], "unknown" | "transaction">;
  readonly query: QueryUse;
  /** The parameters may also come as a form body. */
  readonly form?: true;
};

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
const METHODS: ReadonlyMap<string, Method> = new Map([
  ["GET", "GET"],
  ["HEAD", "GET"],
  ["POST", "POST"],
  ["PUT", "PUT"],
  ["PATCH", "PATCH"],
  ["DELETE", "DELETE"],
]);
const OPERATION_NAME = /^\$[A-Za-z][A-Za-z0-9\-._]{0,63}$/;

/** HEAD is judged like GET; undefined for a method FHIR has no use for. Methods are upper case. */
export function readMethod(method: string): Method | undefined {
  return METHODS.get(method);
}

/**
 * Names the interaction of a method and decoded path segments; undefined when R4 has no such URL.
 *
 * @see https://hl7.org/fhir/R4/http.html#summary
 */
export function matchRoute(method: Method, segments: readonly string[], conditional: boolean): Route | undefined {
  const [first, second] = segments;
  if (first === undefined || !/^[A-Za-z]/.test(first) || first === "metadata") return systemRoute(method, segments);
  if (!isResourceType(first)) return undefined;
  if (second === undefined) return typeRoute(method, first, conditional);
  if (second.startsWith("_") || second.startsWith("$")) return typeLevelRoute(method, first, second, segments);
  return isId(second) ? instanceRoute(method, first, second, segments) : undefined;
}

function systemRoute(method: Method, [name, ...below]: readonly string[]): Route | undefined {
  if (below.length > 0) return undefined;
  if (name === undefined && method === "GET") return { code: "search-system", query: "search" };
  if (name === undefined && method === "POST") return { code: "batch", query: "format" };
  if (name === "metadata" && method === "GET") return { code: "capabilities", query: "mode" };
  if (name === "_history" && method === "GET") return { code: "history-system", query: "history" };
  if (name === "_search" && method === "POST") return { code: "search-system", query: "search", form: true };
  return operationRoute(method, name, "system", {});
}

function typeRoute(method: Method, type: string, conditional: boolean): Route | undefined {
  if (method === "GET") return { code: "search-type", type, query: "search" };
  if (method === "POST") return { code: "create", type, query: "format" };
  if (!conditional) return undefined;
  if (method === "PUT") return { code: "update", type, query: "condition" };
  return { code: method === "PATCH" ? "patch" : "delete", type, query: "condition" };
}

function typeLevelRoute(method: Method, type: string, name: string, segments: readonly string[]): Route | undefined {
  if (segments.length > 2) return undefined;
  if (name === "_history" && method === "GET") return { code: "history-type", type, query: "history" };
  if (name === "_search" && method === "POST") return { code: "search-type", type, query: "search", form: true };
  return operationRoute(method, name, "type", { type });
}

function instanceRoute(method: Method, type: string, id: string, segments: readonly string[]): Route | undefined {
  const [, , third, fourth] = segments;
  if (third === undefined) {
    if (method === "GET") return { code: "read", type, id, query: "format" };
    if (method === "PUT") return { code: "update", type, id, query: "format" };
    if (method === "PATCH") return { code: "patch", type, id, query: "format" };
    return method === "DELETE" ? { code: "delete", type, id, query: "format" } : undefined;
  }
  if (third === "_history") return historyRoute(method, { type, id }, segments);
  if (third.startsWith("$")) {
    return fourth === undefined ? operationRoute(method, third, "instance", { type, id }) : undefined;
  }
  return segments.length > 4 ? undefined : compartmentRoute(method, { type, id }, third, fourth);
}

function historyRoute(
  method: Method,
  { type, id }: { readonly type: string; readonly id: string },
  segments: readonly string[],
): Route | undefined {
  if (segments.length > 5) return undefined;
  const [, , , versionId, name] = segments;
  if (versionId === undefined) {
    return method === "GET" ? { code: "history-instance", type, id, query: "history" } : undefined;
  }
  if (!isId(versionId)) return undefined;
  if (name === undefined) return method === "GET" ? { code: "vread", type, id, versionId, query: "format" } : undefined;
  return VERSION_OPERATIONS.has(name.slice(1))
    ? operationRoute(method, name, "instance", { type, id, versionId })
    : undefined;
}

/** `GET Patient/1/Observation`, and its POST spelling, which R4 leaves out and R5 writes down. */
function compartmentRoute(
  method: Method,
  compartment: { readonly type: string; readonly id: string },
  type: string,
  suffix: string | undefined,
): Route | undefined {
  if (!COMPARTMENT_TYPES.includes(compartment.type) || (type !== "*" && !isResourceType(type))) return undefined;
  const form = suffix === "_search" && method === "POST";
  if (!form && !(suffix === undefined && method === "GET")) return undefined;
  const named = type === "*" ? { code: "search-system" as const } : { code: "search-type" as const, type };
  return { ...named, compartment, query: "search", ...(form ? { form } : {}) };
}

function operationRoute(
  method: Method,
  name: string | undefined,
  level: "system" | "type" | "instance",
  on: Pick<Interaction, "type" | "id" | "versionId">,
): Route | undefined {
  if (name === undefined || !OPERATION_NAME.test(name) || (method !== "GET" && method !== "POST")) return undefined;
  return { code: "operation", ...on, operation: { name: name.slice(1), level }, query: "operation" };
}
