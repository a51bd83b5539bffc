import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import { isWithin } from "./checks.ts";
import { parseSafeUrl } from "./loopback.ts";

/** @see https://www.rfc-editor.org/rfc/rfc9728#section-2 */
export interface ProtectedResourceMetadataOptions {
  /** The FHIR base, as in `smartAuth`'s `baseUrl`. */
  readonly resource: string;
  /** Issuers whose tokens count. */
  readonly authorizationServers?: readonly string[];
  /** RFC 9728 `jwks_uri`. */
  readonly jwksUri?: string;
  /** RFC 9728 `scopes_supported`. */
  readonly scopesSupported?: readonly string[];
  /** RFC 9728 `resource_name`. */
  readonly resourceName?: string;
  /** RFC 9728 `resource_documentation`: a page for developers. */
  readonly resourceDocumentation?: string;
  /** RFC 9728 `resource_policy_uri`. */
  readonly resourcePolicyUri?: string;
  /** RFC 9728 `resource_tos_uri`. */
  readonly resourceTosUri?: string;
  /** RFC 9728 `tls_client_certificate_bound_access_tokens`. Default unsaid. */
  readonly tlsClientCertificateBoundAccessTokens?: boolean;
  /** RFC 9728 `dpop_signing_alg_values_supported`. */
  readonly dpopSigningAlgValuesSupported?: readonly string[];
  /** RFC 9728 `dpop_bound_access_tokens_required`. Default unsaid. */
  readonly dpopBoundAccessTokensRequired?: boolean;
  /** How long the document may be cached, in seconds. Default 300. */
  readonly maxAgeSeconds?: number;
  /** Plain http on loopback addresses. Default false. */
  readonly development?: boolean;
}

const NAMES = {
  resource: "resource",
  authorizationServers: "authorization_servers",
  jwksUri: "jwks_uri",
  scopesSupported: "scopes_supported",
  resourceName: "resource_name",
  resourceDocumentation: "resource_documentation",
  resourcePolicyUri: "resource_policy_uri",
  resourceTosUri: "resource_tos_uri",
  tlsClientCertificateBoundAccessTokens: "tls_client_certificate_bound_access_tokens",
  dpopSigningAlgValuesSupported: "dpop_signing_alg_values_supported",
  dpopBoundAccessTokensRequired: "dpop_bound_access_tokens_required",
} as const;

const URLS = ["resource", "jwksUri", "resourceDocumentation", "resourcePolicyUri", "resourceTosUri"] as const;

/** The document itself, checked: what has no value is left out, empty lists included (section 2). */
export function resourceMetadataDocument(options: ProtectedResourceMetadataOptions): Readonly<Record<string, unknown>> {
  const found = findings();
  refuseUnknownKeys(found, options, [...Object.keys(NAMES), "maxAgeSeconds", "development"]);
  checkUrls(found, options);
  if (!isWithin(options.maxAgeSeconds ?? 0, 0, Number.MAX_SAFE_INTEGER))
    found.add("maxAgeSeconds", "negative", "must not be negative");
  found.throwIfAny("protectedResourceMetadata options");
  const given = { ...options, resource: withoutSlash(options.resource) } as Readonly<Record<string, unknown>>;
  const members = Object.entries(NAMES).flatMap(([from, to]) => {
    const value = given[from];
    return value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [[to, value]];
  });
  return Object.freeze({
    ...(Object.fromEntries(members) as Record<string, unknown>),
    // Tokens count in the Authorization header only.
    bearer_methods_supported: ["header"],
  });
}

/** Section 3: inserted between host and path. */
export function metadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}/.well-known/oauth-protected-resource${withoutSlash(pathname)}`;
}

function withoutSlash(text: string): string {
  return text.replace(/(?<!\/)\/+$/, "");
}

function checkUrls(found: Findings, options: ProtectedResourceMetadataOptions): void {
  const message = "must be an absolute https URL without query; http needs `development` and a loopback address";
  const isGood = (value: unknown) => parseSafeUrl(value, options.development === true)?.search === "";
  for (const name of URLS) {
    const value = options[name];
    if (name === "resource" ? !isGood(value) : value !== undefined && !isGood(value)) {
      found.add(name, "not-https", message);
    }
  }
  const servers: unknown = options.authorizationServers ?? [];
  if (!Array.isArray(servers)) return found.add("authorizationServers", "not-a-list", "write a list of issuers");
  servers.forEach((server: unknown, at) => {
    if (!isGood(server)) found.add(`authorizationServers[${at}]`, "not-https", message);
  });
}
