import { randomUUID } from "node:crypto";
import type { RegisteredClient } from "@wardline/smart-auth";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { Authority, Certificate } from "./ca.ts";
import { type Caller, call } from "./call.ts";

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
  /** Itself, with a fresh token for one FHIR base. */
  signIn(resource: string): Promise<Caller>;
}

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export async function createSystem({ name, ca, edgeCa, tokenUrl }: SystemOptions): Promise<System> {
  const [certificate, { privateKey, publicKey }] = await Promise.all([
    ca.issue({ name, use: "client" }),
    generateKeyPair("ES384"),
  ]);
  return {
    certificate,
    publicKeys: { keys: [{ ...(await exportJWK(publicKey)), alg: "ES384", kid: name }] },
    async signIn(resource) {
      const assertion = await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: "ES384", kid: name, typ: "JWT" })
        .setIssuer(name)
        .setSubject(name)
        .setAudience(tokenUrl)
        .setIssuedAt()
        .setExpirationTime("60s")
        .sign(privateKey);
      const form = new URLSearchParams({
        grant_type: "client_credentials",
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion,
        resource,
      });
      const { text } = await call(tokenUrl, { ca: edgeCa, ...certificate }, { form });
      const { access_token: token } = JSON.parse(text) as { readonly access_token: string };
      return { ca: edgeCa, ...certificate, token };
    },
  };
}
