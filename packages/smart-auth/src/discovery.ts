import { type FetchSettings, fetchJson, UnexpectedStatus } from "./fetch-json.ts";

/**
 * Finds the key set of an issuer: RFC 8414 first, then OpenID Connect Discovery. The document must name the issuer it was
 * asked for. Rejects when neither does.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.3
 */
export async function discoverJwksUri(issuer: string, settings: FetchSettings): Promise<string> {
  let last: unknown = new Error("no metadata");
  for (const url of metadataUrls(issuer)) {
    try {
      const metadata = (await fetchJson(url, settings)) as { issuer?: unknown; jwks_uri?: unknown } | null;
      if (metadata?.issuer !== issuer) throw new Error("the metadata names another issuer");
      if (typeof metadata.jwks_uri !== "string") throw new Error("the metadata names no jwks_uri");
      return metadata.jwks_uri;
    } catch (error) {
      // Only "there is no such document" is a reason to look elsewhere.
      if (!(error instanceof UnexpectedStatus)) throw error;
      last = error;
    }
  }
  throw last;
}

/** RFC 8414 inserts after the host, OpenID Connect appends. */
export function metadataUrls(issuer: string): readonly [rfc8414: string, openid: string] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}
