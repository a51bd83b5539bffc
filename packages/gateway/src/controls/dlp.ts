import type { DlpOptions } from "@wardline/phi-redact";
import type { PolicyDocument } from "@wardline/policy-types";
import type { GatewayEvent } from "../events.ts";

/**
 * What the policy says, else: an identifier in a path is refused, and what stands in a query is told, because servers must
 * answer searches by GET. The edge itself keeps no query in any log.
 */
export function dlpOptions(
  { dlp }: PolicyDocument,
  { onEvent }: { readonly onEvent: (event: GatewayEvent) => void },
): DlpOptions {
  return {
    path: "refuse",
    query: "report",
    headers: "off",
    searches: "report",
    ...(dlp === false ? {} : dlp),
    onFindings: (findings) =>
      onEvent({
        level: "warn",
        code: "gateway/phi-in-url",
        message: "a request holds what looks like an identifier of a person where it does not belong",
        facts: { places: findings.map(({ entity, place }) => `${entity} in ${place}`).join(", ") },
      }),
  };
}
