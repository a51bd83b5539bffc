import { httpDate, parseDate, structuredDate } from "../dates.ts";
import type { InventoryEntry } from "../entry.ts";
import { lifeState } from "../observe/state.ts";
import { COMPONENTS } from "./components.ts";
import { type Operation, operationsOf } from "./operations.ts";
import { type OpenApiOptions, parseOpenApiOptions } from "./options.ts";
import { securityOf, securitySchemes } from "./security.ts";

/** An OpenAPI 3.1 document. Plain JSON. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: Readonly<Record<string, object>>;
}

export interface OperationObject {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly deprecated?: boolean;
  readonly security: readonly object[];
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

/**
 * The public document of what the registry declares and has not retired. Owners, vendors, consumers and dependencies stay
 * inside: the document may be read by anybody (42 CFR 422.119(d)).
 *
 * @throws {ConfigurationError} for a mistake in the options
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function openApiDocument(options: OpenApiOptions): OpenApiDocument {
  const { entries, title, version, description, origin = "/", oauth, now = new Date() } = parseOpenApiOptions(options);
  const living = entries.filter((entry) => lifeState(entry, now.getTime()) !== "retired");
  const paths: Record<string, Record<string, OperationObject>> = {};
  for (const operation of living.flatMap(operationsOf)) {
    const path = paths[operation.path] ?? {};
    path[operation.method] ??= render(operation, now);
    paths[operation.path] = path;
  }
  return {
    openapi: "3.1.1",
    info: { title, version, ...(description === undefined ? {} : { description }) },
    servers: [{ url: origin }],
    tags: living.map((entry) => ({ name: entry.id, description: aboutEntry(entry) })),
    paths,
    components: { ...COMPONENTS, securitySchemes: securitySchemes(living, oauth) },
  };
}

function aboutEntry({ summary, apiType, zone, version, deprecated, retired, successor }: InventoryEntry): string {
  return [
    summary,
    `API type ${apiType}, ${zone} zone${version === undefined ? "" : `, version ${version}`}.`,
    deprecated === undefined ? undefined : `Deprecated from ${deprecated}.`,
    retired === undefined ? undefined : `Retired from ${retired}: answers 410 from then on.`,
    successor === undefined ? undefined : `Use ${successor} instead.`,
  ]
    .filter((line) => line !== undefined)
    .join(" ");
}

function render(operation: Operation, now: Date): OperationObject {
  const { entry, method, path, summary } = operation;
  const state = lifeState(entry, now.getTime());
  const parameters = parametersOf(operation);
  return {
    operationId: `${entry.id}.${method}${path}`.replaceAll(/[^A-Za-z0-9.$_-]+/g, "_"),
    summary,
    tags: [entry.id],
    ...(state === "deprecated" ? { deprecated: true } : {}),
    security: securityOf(entry),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.body === undefined ? {} : { requestBody: ref("requestBodies", operation.body) }),
    responses: responsesOf(operation),
  };
}

function parametersOf({ path, types, search }: Operation): object[] {
  const names = [...path.matchAll(/\{([A-Za-z0-9_]+)\}/g)].map(([, name = ""]) => name);
  const inPath = names.map((name) => ({ name, in: "path", required: true, schema: schemaOfParameter(name, types) }));
  return search === true ? [...inPath, ref("parameters", "query")] : inPath;
}

function schemaOfParameter(name: string, types: readonly string[] | undefined): object {
  if (name === "type" && types !== undefined) return { type: "string", enum: types };
  return name === "id" || name === "vid" ? { $ref: "#/components/schemas/id" } : { type: "string" };
}

const SUCCESS = {
  resource: ["200", "resource"],
  bundle: ["200", "bundle"],
  any: ["200", "any"],
  none: ["204", "none"],
} as const;

function responsesOf({ entry, method, answer, body, search }: Operation): Readonly<Record<string, object>> {
  const [status, name] = SUCCESS[answer];
  const created = body === "resource" && (method === "post" || method === "put");
  const announced = announcedHeaders(entry);
  const ok = announced === undefined ? ref("responses", name) : { ...COMPONENTS.responses[name], headers: announced };
  return {
    ...(method === "post" && created && search !== true ? {} : { [status]: ok }),
    ...(created ? { "201": ok } : {}),
    ...(entry.retired === undefined ? {} : { "410": ref("responses", "refused") }),
    "4XX": ref("responses", "refused"),
    default: ref("responses", "refused"),
  };
}

function announcedHeaders({ deprecated, retired }: InventoryEntry): object | undefined {
  const [from, until] = [deprecated, retired].map(parseDate);
  if (from === undefined) return undefined;
  const sunset = until === undefined ? {} : { Sunset: header("RFC 8594", httpDate(until)) };
  return { Deprecation: header("RFC 9745", structuredDate(from)), ...sunset };
}

function header(description: string, example: string): object {
  return { description, schema: { type: "string" }, example };
}

function ref(kind: string, name: string): object {
  return { $ref: `#/components/${kind}/${name}` };
}
