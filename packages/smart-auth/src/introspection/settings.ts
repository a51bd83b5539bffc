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
    }
  | {
      /** RFC 8705 section 2: by this client certificate, whose CA or which itself the server knows. */
      readonly method: "tls_client_auth" | "self_signed_tls_client_auth";
      /** The client's certificate, with its intermediates, PEM. */
      readonly cert: string;
      /** Its private key, PEM. */
      readonly key: string;
      /** CAs the server's own certificate may come from, PEM. Default: those Node trusts. */
      readonly ca?: string | readonly string[];
    };

/** The key that introspection answers are encrypted to. */
export interface IntrospectionDecryption {
  /** Private key, as CryptoKey or JWK. */
  readonly key: CryptoKey | JWK;
  readonly alg: "RSA-OAEP-256" | "ECDH-ES" | "ECDH-ES+A128KW" | "ECDH-ES+A256KW";
  /** Default `["A256GCM", "A128GCM", "A128CBC-HS256", "A256CBC-HS512"]`. */
  readonly enc?: readonly string[];
}

/** @see https://www.rfc-editor.org/rfc/rfc7662 */
export interface IntrospectionOptions {
  /** https URL. */
  readonly endpoint: string;
  /** This server's own id at the authorisation server. */
  readonly clientId: string;
  /** How this server says who it is to the issuer: a private key, a client certificate, or a secret. */
  readonly authentication: IntrospectionAuthentication;
  /** How long a good answer counts, in seconds, 0 to 300, never beyond `exp`. Default 60. */
  readonly positiveTtlSeconds?: number;
  /** How long a refusal counts, in seconds, 0 to 300. Default 10. */
  readonly negativeTtlSeconds?: number;
  /** Only signed answers (RFC 9701) count. Default false. */
  readonly expectSigned?: boolean;
  /** Only answers encrypted to this key, and signed inside, count (RFC 9701 section 5). Needs `expectSigned`. */
  readonly decryption?: IntrospectionDecryption;
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
      }
    | { readonly method: "tls_client_auth"; readonly fetch: typeof globalThis.fetch };
  readonly positiveTtlSeconds: number;
  readonly negativeTtlSeconds: number;
  readonly expectSigned: boolean;
  /** Absent: answers are not encrypted, and one that is is no answer. */
  readonly decryption?: DecryptionSettings;
  readonly always: boolean;
  readonly opaque: boolean;
}

export interface DecryptionSettings {
  readonly key: CryptoKey | KeyObject;
  readonly alg: string;
  readonly enc: readonly string[];
}
