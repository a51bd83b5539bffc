import { type Findings, findings, refuseUnknownKeys, type SmartEndpoints } from "@wardline/policy-types";
import { isWithin } from "./checks.ts";
import { parseSafeUrl } from "./loopback.ts";

export interface SmartConfigurationOptions extends SmartEndpoints {
  /** `iss` of the id_tokens; needed with `sso-openid-connect`, and left out without it. */
  readonly issuer?: string;
  /** SMART `jwks_uri`. With `sso-openid-connect` needed. */
  readonly jwksUri?: string;
  /** Default both `authorization_code` and `client_credentials`, the former only with an authorization endpoint. */
  readonly grantTypesSupported?: readonly string[];
  /** Absent or `["S256"]`: nothing else may be offered. */
  readonly codeChallengeMethodsSupported?: readonly string[];
  /** How long the document may be cached, in seconds. Default 300. */
  readonly maxAgeSeconds?: number;
  /** Plain http on loopback addresses. Default false. */
  readonly development?: boolean;
}

const ENDPOINTS = {
  authorizationEndpoint: "authorization_endpoint",
  tokenEndpoint: "token_endpoint",
  introspectionEndpoint: "introspection_endpoint",
  revocationEndpoint: "revocation_endpoint",
  registrationEndpoint: "registration_endpoint",
  managementEndpoint: "management_endpoint",
} as const;

const LISTS = {
  scopesSupported: "scopes_supported",
  tokenEndpointAuthMethodsSupported: "token_endpoint_auth_methods_supported",
  tokenEndpointAuthSigningAlgorithmsSupported: "token_endpoint_auth_signing_alg_values_supported",
} as const;

const KNOWN: readonly (keyof SmartConfigurationOptions)[] = [
  ...(Object.keys(ENDPOINTS) as (keyof typeof ENDPOINTS)[]),
  ...(Object.keys(LISTS) as (keyof typeof LISTS)[]),
  "capabilities",
  "issuer",
  "jwksUri",
  "grantTypesSupported",
  "codeChallengeMethodsSupported",
  "maxAgeSeconds",
  "development",
];

/** The document itself, checked. */
export function smartConfigurationDocument(options: SmartConfigurationOptions): Readonly<Record<string, unknown>> {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  checkUrls(found, options);
  checkCapabilities(found, options);
  if (options.codeChallengeMethodsSupported?.some((method) => method !== "S256") === true) {
    found.add("codeChallengeMethodsSupported", "not-s256", "SMART allows S256 only");
  }
  if (!isWithin(options.maxAgeSeconds ?? 0, 0, Number.MAX_SAFE_INTEGER))
    found.add("maxAgeSeconds", "negative", "must not be negative");
  found.throwIfAny("smartConfiguration options");
  return Object.freeze(documentOf(options));
}

function documentOf(options: SmartConfigurationOptions): Record<string, unknown> {
  const { authorizationEndpoint, capabilities, grantTypesSupported, issuer, jwksUri } = options;
  const codeGrant = authorizationEndpoint === undefined ? [] : ["authorization_code"];
  const grants = grantTypesSupported ?? [...codeGrant, "client_credentials"];
  return {
    // Without sign-in there is no id_token, and its issuer is omitted.
    ...(capabilities.includes("sso-openid-connect") ? { issuer } : {}),
    ...(jwksUri === undefined ? {} : { jwks_uri: jwksUri }),
    ...renamed(options, ENDPOINTS),
    grant_types_supported: grants,
    ...(authorizationEndpoint === undefined ? {} : { response_types_supported: ["code"] }),
    ...renamed(options, LISTS),
    code_challenge_methods_supported: ["S256"],
    capabilities,
  };
}

function renamed(options: object, names: Readonly<Record<string, string>>): Record<string, unknown> {
  const given = options as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(names).flatMap(([from, to]) => (given[from] === undefined ? [] : [[to, given[from]]])),
  );
}

function checkUrls(found: Findings, options: SmartConfigurationOptions): void {
  const development = options.development === true;
  for (const name of [...(Object.keys(ENDPOINTS) as (keyof typeof ENDPOINTS)[]), "issuer", "jwksUri"] as const) {
    const url = options[name];
    if (url !== undefined && parseSafeUrl(url, development) === undefined) {
      found.add(name, "not-https", "must be an absolute https URL; http needs `development` and a loopback address");
    }
  }
  if (options.tokenEndpoint === undefined) found.add("tokenEndpoint", "missing", "SMART requires it");
}

function checkCapabilities(found: Findings, options: SmartConfigurationOptions): void {
  const { capabilities } = options;
  if (!Array.isArray(capabilities)) {
    found.add("capabilities", "missing", "SMART requires a list, even an empty one");
    return;
  }
  const launches = capabilities.includes("launch-ehr") || capabilities.includes("launch-standalone");
  if (launches && options.authorizationEndpoint === undefined) {
    found.add("authorizationEndpoint", "missing", "required with launch-ehr or launch-standalone");
  }
  if (capabilities.includes("sso-openid-connect")) {
    for (const name of ["issuer", "jwksUri"] as const) {
      if (options[name] === undefined) found.add(name, "missing", "required with sso-openid-connect");
    }
  }
}
