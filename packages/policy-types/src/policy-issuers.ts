import type { IntrospectionPolicy } from "./policy-authority.ts";

/** An authorisation server whose tokens count. */
export interface IssuerPolicy {
  /** Exactly the `iss` of its tokens. `*`, with `jwksUri` and as the only issuer: whatever those keys signed. */
  readonly issuer: string;
  /** Accepted `aud` values: identifiers of this API. One is enough. */
  readonly audience: readonly string[];
  /** Absent: found by discovery (RFC 8414, then OpenID Connect). */
  readonly jwksUri?: string;
  /** Default `["RS256", "RS384", "PS256", "PS384", "ES256", "ES384"]`. */
  readonly algorithms?: readonly string[];
  /** Accept `typ: JWT` and a missing `typ`; id_tokens stay refused. Weakens RFC 9068 section 4. Default false. */
  readonly allowLegacyTyp?: boolean;
  /** Seconds between `iat` and `exp` at most. Default 3600. */
  readonly maxLifetimeSeconds?: number;
  /** Clock difference tolerated, in seconds, 0 to 300. Default 30. */
  readonly leewaySeconds?: number;
  /** How to ask it about tokens. Absent: only JWTs count. */
  readonly introspection?: IntrospectionPolicy;
  /** Which claims say what of the caller, where they are not the usual ones: see `claims` of smart-auth. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** What apps are told in `.well-known/smart-configuration`. Absent: the routes of this issuer publish none. */
  readonly smart?: SmartEndpoints;
}

/** An issuer of a policy. Without `audience` each route expects its own address: a token of one zone opens nothing in another. */
export type IssuerEntry = Omit<IssuerPolicy, "audience"> & Partial<Pick<IssuerPolicy, "audience">>;

/**
 * Where SMART apps begin. All URLs absolute.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
 */
export interface SmartEndpoints {
  readonly authorizationEndpoint?: string;
  readonly tokenEndpoint: string;
  readonly introspectionEndpoint?: string;
  readonly revocationEndpoint?: string;
  readonly registrationEndpoint?: string;
  readonly managementEndpoint?: string;
  readonly capabilities: readonly string[];
  readonly scopesSupported?: readonly string[];
  /** How clients authenticate: `private_key_jwt`, `client_secret_basic`, `client_secret_post`. */
  readonly tokenEndpointAuthMethodsSupported?: readonly string[];
  /** Of assertions; RS384 or ES384 among them. */
  readonly tokenEndpointAuthSigningAlgorithmsSupported?: readonly string[];
}
