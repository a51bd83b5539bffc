import type { BundleEntryInteraction, Interaction } from "@wardline/policy-types";

/** One HTTP request, as the FHIR base received it. */
export interface InteractionRequest {
  readonly method: string;
  /** Path below the FHIR base as received, still percent-encoded; "" or "/" is the base itself. */
  readonly path: string;
  /** The text after "?", still encoded. */
  readonly query?: string | undefined;
  /** Lower-case names. Read are `content-type`, `if-none-exist`, and the method overrides, which are refused. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined;
  /** Text of the application/x-www-form-urlencoded body of a POST `_search`; "" when it was empty. */
  readonly form?: string | undefined;
  /** Parsed JSON body: the Bundle of a batch or transaction, the resource of a create or update. */
  readonly body?: unknown;
}

const NO_ENTRIES: readonly BundleEntryInteraction[] = Object.freeze([]);
const ANYTHING: Interaction["touches"] = Object.freeze([Object.freeze({ type: "*", via: "base" })]);

/** `path` is "" when it could not be read, so that nobody forwards it. */
export function unknownInteraction(because: string, path = ""): Interaction {
  return { code: "unknown", unknownBecause: because, path, touches: ANYTHING, entries: NO_ENTRIES };
}

/** What no request of HTTP looks like, as a fixed phrase for whoever put it together: read otherwise, it would ask for less. */
export function wrongForm({ method, path, query, form, headers = {} }: InteractionRequest): string | undefined {
  if (!isText(path)) return "the path is no text";
  if (query !== undefined && !isText(query)) return "the query is no text";
  if (form !== undefined && !isText(form)) return "the form is no text";
  if (method === "GET") return undefined;
  if (typeof headers["get"] === "function") return "the headers are no plain object";
  return Object.keys(headers).some(hasCapital) ? "the name of a header is not in lower case" : undefined;
}

const isText = (value: unknown): boolean => typeof value === "string";
const hasCapital = (name: string): boolean => /[A-Z]/.test(name);
