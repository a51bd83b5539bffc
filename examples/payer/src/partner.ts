import { randomUUID } from "node:crypto";
import type { RegisteredClient } from "@wardline/smart-auth";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { Authority, Certificate } from "./ca.ts";
import { type Answer, call } from "./call.ts";

export interface SystemOptions {
  /** Its `client_id`, and the name in its certificate. */
  readonly name: string;
  /** Who certifies it. */
  readonly ca: Authority;
  /** Who certifies the servers it speaks to, PEM. */
  readonly edgeCa: string;
  readonly tokenUrl: string;
}

/** Another organisation's system: a certificate for TLS, and a key to sign assertions with. */
export interface System {
  readonly certificate: Certificate;
  readonly publicKeys: RegisteredClient["jwks"];
  /** Says who it is to the token endpoint; counts once. */
  readonly signAssertion: () => Promise<string>;
  /** Asks for a token; the answer of the token endpoint. `assertion` in place of its own. */
  askForToken(about: TokenWish): Promise<Answer>;
}

export interface TokenWish {
  /** Absent: a token of the system's own, about no member. */
  readonly member?: string;
  readonly scope: string;
  /** The FHIR base the token is for. */
  readonly resource: string;
  /** In place of an assertion of its own. */
  readonly assertion?: string;
}

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export async function createSystem({ name, ca, edgeCa, tokenUrl }: SystemOptions): Promise<System> {
  const [certificate, { privateKey, publicKey }] = await Promise.all([
    ca.issue({ name, use: "client" }),
    generateKeyPair("ES384"),
  ]);
  const publicKeys = { keys: [{ ...(await exportJWK(publicKey)), alg: "ES384", kid: name }] };
  const signAssertion = (): Promise<string> =>
    new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: "ES384", kid: name, typ: "JWT" })
      .setIssuer(name)
      .setSubject(name)
      .setAudience(tokenUrl)
      .setIssuedAt()
      .setExpirationTime("60s")
      .sign(privateKey);
  return {
    certificate,
    publicKeys,
    signAssertion,
    async askForToken({ member, scope, resource, assertion }) {
      const form = new URLSearchParams({
        grant_type: "client_credentials",
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion ?? (await signAssertion()),
        ...(member === undefined ? {} : { member }),
        scope,
        resource,
      });
      return call(tokenUrl, { ca: edgeCa, ...certificate }, { body: form.toString() });
    },
  };
}
