import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

/** Keys made at start and gone at the end: a token of yesterday's run is worthless. */
export async function makeKey(alg: "ES256" | "ES384" | "RS256", kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid, use: "sig" };
}

export function publicPart({ kty, crv, x, y, n, e, alg, kid, use }: JWK): JWK {
  const part = { kty, crv, x, y, n, e, alg, kid, use };
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as JWK;
}

export function sign(key: JWK, typ: string, claims: JWTPayload): Promise<string> {
  const { alg = "", kid = "" } = key;
  return new SignJWT(claims).setProtectedHeader({ alg, kid, typ }).sign(key);
}
