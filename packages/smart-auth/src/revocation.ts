/** A token as a revocation list may know it. */
export interface RevocableToken {
  readonly issuer: string;
  readonly subject: string;
  /** `jti` */
  readonly tokenId?: string;
  /** SHA-256 of the token in base64url. */
  readonly tokenHash: string;
  /** `iat`, seconds since the epoch. Absent: as if issued long ago. */
  readonly issuedAt?: number;
}

/**
 * Says which tokens were taken back before they expired. Asked at each request, also about remembered tokens (A10);
 * smart-auth waits 50 ms and refuses the request (503) when it rejects.
 */
export interface RevocationList {
  isRevoked(token: RevocableToken): Promise<boolean>;
}

export interface MemoryRevocationList extends RevocationList {
  /** All `until` in seconds since the epoch: when the tokens meant have expired by themselves. */
  revokeTokenId(issuer: string, tokenId: string, until: number): void;
  /** @param tokenHash SHA-256 of the token in base64url */
  revokeTokenHash(tokenHash: string, until: number): void;
  /** Every token of this subject that was issued before `since`, by its issuer's clock, which may be ahead by `leewaySeconds`. */
  revokeSubject(issuer: string, subject: string, since: number, until: number): void;
}
