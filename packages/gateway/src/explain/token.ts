import type { IssuerEntry, PolicyDocument } from "@wardline/policy-types";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** Stands in for the issuers of a policy: the same names and algorithms, keys of its own. */
export interface StandInIssuers {
  /** The policy's issuers, whose key sets `fetch` serves. */
  readonly issuers: readonly IssuerEntry[];
  readonly fetch: typeof fetch;
  token(claims: Readonly<Record<string, unknown>>, audience: string, now: number): Promise<string>;
}

const KEY_ID = "explain";

/** Where nobody's tokens count, this is whose they are. */
const NOBODYS: IssuerEntry = { issuer: "https://issuer.example" };

export async function standInIssuers(policy: PolicyDocument): Promise<StandInIssuers> {
  const issuers = policy.issuers.length === 0 ? [NOBODYS] : policy.issuers;
  const keys = await Promise.all(issuers.map(keyFor));
  const jwksUris = issuers.map((_, index) => `https://issuer-${index}.invalid/jwks`);
  return {
    issuers: policy.issuers.map((issuer, index) => ({ ...issuer, jwksUri: jwksUris[index] ?? "" })),
    fetch: (input) => {
      const url = input instanceof Request ? input.url : String(input);
      const jwk = keys[jwksUris.indexOf(url)]?.jwk;
      if (jwk === undefined) return Promise.reject(new Error("explaining asks nobody outside"));
      return Promise.resolve(Response.json({ keys: [jwk] }));
    },
    async token(claims, audience, now) {
      const named = issuers.findIndex(({ issuer }) => issuer === claims["iss"]);
      const at = named === -1 ? 0 : named;
      const [issuer, pair] = [issuers[at], keys[at]];
      if (issuer === undefined || pair === undefined) throw new Error("the policy names no issuer");
      const seconds = Math.floor(now / 1000);
      return new SignJWT({
        iss: issuer.issuer === "*" ? "https://issuer.example" : issuer.issuer,
        aud: issuer.audience?.[0] ?? audience,
        sub: "explain-user",
        client_id: "explain-app",
        jti: `explain-${seconds}`,
        iat: seconds,
        exp: seconds + 300,
        ...claims,
      })
        .setProtectedHeader({ alg: pair.algorithm, kid: KEY_ID, typ: "at+jwt" })
        .sign(pair.key);
    },
  };
}

interface StandInKey {
  readonly algorithm: string;
  readonly key: CryptoKey;
  readonly jwk: JWK;
}

async function keyFor({ algorithms }: IssuerEntry): Promise<StandInKey> {
  const algorithm = algorithms?.find((name) => name.startsWith("ES") || name === "EdDSA") ?? algorithms?.[0] ?? "ES256";
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return {
    algorithm,
    key: privateKey,
    jwk: { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: algorithm, use: "sig" },
  };
}
