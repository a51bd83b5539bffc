import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { DEFAULT_INTERACTIONS, DEFAULT_SUPPORT_TYPES, smartAuth, smartConfiguration } from "../src/index.ts";
import { smartConfigurationDocument } from "../src/metadata.ts";
import { parseOptions, type SmartAuthOptions } from "../src/options.ts";

const GOOD: SmartAuthOptions = {
  issuers: [{ issuer: "https://as.example", audience: ["https://fhir.example.org/fhir"] }],
  baseUrl: "https://fhir.example.org/fhir",
};
const MEMBERS = {
  operations: ["submit"],
  memberOperations: { submit: "c" },
  readStored: async (): Promise<undefined> => undefined,
};

function issuesOf(build: () => unknown): string[] {
  try {
    build();
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
}

describe("options", () => {
  it("are frozen, with every default filled in", () => {
    const settings = parseOptions({ ...GOOD, baseUrl: "https://fhir.example.org/fhir/" });
    expect(settings.issuers[0]).toEqual({
      ...GOOD.issuers[0],
      algorithms: ["RS256", "RS384", "PS256", "PS384", "ES256", "ES384"],
      allowLegacyTyp: false,
      maxLifetimeSeconds: 3600,
      leewaySeconds: 30,
      claimNames: { roles: ["roles"], purposeOfUse: ["purpose_of_use"], attributes: [] },
    });
    expect(settings.route.baseUrl).toBe("https://fhir.example.org/fhir");
    expect([...settings.route.interactions]).toEqual(DEFAULT_INTERACTIONS);
    expect(settings.route.supportTypes).toEqual(DEFAULT_SUPPORT_TYPES);
    expect(settings.route.operations.size).toBe(0);
    expect(settings.requestBodyBytes).toBe(1024 * 1024);
    expect(Object.isFrozen(settings) && Object.isFrozen(settings.route) && Object.isFrozen(settings.issuers)).toBe(
      true,
    );
  });

  it.each<[string, object, string]>([
    ["a misspelled key", { issuer: [] }, "issuer unknown-option"],
    ["no issuer", { issuers: [] }, "issuers missing"],
    [
      "algorithms that are none",
      { issuers: [{ issuer: "https://as.example", audience: ["a"], algorithms: null }] },
      "issuers[0].algorithms unknown-value",
    ],
    [
      "a scope that is no text",
      { clients: [{ clientId: "app", scopes: [undefined] }] },
      "clients[0].scopes[0] not-a-scope",
    ],
    [
      "an issuer over http",
      { issuers: [{ issuer: "http://as.example", audience: ["a"] }] },
      "issuers[0].issuer not-https",
    ],
    [
      "an http loopback issuer outside development",
      { issuers: [{ issuer: "http://127.0.0.1:1", audience: ["a"] }] },
      "issuers[0].issuer not-https",
    ],
    ["an issuer twice", { issuers: [GOOD.issuers[0], GOOD.issuers[0]] }, "issuers[1].issuer repeated"],
    ["no audience", { issuers: [{ issuer: "https://as.example", audience: [] }] }, "issuers[0].audience missing"],
    [
      "a symmetric algorithm",
      { issuers: [{ ...GOOD.issuers[0], algorithms: ["HS256"] }] },
      "issuers[0].algorithms unknown-value",
    ],
    [
      "no algorithm at all",
      { issuers: [{ ...GOOD.issuers[0], algorithms: ["none"] }] },
      "issuers[0].algorithms unknown-value",
    ],
    [
      "an empty list of algorithms",
      { issuers: [{ ...GOOD.issuers[0], algorithms: [] }] },
      "issuers[0].algorithms unknown-value",
    ],
    [
      "too much leeway",
      { issuers: [{ ...GOOD.issuers[0], leewaySeconds: 301 }] },
      "issuers[0].leewaySeconds out-of-range",
    ],
    [
      "S9: a leeway as text, which would put off every expiry for ever",
      { issuers: [{ ...GOOD.issuers[0], leewaySeconds: "60" }] },
      "issuers[0].leewaySeconds out-of-range",
    ],
    [
      "S9: a lifetime as text",
      { issuers: [{ ...GOOD.issuers[0], maxLifetimeSeconds: "3600" }] },
      "issuers[0].maxLifetimeSeconds not-positive",
    ],
    ["S9: an age of proofs as text", { dpop: { windowSeconds: "60" } }, "dpop.windowSeconds out-of-range"],
    ["S9: a clock's lead as text", { dpop: { futureSeconds: "5" } }, "dpop.futureSeconds out-of-range"],
    [
      "S9: a memory of patients as text",
      { userAccess: { resolve: async () => [], cacheSeconds: "60" } },
      "userAccess.cacheSeconds out-of-range",
    ],
    [
      "S9: an age of the sign-in as text",
      { breakGlass: { roles: ["a"], maxAuthAgeSeconds: "900" }, onBreakGlass: () => undefined },
      "breakGlass.maxAuthAgeSeconds out-of-range",
    ],
    [
      "S9: an age of the sign-in in a rule as text",
      { conditions: [{ id: "a", effect: "deny", when: { maxAuthAgeSeconds: "900" } }] },
      "conditions[0].when.maxAuthAgeSeconds not-positive",
    ],
    ...["requireCertificateBound", "oneTimeTokens", "bindToFirstHolder", "refuseWildcardScopes", "development"].map(
      (name): [string, object, string] => [`${name} as text`, { [name]: "true" }, `${name} not-a-boolean`],
    ),
    ["a nonce required as text", { dpop: { requireNonce: "true" } }, "dpop.requireNonce not-a-boolean"],
    [
      "the address of an issuer's own description in place of its name",
      { issuers: [{ ...GOOD.issuers[0], issuer: "https://as.example/.well-known/openid-configuration" }] },
      "issuers[0].issuer not-an-issuer",
    ],
    [
      "an endless lifetime",
      { issuers: [{ ...GOOD.issuers[0], maxLifetimeSeconds: 0 }] },
      "issuers[0].maxLifetimeSeconds not-positive",
    ],
    [
      "a key set over http",
      { issuers: [{ ...GOOD.issuers[0], jwksUri: "http://as.example/jwks" }] },
      "issuers[0].jwksUri not-https",
    ],
    [
      "a misspelled key of an issuer",
      { issuers: [{ ...GOOD.issuers[0], audiences: ["a"] }] },
      "issuers[0].audiences unknown-option",
    ],
    ["an issuer that is none", { issuers: [null] }, "issuers[0] not-an-object"],
    ["any issuer without keys", { issuers: [{ issuer: "*", audience: ["a"] }] }, "issuers[0].jwksUri missing"],
    [
      "any issuer beside another",
      { issuers: [GOOD.issuers[0], { issuer: "*", audience: ["a"], jwksUri: "https://as.example/jwks" }] },
      "issuers[1].issuer ambiguous",
    ],
    [
      "any issuer that is to be asked",
      {
        issuers: [
          {
            issuer: "*",
            audience: ["a"],
            jwksUri: "https://as.example/jwks",
            introspection: {
              endpoint: "https://as.example/i",
              clientId: "edge",
              authentication: { method: "client_secret_basic", secret: "s" },
            },
          },
        ],
      },
      "issuers[0].introspection ambiguous",
    ],
    [
      "any issuer for nobody in particular",
      { issuers: [{ issuer: "*", audience: [], jwksUri: "https://as.example/jwks" }] },
      "issuers[0].audience missing",
    ],
    [
      "any issuer's keys over http",
      { issuers: [{ issuer: "*", audience: ["a"], jwksUri: "http://as.example/jwks" }] },
      "issuers[0].jwksUri not-https",
    ],
    [
      "a pattern of issuers",
      { issuers: [{ issuer: "https://*", audience: ["a"] }] },
      "issuers[0].issuer unknown-value",
    ],
    ["holders and single use", { bindToFirstHolder: true, oneTimeTokens: true }, "bindToFirstHolder contradictory"],
    ["holders nobody asks for", { holderStore: { hold: async () => "" } }, "holderStore unused"],
    ["a holder store that is none", { bindToFirstHolder: true, holderStore: {} }, "holderStore not-a-store"],
    ["a base URL over http", { baseUrl: "http://fhir.example.org/fhir" }, "baseUrl not-https"],
    ["a base URL with a query", { baseUrl: "https://fhir.example.org/fhir?x" }, "baseUrl not-a-url"],
    ["a base URL that could break a header", { baseUrl: 'https://fhir.example.org/"' }, "baseUrl not-a-url"],
    ["an unknown interaction", { interactions: ["reed"] }, "interactions[0] unknown-value"],
    ["operation as an interaction", { interactions: ["operation"] }, "interactions[0] unknown-value"],
    ["an operation with its sign", { operations: ["$everything"] }, "operations[0] unknown-value"],
    ["an unknown type", { types: ["Observations"] }, "types[0] unknown-value"],
    ["a support type that belongs to patients", { supportTypes: ["Observation"] }, "supportTypes[0] unknown-value"],
    ["a support type that can hold anything", { supportTypes: ["Binary"] }, "supportTypes[0] unknown-value"],
    ["an unknown rule", { compartmentRule: "both" }, "compartmentRule unknown-value"],
    ["a body limit of zero", { requestBodyBytes: 0 }, "requestBodyBytes not-positive"],
    ["a body limit that is no number", { requestBodyBytes: Number.NaN }, "requestBodyBytes not-positive"],
    ["a member operation that is not offered", { ...MEMBERS, operations: [] }, "memberOperations.submit not-offered"],
    [
      "a member operation by the right to read",
      { ...MEMBERS, memberOperations: { submit: "r" } },
      "memberOperations.submit unknown-value",
    ],
    [
      "member operations without rights",
      { ...MEMBERS, memberOperations: ["submit"] },
      "memberOperations not-an-object",
    ],
    ["member operations that nothing can judge", { ...MEMBERS, readStored: undefined }, "memberOperations incomplete"],
    ["a list that is none", { operations: "everything" }, "operations not-a-list"],
    ["a reader that is no function", { readStored: true }, "readStored not-a-function"],
  ])("with %s stop the start-up", (_what, change, issue) => {
    expect(issuesOf(() => smartAuth({ ...GOOD, ...change } as SmartAuthOptions))).toContain(issue);
  });

  it("tell every mistake at once", () => {
    const bad = { ...GOOD, issuers: [], baseUrl: "x", requestBodyBytes: -1 };
    expect(issuesOf(() => smartAuth(bad)).length).toBe(3);
  });

  it("A16: do not depend on NODE_ENV", () => {
    const before = process.env["NODE_ENV"];
    try {
      for (const value of ["production", "development", "test"]) {
        process.env["NODE_ENV"] = value;
        expect(parseOptions(GOOD).development).toBe(false);
      }
    } finally {
      process.env["NODE_ENV"] = before;
    }
  });
});

const ENDPOINTS = {
  tokenEndpoint: "https://as.example/token",
  authorizationEndpoint: "https://as.example/authorize",
  capabilities: ["launch-standalone", "permission-v2"],
};

describe("the SMART configuration", () => {
  it("is built of what was given, S256 only", () => {
    expect(smartConfigurationDocument({ ...ENDPOINTS, scopesSupported: ["patient/*.rs"] })).toEqual({
      authorization_endpoint: "https://as.example/authorize",
      token_endpoint: "https://as.example/token",
      grant_types_supported: ["authorization_code", "client_credentials"],
      response_types_supported: ["code"],
      scopes_supported: ["patient/*.rs"],
      code_challenge_methods_supported: ["S256"],
      capabilities: ["launch-standalone", "permission-v2"],
    });
  });

  it("names the issuer exactly with sign-in", () => {
    const signIn = { issuer: "https://as.example", jwksUri: "https://as.example/jwks" };
    expect(smartConfigurationDocument({ ...ENDPOINTS, ...signIn })["issuer"]).toBe(undefined);
    const capabilities = [...ENDPOINTS.capabilities, "sso-openid-connect"];
    const document = smartConfigurationDocument({ ...ENDPOINTS, ...signIn, capabilities });
    expect(document).toMatchObject({ issuer: "https://as.example", jwks_uri: "https://as.example/jwks" });
  });

  it.each<[string, object, string]>([
    ["plain PKCE", { codeChallengeMethodsSupported: ["S256", "plain"] }, "codeChallengeMethodsSupported not-s256"],
    ["a launch without its endpoint", { authorizationEndpoint: undefined }, "authorizationEndpoint missing"],
    ["sign-in without an issuer", { capabilities: ["sso-openid-connect"] }, "issuer missing"],
    ["no token endpoint", { tokenEndpoint: undefined }, "tokenEndpoint missing"],
    ["a relative endpoint", { tokenEndpoint: "/token" }, "tokenEndpoint not-https"],
    ["an endpoint over http", { revocationEndpoint: "http://as.example/revoke" }, "revocationEndpoint not-https"],
    ["no capabilities", { capabilities: undefined }, "capabilities missing"],
    ["a misspelled key", { tokenEndpiont: "x" }, "tokenEndpiont unknown-option"],
  ])("with %s stops the start-up", (_what, change, issue) => {
    expect(issuesOf(() => smartConfiguration({ ...ENDPOINTS, ...change } as typeof ENDPOINTS))).toContain(issue);
  });
});
