import type { KeySource } from "../jwks.ts";
import type { IssuerSettings } from "../settings.ts";
import { verifySignature } from "../signature.ts";
import { parseToken } from "../token.ts";

/** Older than this, a signed answer is a repeated one, in seconds. */
const OLDEST_SECONDS = 60;

/**
 * The introspection answer inside a signed one; `undefined` when it is not signed by this issuer, for us, just now.
 *
 * Does NOT decrypt: see `decrypt`.
 *
 * @param now seconds since the epoch
 * @see https://www.rfc-editor.org/rfc/rfc9701#section-5
 */
export async function openSigned(
  text: string,
  clientId: string,
  { issuer, keys }: { readonly issuer: IssuerSettings; readonly keys: KeySource },
  now: number,
): Promise<unknown> {
  const token = parseToken(text);
  if ("fault" in token) return undefined;
  const { iss, aud, iat, token_introspection: inner, sub, exp } = token.claims;
  const isTyped = token.header.typ?.toLowerCase().replace(/^application\//, "") === "token-introspection+jwt";
  // Section 5: top-level `sub` and `exp` would make it look like an access token.
  if (!isTyped || iss !== issuer.issuer || sub !== undefined || exp !== undefined) return undefined;
  const names: readonly unknown[] = Array.isArray(aud) ? (aud as unknown[]) : [aud];
  const ours: readonly unknown[] = [clientId, ...issuer.audience];
  if (!names.some((name) => ours.includes(name))) return undefined;
  if (typeof iat !== "number" || Math.abs(now - iat) > OLDEST_SECONDS + issuer.leewaySeconds) return undefined;
  const signature = await verifySignature(token, { issuer, keys });
  return signature.kind === "good" ? inner : undefined;
}
