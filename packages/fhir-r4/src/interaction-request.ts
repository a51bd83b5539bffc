import type { BundleEntryInteraction, Interaction } from "@wardline/policy-types";

/** One HTTP request, as the FHIR base received it. */
export interface InteractionRequest {
  readonly method: string;
  /** Path below the FHIR base as received, still percent-encoded; "" or "/" is the base itself. */
  readonly path: string;
  /** The text after "?", still encoded. */
  readonly query?: string;
  /** Lower-case names. Read are `content-type`, `if-none-exist`, and the method overrides, which are refused. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Text of the application/x-www-form-urlencoded body of a POST `_search`; "" when it was empty. */
  readonly form?: string;
  /** Parsed JSON body: the Bundle of a batch or transaction, the resource of a create or update. */
  readonly body?: unknown;
}

const NO_ENTRIES: readonly BundleEntryInteraction[] = Object.freeze([]);
const ANYTHING: Interaction["touches"] = Object.freeze([Object.freeze({ type: "*", via: "base" })]);

/** `path` is "" when it could not be read, so that nobody forwards it. */
export function unknownInteraction(because: string, path = ""): Interaction {
  return { code: "unknown", unknownBecause: because, path, touches: ANYTHING, entries: NO_ENTRIES };
}
