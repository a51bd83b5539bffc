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

export const NO_ENTRIES: readonly BundleEntryInteraction[] = Object.freeze([]);
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
  for (const name in headers) {
    if (hasCapital(name) && Object.hasOwn(headers, name)) return "the name of a header is not in lower case";
  }
  return undefined;
}

const isText = (value: unknown): boolean => typeof value === "string";
function hasCapital(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (code >= CAPITAL_A && code <= CAPITAL_Z) return true;
  }
  return false;
}
const CAPITAL_A = 0x41;
const CAPITAL_Z = 0x5a;
