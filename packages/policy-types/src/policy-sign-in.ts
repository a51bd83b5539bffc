import type { TrustZone } from "./zones.ts";

/**
 * The edge stands before an authorisation server, too: what is asked of its endpoints is judged, limited and recorded here
 * first.
 */
export interface SignInPolicy {
  /** Whose endpoints they are: one of `issuers`. Default the only one. */
  readonly issuer?: string;
  /** Name of the upstream: the authorisation server. */
  readonly upstream: string;
  /** Through whose door they are reached. Default `patient`. */
  readonly zone?: TrustZone;
  /** Path on this edge: `/oauth`. What stands below it is asked below the upstream's URL. */
  readonly path: string;
  readonly endpoints: SignInEndpoints;
  /** What else passes: `/logo.png`, or everything below `/interaction/*`. Default nothing. */
  readonly pages?: readonly string[];
  /** Clients that prove who they are by a key (`private_key_jwt`). Default none. */
  readonly clients?: readonly SignInClientPolicy[];
  /** Who must prove it: the clients listed and whoever asks for itself, or all. Default `listed`. */
  readonly assertions?: "listed" | "all";
  /** What `aud` of an assertion may be. Default the token endpoint's public URL. */
  readonly assertionAudience?: readonly string[];
  /** Default `["RS384", "ES384"]`. */
  readonly assertionAlgorithms?: readonly string[];
  /** Name of the tier that limits it. Default 60 requests a minute of each address, and 600 of each proved client. */
  readonly tier?: string;
}

/** Paths below `path`. */
export interface SignInEndpoints {
  readonly token: string;
  readonly authorization?: string;
  readonly jwks?: string;
  readonly introspection?: string;
  readonly revocation?: string;
  readonly registration?: string;
}

export interface SignInClientPolicy {
  readonly clientId: string;
  /** File of its public keys, a JWK Set. Either this or `jwksUri`. */
  readonly jwks?: string;
  /** Where it publishes its keys. */
  readonly jwksUri?: string;
}
