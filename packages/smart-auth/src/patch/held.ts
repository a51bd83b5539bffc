import type { Json } from "@wardline/policy-types/express";
import type { FhirResource } from "../resource.ts";

/**
 * A JSON Patch that applies only to the content that was judged: every element but `meta`, which servers write, is tested
 * before anything else. For stores that number no versions.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6902#section-4.6
 */
export function heldByContent(stored: FhirResource, patch: readonly Json[]): Json {
  const tests = Object.entries(stored)
    .filter(([name]) => name !== "meta")
    .map(
      ([name, value]): Json => ({ op: "test", path: `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, value }),
    );
  return [...tests, ...patch];
}
