import type { KeyObject } from "node:crypto";
import type { CryptoKey, JWK } from "jose";

/** How this server proves to the authorisation server that it may ask. */
export type IntrospectionAuthentication =
  | { readonly method: "client_secret_basic"; readonly secret: string }
  | {
      readonly method: "private_key_jwt";
      /** Private key, as CryptoKey or JWK. */
      readonly key: CryptoKey | JWK;
      readonly alg: string;
      readonly kid: string;
    };

/** @see https://www.rfc-editor.org/rfc/rfc7662 */
export interface IntrospectionOptions {
  /** https URL. */
  readonly endpoint: string;
  /** This server's own id at the authorisation server. */
  readonly clientId: string;
  readonly authentication: IntrospectionAuthentication;
  /** How long a good answer counts, in seconds, 0 to 300, never beyond `exp`. Default 60. */
  readonly positiveTtlSeconds?: number;
  /** How long a refusal counts, in seconds, 0 to 300. Default 10. */
  readonly negativeTtlSeconds?: number;
  /** Only signed answers (RFC 9701) count. Default false. */
  readonly expectSigned?: boolean;
  /** Ask for JWTs too, in place of verifying them here: revocation then counts within `positiveTtlSeconds`. Default false. */
  readonly always?: boolean;
  /** Ask about tokens that are no JWT. One issuer at most. Default true. */
  readonly opaque?: boolean;
}

/** Every default filled in, the key read. */
export interface IntrospectionSettings {
  readonly endpoint: string;
  readonly clientId: string;
  readonly authentication:
    | Extract<IntrospectionAuthentication, { method: "client_secret_basic" }>
    | {
        readonly method: "private_key_jwt";
        readonly key: CryptoKey | KeyObject;
        readonly alg: string;
        readonly kid: string;
      };
  readonly positiveTtlSeconds: number;
  readonly negativeTtlSeconds: number;
  readonly expectSigned: boolean;
  readonly always: boolean;
  readonly opaque: boolean;
}
