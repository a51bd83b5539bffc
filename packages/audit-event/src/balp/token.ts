import { profileUrl } from "./codes.ts";
import type { AuditAgent } from "./resource.ts";

/**
 * A token as events name it. An id becomes `urn:ietf:params:oauth:jti:` and the id, BALP's SHALL, which its own examples
 * leave out. A token without an id is known by its hash, which is a URI already.
 */
export function tokenUri(tokenId: string): string {
  if (isTokenHash(tokenId)) return tokenId;
  return `${JTI}${tokenId.replace(/[^\u0021-\u007e]/gu, percentEncoded)}`;
}

/** The token id that `tokenUri` has named. */
export function tokenIdOf(uri: string): string {
  if (!uri.startsWith(JTI)) return uri;
  try {
    return decodeURIComponent(uri.slice(JTI.length));
  } catch {
    return uri.slice(JTI.length);
  }
}

/**
 * The profiles of a token's use. Minimal: an id and the user. Comprehensive: the client by its id besides. Opaque: a
 * token without an id, told by its hash. BALP would have the last 32 characters of the token, of which we keep none.
 * There are four lists, and each is always the same.
 *
 * @see https://profiles.ihe.net/ITI/BALP/content.html IHE BALP 1.1.4, section 3:5.7.5.9
 */
export function tokenProfiles(
  tokenId: string | undefined,
  client: AuditAgent | undefined,
  user: AuditAgent | undefined,
): readonly string[] {
  if (tokenId === undefined || user?.policy === undefined) return NONE;
  if (isTokenHash(tokenId)) return OPAQUE;
  return client?.who.identifier === undefined ? MINIMAL : COMPREHENSIVE;
}

const NONE: readonly string[] = [];
const OPAQUE: readonly string[] = [profileUrl("IHE.BasicAudit.OAUTHaccessTokenUse.Opaque")];
const MINIMAL: readonly string[] = [profileUrl("IHE.BasicAudit.OAUTHaccessTokenUse.Minimal")];
const COMPREHENSIVE: readonly string[] = [...MINIMAL, profileUrl("IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive")];

const JTI = "urn:ietf:params:oauth:jti:";

function isTokenHash(tokenId: string): boolean {
  return /^urn:wardline:token-sha256:[0-9a-f]{32,64}$/.test(tokenId);
}

function percentEncoded(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}
