import { expect, it } from "vitest";
import type { RevocationList } from "../../src/index.ts";

type Awaitable = void | Promise<void>;

/** A list that can be written, in one process or for all. */
export interface WritableRevocationList extends RevocationList {
  revokeTokenId(issuer: string, tokenId: string, until: number): Awaitable;
  revokeTokenHash(tokenHash: string, until: number): Awaitable;
  revokeSubject(issuer: string, subject: string, since: number, until: number): Awaitable;
}

export interface RevocationListUnderTest {
  readonly list: WritableRevocationList;
  /** Moves the list's clock. */
  readonly pass: (seconds: number) => Awaitable;
}

/** What every revocation list must do. `create` makes an empty one whose clock stands at `now`, in seconds. */
export function revocationListContract(
  create: (now: number) => RevocationListUnderTest | Promise<RevocationListUnderTest>,
): void {
  const now = 1_800_000_000;
  const token = { issuer: "i", subject: "s", tokenId: "t", tokenHash: "h", issuedAt: now - 5 };

  it("knows what was revoked, by id, by hash and by subject, and nothing else", async () => {
    const { list } = await create(now);
    expect(await list.isRevoked(token)).toBe(false);
    await list.revokeTokenId("i", "t", now + 60);
    expect(await list.isRevoked(token)).toBe(true);
    expect(await list.isRevoked({ ...token, issuer: "other" })).toBe(false);
    await list.revokeTokenHash("h2", now + 60);
    expect(await list.isRevoked({ ...token, tokenId: "t2", tokenHash: "h2" })).toBe(true);
    await list.revokeSubject("i", "s2", now, now + 60);
    expect(await list.isRevoked({ ...token, tokenId: "t3", tokenHash: "h3", subject: "s2" })).toBe(true);
    expect(await list.isRevoked({ ...token, tokenId: "t3", tokenHash: "h3", subject: "s2", issuedAt: now })).toBe(
      false,
    );
  });

  it("forgets it when the tokens meant have expired, not before", async () => {
    const { list, pass } = await create(now);
    await list.revokeTokenId("i", "t", now + 60);
    await pass(58);
    expect(await list.isRevoked(token)).toBe(true);
    await pass(3);
    expect(await list.isRevoked(token)).toBe(false);
  });

  it("never lets a later word take an earlier one back", async () => {
    const { list, pass } = await create(now);
    await list.revokeSubject("i", "s", now, now + 60);
    await list.revokeSubject("i", "s", now - 50, now + 10);
    await pass(30);
    expect(await list.isRevoked(token)).toBe(true);
    const { issuedAt: _, ...undated } = token;
    expect(await list.isRevoked(undated)).toBe(true);
  });
}
