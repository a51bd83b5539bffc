import { ConfigurationError } from "@wardline/policy-types";
import { exportJWK } from "jose";
import { describe, expect, it } from "vitest";
import { parseOptions } from "../src/options.ts";
import { createAuthority } from "./support/certificates.ts";
import { RSA_SIGNER, SIGNER } from "./support/issuer.ts";

const GOOD = {
  endpoint: "https://as.example/introspect",
  clientId: "edge",
  authentication: { method: "client_secret_basic", secret: "s" },
} as const;
const CERTIFICATE = createAuthority("edge");
const ANOTHER = createAuthority("another");
const RSA_JWK = await exportJWK(RSA_SIGNER.privateKey);
const KEY = { method: "private_key_jwt", key: SIGNER.privateKey, alg: "ES256", kid: "k" } as const;

function parse(...introspection: object[]) {
  const issuers = introspection.map((one, at) => ({
    issuer: `https://as${at}.example`,
    audience: ["a"],
    introspection: one as typeof GOOD,
  }));
  return parseOptions({ issuers, baseUrl: "https://fhir.example.org/fhir" });
}

describe("introspection options", () => {
  it("have defaults", () => {
    expect(parse(GOOD).issuers[0]?.introspection).toEqual({
      ...GOOD,
      positiveTtlSeconds: 60,
      negativeTtlSeconds: 10,
      expectSigned: false,
      always: false,
      opaque: true,
    });
  });

  it.each<[string, object, string]>([
    ["no object", { introspection: null }, "introspection not-an-object"],
    ["an endpoint over http", { endpoint: "http://as.example/i" }, "introspection.endpoint not-https"],
    ["no endpoint", { endpoint: undefined }, "introspection.endpoint not-https"],
    ["no client", { clientId: "" }, "introspection.clientId missing"],
    ["a misspelled key", { positiveTtl: 1 }, "introspection.positiveTtl unknown-option"],
    ["too long a memory", { positiveTtlSeconds: 301 }, "introspection.positiveTtlSeconds out-of-range"],
    ["a memory of no number", { negativeTtlSeconds: Number.NaN }, "introspection.negativeTtlSeconds out-of-range"],
    ["no authentication", { authentication: undefined }, "introspection.authentication.method unknown-value"],
    [
      "the secret in the body",
      { authentication: { method: "client_secret_post" } },
      "introspection.authentication.method unknown-value",
    ],
    ["no secret", { authentication: { method: "client_secret_basic" } }, "introspection.authentication.secret missing"],
    [
      "a symmetric algorithm",
      { authentication: { ...KEY, alg: "HS256" } },
      "introspection.authentication.alg unknown-value",
    ],
    ["no kid", { authentication: { ...KEY, kid: "" } }, "introspection.authentication.kid missing"],
    [
      "a key for another algorithm",
      { authentication: { ...KEY, alg: "ES384" } },
      "introspection.authentication.key not-for-alg",
    ],
    [
      "a key of another kind",
      { authentication: { ...KEY, key: RSA_JWK } },
      "introspection.authentication.key not-for-alg",
    ],
    [
      "a client certificate without its key",
      { authentication: { method: "tls_client_auth", cert: CERTIFICATE.pem } },
      "introspection.authentication not-a-certificate",
    ],
    [
      "a client certificate with another's key",
      { authentication: { method: "tls_client_auth", cert: CERTIFICATE.pem, key: ANOTHER.keyPem } },
      "introspection.authentication not-a-certificate",
    ],
    [
      "a CA that is none",
      { authentication: { method: "tls_client_auth", cert: CERTIFICATE.pem, key: CERTIFICATE.keyPem, ca: "x" } },
      "introspection.authentication not-a-certificate",
    ],
    [
      "a client certificate shown to nobody",
      {
        endpoint: "http://127.0.0.1/introspect",
        authentication: { method: "tls_client_auth", cert: CERTIFICATE.pem, key: CERTIFICATE.keyPem },
      },
      "introspection.endpoint not-https",
    ],
    ["a public key", { authentication: { ...KEY, key: SIGNER.jwk } }, "introspection.authentication.key not-a-key"],
  ])("with %s stop the start-up", (_what, change, issue) => {
    const introspection = "introspection" in change ? (change.introspection as object) : { ...GOOD, ...change };
    expect(issuesOf(() => parse(introspection))).toContain(`issuers[0].${issue}`);
  });

  it("name one issuer for opaque tokens", () => {
    expect(issuesOf(() => parse(GOOD, GOOD))).toEqual(["issuers[1].introspection.opaque ambiguous"]);
    expect(issuesOf(() => parse(GOOD, { ...GOOD, opaque: false }))).toEqual([]);
  });
});

function issuesOf(build: () => unknown): string[] {
  try {
    build();
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
}
