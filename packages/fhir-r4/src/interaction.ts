import type { Interaction, SearchQuery } from "@wardline/policy-types";
import { parseBundle } from "./bundle.ts";
import { inlineMatches } from "./inline-matches.ts";
import { type Parameters, readCondition, readParameters } from "./interaction-query.ts";
import { type InteractionRequest, NO_ENTRIES, unknownInteraction, wrongForm } from "./interaction-request.ts";
import { staysOnType } from "./operations.ts";
import type { ReferenceOptions } from "./references.ts";
import { parseRequestPath } from "./request-path.ts";
import { matchRoute, type Route, readMethod } from "./routes.ts";
import { TouchList } from "./touches.ts";

/** Headers by which some servers let a POST be another method. R4 knows none of them. */
const METHOD_OVERRIDES = ["x-http-method-override", "x-http-method", "x-method-override"];

/**
 * Names what a request asks and every type it reaches. Total: never throws; what it cannot name for certain has the code
 * `unknown`, with a fixed phrase in `unknownBecause`, and touches any type. `baseUrls` let entries of a batch carry
 * absolute URLs of this server.
 *
 * Does NOT decide anything, check a body against the schema, or know which operations and parameters a server adds.
 *
 * @see https://hl7.org/fhir/R4/http.html
 */
export function parseInteraction(request: InteractionRequest, options: ReferenceOptions = NO_OPTIONS): Interaction {
  return interpret(request, options);
}

const NO_OPTIONS: ReferenceOptions = Object.freeze({});

function interpretEntry(entry: InteractionRequest): Interaction {
  return interpret(entry, undefined);
}

/** Without options it is an entry of a batch, and can be no batch itself. */
function interpret(request: InteractionRequest, options: ReferenceOptions | undefined): Interaction {
  const wrong = wrongForm(request);
  if (wrong !== undefined) return unknownInteraction(wrong);
  const { headers = {} } = request;
  for (const name of METHOD_OVERRIDES) {
    if (Object.hasOwn(headers, name) && headers[name] !== undefined) {
      return unknownInteraction("a header overrides the method");
    }
  }
  const method = readMethod(request.method);
  if (method === undefined) return unknownInteraction("the method is none of FHIR's");
  const read = parseRequestPath(request.path);
  if (read.kind === "ambiguous") return unknownInteraction(read.because);

  const query = request.query ?? "";
  const path = `/${read.segments.join("/")}`;
  const route = matchRoute(method, read.segments, query !== "");
  if (route === undefined) return unknownInteraction("R4 has no such URL for this method", path);
  // 4.0.1 prints the conditional delete as `DELETE [base]/[type]/?[search parameters]`, and nothing else with a slash.
  const slashAllowed = route.code === "delete" && route.query === "condition";
  if (read.trailingSlash && !slashAllowed) return unknownInteraction("the path ends with a slash", path);

  if (route.code === "batch") return batchInteraction(request, path, options);
  const parameters = readParameters(route, request);
  if (typeof parameters === "string") return unknownInteraction(parameters, path);
  const condition = readCondition(route, request);
  if (typeof condition === "string") return unknownInteraction(condition, path);
  return assemble(route, path, { parameters, condition }, request.body);
}

interface Queries {
  readonly parameters: Parameters;
  readonly condition: SearchQuery | undefined;
}
type Growing<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** Member by member, because copying with spread and rest was a third of the time of reading a request. */
function assemble(route: Route, path: string, { parameters, condition }: Queries, body: unknown): Interaction {
  const { types, search } = parameters;
  const touches = new TouchList(route.operation === undefined ? types : []);
  if (route.operation !== undefined) touches.add(reachOf(route.operation.name, parameters, route.type), "operation");
  if (route.compartment !== undefined) touches.add([route.compartment.type], "compartment");
  if (condition !== undefined) touches.add(types, "condition").addSearch(condition);
  const reaching = parameters.reaching ?? search;
  if (reaching !== undefined) touches.addSearch(reaching);
  if (body !== undefined) inlineMatches(route.code, body, touches);
  const interaction: Growing<Interaction> = { code: route.code, path, touches: touches.toArray(), entries: NO_ENTRIES };
  if (route.type !== undefined) interaction.type = route.type;
  if (route.id !== undefined) interaction.id = route.id;
  if (route.versionId !== undefined) interaction.versionId = route.versionId;
  if (route.compartment !== undefined) interaction.compartment = route.compartment;
  if (route.operation !== undefined) interaction.operation = route.operation;
  if (search !== undefined) interaction.search = search;
  if (condition !== undefined) interaction.condition = condition;
  return interaction;
}

/** The type an operation is called on, and any type besides unless it is known to stay there. */
function reachOf(operation: string, { only }: Parameters, type: string | undefined): readonly string[] {
  const own = type === undefined ? [] : [type];
  // Bulk Data exports the types of `_type` and no others; what `_type` means elsewhere is the operation's affair.
  if (operation === "export" && only !== undefined) return [...own, ...only];
  return staysOnType(operation, type) ? own : [...own, "*"];
}

function batchInteraction(
  request: InteractionRequest,
  path: string,
  options: ReferenceOptions | undefined,
): Interaction {
  if (options === undefined) return unknownInteraction("a batch cannot hold a batch", path);
  const bundle = parseBundle(request.body, options, interpretEntry);
  if (typeof bundle === "string") return unknownInteraction(bundle, path);
  const parameters = readParameters({ code: "batch", query: "format" }, request);
  if (typeof parameters === "string") return unknownInteraction(parameters, path);
  const touches = new TouchList();
  for (const { interaction } of bundle.entries) {
    touches.add(
      interaction.touches.map((touch) => touch.type),
      "entry",
    );
  }
  return { code: bundle.type, path, touches: touches.toArray(), entries: bundle.entries };
}
