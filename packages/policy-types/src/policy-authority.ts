import type { InteractionCode } from "./interaction.ts";
import type { TrustZone } from "./zones.ts";

/** How to ask an issuer about a token. @see https://www.rfc-editor.org/rfc/rfc7662 */
export interface IntrospectionPolicy {
  readonly endpoint: string;
  readonly clientId: string;
  /** As whom to ask: a secret, a private key (JWK) whose `alg` and `kid` the server knows, or a client certificate. */
  readonly authentication:
    | { readonly method: "client_secret_basic"; readonly secret: string }
    | { readonly method: "private_key_jwt"; readonly key: string; readonly alg: string; readonly kid: string }
    | {
        /** @see https://www.rfc-editor.org/rfc/rfc8705#section-2 */
        readonly method: "tls_client_auth" | "self_signed_tls_client_auth";
        /** File of the client's certificate with its intermediates, PEM. */
        readonly cert: string;
        /** Where its private key is, PEM. */
        readonly key: string;
        /** Files of the CAs the server's own certificate may come from, PEM. Default: those Node trusts. */
        readonly ca?: readonly string[];
      };
  /** Seconds a good answer counts, at most 300. Default 60. */
  readonly positiveTtlSeconds?: number;
  /** Seconds a bad answer counts, at most 300. Default 10. */
  readonly negativeTtlSeconds?: number;
  /** Take signed answers only (RFC 9701). Default false. */
  readonly expectSigned?: boolean;
  /** Take answers encrypted to this key only (RFC 9701 section 5), a private JWK. Needs `expectSigned`. */
  readonly decryption?: {
    readonly key: string;
    readonly alg: "RSA-OAEP-256" | "ECDH-ES" | "ECDH-ES+A128KW" | "ECDH-ES+A256KW";
    readonly enc?: readonly string[];
  };
  /** Ask about JWTs too, not about opaque tokens alone. Default false. */
  readonly always?: boolean;
  /** Ask about tokens that are no JWT. One issuer at most. Default true. */
  readonly opaque?: boolean;
}

/** Tokens bound to a key. @see https://www.rfc-editor.org/rfc/rfc9449 */
export interface DpopPolicy {
  readonly algorithms?: readonly string[];
  /** How old a proof may be, 1 to 300. Default 60. */
  readonly windowSeconds?: number;
  readonly futureSeconds?: number;
  /** Every proof carries a nonce of ours. Default true when `nonceKey` is given. */
  readonly requireNonce?: boolean;
  /** Where 32 random bytes in base64url are, the same for all instances. */
  readonly nonceKey?: string;
}

/** An application, and what it was approved for whatever its tokens say. */
export interface ClientPolicy {
  readonly clientId: string;
  /** Whose `client_id` it is. Absent: the same client at every issuer. */
  readonly issuer?: string;
  /** SMART resource scopes: a token counts for what lies within them. */
  readonly scopes: readonly string[];
  /** Becomes the caller's organisation, in place of what the token says. */
  readonly organisation?: string;
}

/** One rule of who may do what, when, from where: see `AccessRule` of smart-auth. */
export interface ConditionPolicy {
  /** Named in the audit record. */
  readonly id: string;
  readonly effect: "deny" | "require" | "withhold" | "permit";
  /** Of `withhold`: names of data categories. */
  readonly categories?: readonly string[];
  readonly on?: {
    readonly interactions?: readonly InteractionCode[];
    readonly types?: readonly string[];
    /** Routes of these zones only. A `permit` opens no route it does not speak of. */
    readonly zones?: readonly TrustZone[];
    /** Routes with these ids only. */
    readonly routes?: readonly string[];
  };
  readonly when: {
    readonly roles?: readonly string[];
    readonly purposeOfUse?: readonly string[];
    readonly acr?: readonly string[];
    readonly amr?: readonly string[];
    readonly maxAuthAgeSeconds?: number;
    readonly departments?: readonly string[];
    readonly organisations?: readonly string[];
    readonly clients?: readonly string[];
    readonly issuers?: readonly string[];
    /** By the names of the issuer's `claims.attributes`: `{ posture: ["compliant"] }`. */
    readonly attributes?: Readonly<Record<string, readonly string[]>>;
    /** CIDR ranges of the caller. */
    readonly networks?: readonly string[];
    readonly hours?: {
      /** IANA name: `America/Chicago`. */
      readonly timeZone: string;
      readonly days?: readonly ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
      /** `08:00`, included. */
      readonly from: string;
      /** `18:00`, excluded. Earlier than `from`: over midnight. */
      readonly to: string;
    };
  };
  /** Broken glass sets the rule aside. Default false. */
  readonly liftedByBreakGlass?: boolean;
}

/** Who may reach, in an emergency, records of patients who are not theirs. */
export interface BreakGlassPolicy {
  readonly roles: readonly string[];
  /** Codes of v3-ActReason. Default `["BTG"]`. */
  readonly purposes?: readonly string[];
  /** Heed the `Category` header of R4. Default true. */
  readonly header?: boolean;
  /** The glass mends this long after the last sign-in, at most 3600. Default 900. */
  readonly maxAuthAgeSeconds?: number;
  readonly acr?: readonly string[];
  /** Default `["user-access"]`. `consent` shows what a patient withheld. */
  readonly lifts?: readonly ("user-access" | "consent")[];
  readonly interactions?: readonly InteractionCode[];
}

/** What patients withheld, and where it is remembered. */
export interface ConsentPolicy {
  /** File that outlives a restart. Default, without Redis: memory alone. */
  readonly file?: string;
  /** Data a patient or a `withhold` rule can name, told by security labels or codes. */
  readonly categories?: readonly {
    readonly name: string;
    /** `system|code` of `meta.security`. */
    readonly labels?: readonly string[];
    /** `system|code` of any coding. */
    readonly codes?: readonly string[];
    readonly types?: readonly string[];
  }[];
  /** Clients with which patients manage consent. */
  readonly managers?: readonly string[];
  /** Consent resources written through the edge are taken at their word. Default true. */
  readonly readResources?: boolean;
}

/** Devices of one kind: who certifies them, how they are named, what they may do, from where. */
export interface DevicePolicy {
  /** `infusion-pump` */
  readonly name: string;
  /** Files of the CAs that issue their certificates, PEM. */
  readonly issuedBy: readonly string[];
  /** Files of CAs between those and the devices; with them, only these certify. */
  readonly intermediates?: readonly string[];
  /** The subject alternative name that names the device, and what is taken off it. */
  readonly identity: { readonly name: "uri" | "dns" | "email"; readonly prefix?: string };
  /** SMART scopes, fixed: `system/Observation.c`. */
  readonly scopes: readonly string[];
  readonly organisation?: string;
  /** File of the CA's revocation list; read again each minute. */
  readonly crl?: string;
  /** CIDR ranges its devices call from. Default every address its zone allows. */
  readonly addresses?: readonly string[];
}
