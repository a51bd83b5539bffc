import { httpDate, parseDate, structuredDate } from "./dates.ts";
import type { InventoryEntry } from "./entry.ts";

/**
 * What every answer of an endpoint says about its end. Empty before anything is announced.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9745 Deprecation: a structured-field Date
 * @see https://www.rfc-editor.org/rfc/rfc8594 Sunset: an HTTP-date, never before Deprecation
 */
export function retirementHeaders(
  entry: InventoryEntry,
  documentation: string | undefined,
): Readonly<Record<string, string>> {
  const [deprecated, retired] = [entry.deprecated, entry.retired].map(parseDate);
  if (deprecated === undefined) return {};
  const links = [
    ...(entry.successor === undefined ? [] : [`<${entry.successor}>; rel="successor-version"`]),
    ...(documentation === undefined ? [] : [`<${documentation}>; rel="deprecation"; type="text/html"`]),
    ...(documentation === undefined || retired === undefined
      ? []
      : [`<${documentation}>; rel="sunset"; type="text/html"`]),
  ];
  return Object.freeze({
    Deprecation: structuredDate(deprecated),
    ...(retired === undefined ? {} : { Sunset: httpDate(retired) }),
    ...(links.length === 0 ? {} : { Link: links.join(", ") }),
  });
}
