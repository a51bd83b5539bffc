/** How the caller proved who it is. */
export type AuthenticationMethod = "jwt" | "introspection" | "client-certificate" | "client-assertion";

/**
 * Who is calling, as far as it was proved. Every field comes from verified evidence (a token's claims, an introspection
 * answer, a certificate), never from a header the client could write.
 */
export interface Principal {
  readonly method: AuthenticationMethod;
  /** `iss` of the token, or the issuing CA's name for a device certificate. */
  readonly issuer: string;
  /** `sub`; unique only together with `issuer`. */
  readonly subject: string;
  /** `client_id` of the application. */
  readonly clientId?: string;
  readonly organisation?: string;
  readonly device?: string;
  /** `fhirUser`: relative (`Practitioner/1`) or absolute. */
  readonly fhirUser?: string;
  readonly roles: readonly string[];
  readonly department?: string;
  /** Further facts that conditions ask for, by the operator's own names: device posture, employment. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  /** Codes of v3-ActReason. */
  readonly purposeOfUse: readonly string[];
  /** SMART launch context: bare ids. */
  readonly launch: { readonly patient?: string; readonly encounter?: string };
  /** The scope tokens as granted, unparsed. */
  readonly scopes: readonly string[];
  readonly tenant?: string;
  /** `jti` of the token: the only part of it that may be logged. */
  readonly tokenId?: string;
  /** Seconds since the epoch. */
  readonly expiresAt?: number;
  /** Seconds since the epoch. */
  readonly authenticatedAt?: number;
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** Sender constraint the token carried and the caller met (RFC 8705, RFC 9449). */
  readonly confirmation?: { readonly x5tS256?: string; readonly jkt?: string };
}
