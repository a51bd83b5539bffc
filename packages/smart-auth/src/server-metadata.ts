import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import { isWithin } from "./checks.ts";
import { parseSafeUrl } from "./loopback.ts";

/** @see https://www.rfc-editor.org/rfc/rfc8414#section-2 */
export interface AuthorizationServerMetadataOptions {
  /** Exactly the `iss` of its tokens. */
  readonly issuer: string;
  /** RFC 8414 `authorization_endpoint`. */
  readonly authorizationEndpoint?: string;
  /** RFC 8414 `token_endpoint`. */
  readonly tokenEndpoint: string;
  /** RFC 8414 `introspection_endpoint`. */
  readonly introspectionEndpoint?: string;
  /** RFC 8414 `revocation_endpoint`. */
  readonly revocationEndpoint?: string;
  /** RFC 8414 `registration_endpoint`. */
  readonly registrationEndpoint?: string;
  /** RFC 8414 `jwks_uri`. */
  readonly jwksUri?: string;
  /** RFC 8414 `scopes_supported`. */
  readonly scopesSupported?: readonly string[];
  /** RFC 8414 `token_endpoint_auth_methods_supported`. */
  readonly tokenEndpointAuthMethodsSupported?: readonly string[];
  /** RFC 8414 `token_endpoint_auth_signing_alg_values_supported`. */
  readonly tokenEndpointAuthSigningAlgValuesSupported?: readonly string[];
  /** Resources whose metadata name this server (RFC 9728 section 4). */
  readonly protectedResources?: readonly string[];
  /** How long the document may be cached, in seconds. Default 300. */
  readonly maxAgeSeconds?: number;
  /** Plain http on loopback addresses. Default false. */
  readonly development?: boolean;
}

const NAMES = {
  issuer: "issuer",
  authorizationEndpoint: "authorization_endpoint",
  tokenEndpoint: "token_endpoint",
  introspectionEndpoint: "introspection_endpoint",
  revocationEndpoint: "revocation_endpoint",
  registrationEndpoint: "registration_endpoint",
  jwksUri: "jwks_uri",
  scopesSupported: "scopes_supported",
  tokenEndpointAuthMethodsSupported: "token_endpoint_auth_methods_supported",
  tokenEndpointAuthSigningAlgValuesSupported: "token_endpoint_auth_signing_alg_values_supported",
  protectedResources: "protected_resources",
} as const;

const URLS = [
  "issuer",
  "authorizationEndpoint",
  "tokenEndpoint",
  "introspectionEndpoint",
  "revocationEndpoint",
  "registrationEndpoint",
  "jwksUri",
] as const;

/** The document itself, checked: what has no value is left out, and nothing is offered that `refuseLegacyGrants` refuses. */
export function serverMetadataDocument(options: AuthorizationServerMetadataOptions): Readonly<Record<string, unknown>> {
  const found = findings();
  refuseUnknownKeys(found, options, [...Object.keys(NAMES), "maxAgeSeconds", "development"]);
  checkUrls(found, options);
  if (!isWithin(options.maxAgeSeconds ?? 0, 0, Number.MAX_SAFE_INTEGER))
    found.add("maxAgeSeconds", "negative", "must not be negative");
  found.throwIfAny("authorizationServerMetadata options");
  const given = options as unknown as Readonly<Record<string, unknown>>;
  const members = Object.entries(NAMES).flatMap(([from, to]) => {
    const value = given[from];
    return value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [[to, value]];
  });
  const hasCodeFlow = options.authorizationEndpoint !== undefined;
  return Object.freeze({
    ...(Object.fromEntries(members) as Record<string, unknown>),
    // Section 2: REQUIRED, even where nobody signs in.
    response_types_supported: hasCodeFlow ? ["code"] : [],
    grant_types_supported: [...(hasCodeFlow ? ["authorization_code", "refresh_token"] : []), "client_credentials"],
    code_challenge_methods_supported: ["S256"],
  });
}

/** Section 3.1: inserted between host and path. */
export function serverMetadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/oauth-authorization-server${pathname.replace(/(?<!\/)\/+$/, "")}`;
}

function checkUrls(found: Findings, options: AuthorizationServerMetadataOptions): void {
  const message = "must be an absolute https URL without query; http needs `development` and a loopback address";
  for (const name of URLS) {
    const value = options[name];
    const isNeeded = name === "issuer" || name === "tokenEndpoint";
    if (value === undefined && !isNeeded) continue;
    if (parseSafeUrl(value, options.development === true)?.search !== "") found.add(name, "not-https", message);
  }
}
