import { TRUST_ZONES } from "../zones.ts";
import { anyInteractions, closed, flag, list, name, positive, secret, someWords, text, url, words } from "./parts.ts";

export const algorithms = {
  type: "array",
  minItems: 1,
  uniqueItems: true,
  items: { enum: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] },
} as const;

const ttl = { type: "integer", minimum: 0, maximum: 300 } as const;

const introspection = closed(
  {
    endpoint: url,
    clientId: text,
    authentication: {
      anyOf: [
        closed({ method: { const: "client_secret_basic" }, secret }, ["method", "secret"]),
        closed({ method: { const: "private_key_jwt" }, key: secret, alg: text, kid: text }, [
          "method",
          "key",
          "alg",
          "kid",
        ]),
        closed(
          {
            method: { enum: ["tls_client_auth", "self_signed_tls_client_auth"] },
            cert: text,
            key: secret,
            ca: someWords,
          },
          ["method", "cert", "key"],
        ),
      ],
    },
    positiveTtlSeconds: ttl,
    negativeTtlSeconds: ttl,
    expectSigned: flag,
    decryption: closed(
      {
        key: secret,
        alg: { enum: ["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"] },
        enc: someWords,
      },
      ["key", "alg"],
    ),
    always: flag,
    opaque: flag,
  },
  ["endpoint", "clientId", "authentication"],
);

export const issuer: object = closed(
  {
    issuer: { anyOf: [url, { const: "*" }] },
    audience: someWords,
    jwksUri: url,
    algorithms,
    allowLegacyTyp: flag,
    maxLifetimeSeconds: positive,
    leewaySeconds: { type: "integer", minimum: 0, maximum: 300 },
    introspection,
    claims: { type: "object" },
    smart: closed(
      {
        authorizationEndpoint: url,
        tokenEndpoint: url,
        introspectionEndpoint: url,
        revocationEndpoint: url,
        registrationEndpoint: url,
        managementEndpoint: url,
        capabilities: someWords,
        scopesSupported: words,
        tokenEndpointAuthMethodsSupported: someWords,
        tokenEndpointAuthSigningAlgorithmsSupported: algorithms,
      },
      ["tokenEndpoint", "capabilities"],
    ),
  },
  ["issuer"],
);

const day = { enum: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] } as const;
const time = {
  type: "string",
  pattern: "^([01]\\d|2[0-4]):[0-5]\\d$",
  description: 'a time of day as text, `"08:00"`',
} as const;

const condition = closed(
  {
    id: text,
    effect: { enum: ["deny", "require", "withhold", "permit"] },
    categories: someWords,
    on: closed({
      interactions: anyInteractions,
      types: someWords,
      zones: { type: "array", minItems: 1, uniqueItems: true, items: { enum: TRUST_ZONES } },
      routes: someWords,
    }),
    when: closed({
      roles: someWords,
      purposeOfUse: someWords,
      acr: someWords,
      amr: someWords,
      maxAuthAgeSeconds: positive,
      departments: someWords,
      organisations: someWords,
      clients: someWords,
      issuers: someWords,
      attributes: { type: "object", additionalProperties: someWords },
      networks: someWords,
      hours: closed({ timeZone: text, days: { type: "array", minItems: 1, items: day }, from: time, to: time }, [
        "timeZone",
        "from",
        "to",
      ]),
    }),
    liftedByBreakGlass: flag,
  },
  ["id", "effect", "when"],
);

const device = closed(
  {
    name,
    issuedBy: someWords,
    intermediates: someWords,
    identity: closed({ name: { enum: ["uri", "dns", "email"] }, prefix: text }, ["name"]),
    scopes: someWords,
    organisation: text,
    crl: text,
    addresses: someWords,
  },
  ["name", "issuedBy", "identity", "scopes"],
);

/** Members of the policy that say who may do what. */
export const authority: Readonly<Record<string, object>> = {
  clients: list(
    closed({ clientId: text, issuer: text, scopes: someWords, organisation: text }, ["clientId", "scopes"]),
  ),
  conditions: list(condition),
  breakGlass: closed(
    {
      roles: someWords,
      purposes: someWords,
      header: flag,
      maxAuthAgeSeconds: { ...positive, maximum: 3600 },
      acr: someWords,
      lifts: { type: "array", minItems: 1, items: { enum: ["user-access", "consent"] } },
      interactions: anyInteractions,
    },
    ["roles"],
  ),
  consent: closed({
    file: text,
    categories: list(closed({ name: text, labels: someWords, codes: someWords, types: someWords }, ["name"])),
    managers: someWords,
    readResources: flag,
  }),
  devices: list(device),
  dpop: closed({
    algorithms,
    windowSeconds: { ...positive, maximum: 300 },
    futureSeconds: { type: "integer", minimum: 0, maximum: 60 },
    requireNonce: flag,
    nonceKey: secret,
  }),
  pageLinks: closed({ keys: { type: "array", minItems: 1, maxItems: 4, items: secret }, lifetimeSeconds: positive }, [
    "keys",
  ]),
};
