import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** An authorisation server as a resource server sees one: a key set, and tokens signed with it. */
export interface Issuer {
  readonly url: string;
  readonly jwksUri: string;
  /** Requests for the key set so far. */
  readonly fetched: () => number;
  /** A token that is good in every respect; `claims` change it, `undefined` removes a claim. */
  readonly token: (
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ) => Promise<string>;
  readonly close: () => Promise<void>;
}

export async function startIssuer(audience: () => string): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" };
  let fetched = 0;
  const server = createServer((_req, res) => {
    fetched++;
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let serial = 0;
  return {
    url,
    jwksUri: `${url}/jwks`,
    fetched: () => fetched,
    async token(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload = {
        iss: url,
        aud: audience(),
        sub: "user-1",
        client_id: "app",
        iat: now,
        exp: now + 300,
        jti: `t${++serial}`,
        ...claims,
      };
      const kept = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
      return new SignJWT(kept as JWTPayload)
        .setProtectedHeader({ alg: "ES256", kid: "k1", typ: "at+jwt", ...header })
        .sign(privateKey);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
