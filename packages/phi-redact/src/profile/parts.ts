import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject } from "../values.ts";

/** What a request asks of the handler, as far as it can ask for parts of resources. */
export interface Asking {
  /** Path and query. */
  readonly url: string;
  /** Of a POST search. */
  readonly form: string | undefined;
  /** A batch, or the parameters of an operation. */
  readonly body: Json | undefined;
}

/** Nothing is cut from a resource by these. */
const WHOLE: ReadonlySet<string> = new Set(["false", "count"]);

/**
 * Does a request ask for some elements of resources only? By its codes and labels alone can a resource be told to be
 * sensitive, so that one without them would pass for one that is not. An element of a batch that cannot be read asks for none.
 *
 * @see https://hl7.org/fhir/R4/search.html#elements
 */
export function asksForParts({ url, form, body }: Asking): boolean {
  return partsAsked(url, form).length > 0 || (isObject(body) && bodyAsks(body));
}

/** The parameters that do, by their names as they are read: `_elements`, `_elements:exclude`. */
export function partsAsked(url: string, form: string | undefined): readonly string[] {
  return [...namesAsking(queryOf(url)), ...namesAsking(form ?? "")];
}

function bodyAsks({ resourceType, entry, parameter }: JsonObject): boolean {
  if (resourceType === "Parameters") return objectsIn(parameter).some(({ name }) => isText(name) && asks(name, ""));
  if (resourceType !== "Bundle") return false;
  return objectsIn(entry).some(({ request, resource }) => {
    if (!isObject(request)) return false;
    // RFC 9110 section 9.3.2: of what HEAD asks for there is nothing in the answer, but that it is there.
    if (request["method"] === "HEAD") return true;
    const { url } = request;
    return (isText(url) && namesAsking(queryOf(url)).length > 0) || (isObject(resource) && bodyAsks(resource));
  });
}

function namesAsking(query: string): readonly string[] {
  if (query === "") return [];
  // A question mark at the front is part of the first name, which URLSearchParams would drop.
  return [...new URLSearchParams(`&${query}`)].flatMap(([name, value]) => (asks(name, value) ? [name] : []));
}

/** With any modifier: some servers have `_elements:exclude`. */
function asks(name: string, value: string): boolean {
  const [bare] = name.split(":");
  return bare === "_elements" || (bare === "_summary" && !WHOLE.has(value));
}

function queryOf(url: string): string {
  const mark = url.indexOf("?");
  return mark < 0 ? "" : url.slice(mark + 1);
}

function objectsIn(list: Json | undefined): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string";
}
