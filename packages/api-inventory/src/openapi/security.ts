import { type TrustZone, ZONE_PRESETS } from "@wardline/policy-types";
import type { InventoryEntry } from "../entry.ts";
import type { OpenApiOptions } from "./options.ts";

type Requirement = Readonly<Record<string, readonly string[]>>;

/** What a caller of the entry's zone must show: all of it. */
export function securityOf({ zone, approvedScopes = [] }: InventoryEntry): readonly Requirement[] {
  const { authentication, clientCertificate } = ZONE_PRESETS[zone];
  const token = authentication === "device-certificate" ? {} : { token: approvedScopes };
  const certificate = clientCertificate === "required" ? { clientCertificate: [] } : {};
  return [{ ...token, ...certificate }];
}

/** @see https://spec.openapis.org/oas/v3.1.1.html#security-scheme-object */
export function securitySchemes(
  entries: readonly InventoryEntry[],
  oauth: OpenApiOptions["oauth"],
): Readonly<Record<string, object>> {
  const presets = [...new Set<TrustZone>(entries.map(({ zone }) => zone))].map((zone) => ZONE_PRESETS[zone]);
  const wantsToken = presets.some(({ authentication }) => authentication !== "device-certificate");
  const wantsCertificate = presets.some(({ clientCertificate }) => clientCertificate === "required");
  return {
    ...(wantsToken ? { token: tokenScheme(entries, oauth) } : {}),
    ...(wantsCertificate
      ? { clientCertificate: { type: "mutualTLS", description: "A client certificate known here." } }
      : {}),
  };
}

function tokenScheme(entries: readonly InventoryEntry[], oauth: OpenApiOptions["oauth"]): object {
  if (oauth === undefined) {
    return { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "An access token (RFC 6750, SMART)." };
  }
  const { tokenEndpoint: tokenUrl, authorizationEndpoint: authorizationUrl } = oauth;
  const approved = new Set(entries.flatMap(({ approvedScopes = [] }) => approvedScopes));
  const scopes = Object.fromEntries([...approved].sort().map((scope) => [scope, ""]));
  return {
    type: "oauth2",
    flows: {
      clientCredentials: { tokenUrl, scopes },
      ...(authorizationUrl === undefined ? {} : { authorizationCode: { authorizationUrl, tokenUrl, scopes } }),
    },
  };
}
