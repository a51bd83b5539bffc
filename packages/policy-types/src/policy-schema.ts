import { INTERACTION_CODES } from "./interaction.ts";
import { TRUST_ZONES } from "./zones.ts";

const name = { type: "string", pattern: "^[A-Za-z][A-Za-z0-9_-]{0,63}$" } as const;
const positive = { type: "integer", minimum: 1 } as const;
const words = { type: "array", items: { type: "string", minLength: 1 }, uniqueItems: true } as const;
const url = { type: "string", pattern: "^https?://[^\\s/?#]+[^\\s?#]*$" } as const;

const form = { enum: ["clear", "hashed"] } as const;

function closed(properties: object, required: readonly string[]): object {
  return { type: "object", additionalProperties: false, required, properties };
}

const issuer = closed(
  {
    issuer: { anyOf: [url, { const: "*" }] },
    audience: { ...words, minItems: 1 },
    jwksUri: url,
    algorithms: {
      type: "array",
      minItems: 1,
      uniqueItems: true,
      items: { enum: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] },
    },
    allowLegacyTyp: { type: "boolean" },
    maxLifetimeSeconds: positive,
    leewaySeconds: { type: "integer", minimum: 0, maximum: 300 },
    smart: closed(
      {
        authorizationEndpoint: url,
        tokenEndpoint: url,
        introspectionEndpoint: url,
        revocationEndpoint: url,
        registrationEndpoint: url,
        managementEndpoint: url,
        capabilities: { ...words, minItems: 1 },
        scopesSupported: words,
      },
      ["tokenEndpoint", "capabilities"],
    ),
  },
  ["issuer"],
);

const text = { type: "string", minLength: 1 } as const;
const secret = { type: "string", pattern: "^(env|file|provider):.+$" } as const;

const listener = {
  host: { type: "string" },
  port: { type: "integer", minimum: 0, maximum: 65_535 },
  zones: { type: "array", minItems: 1, uniqueItems: true, items: { enum: TRUST_ZONES } },
  tls: closed(
    {
      cert: text,
      key: secret,
      passphrase: secret,
      clientCa: { ...words, minItems: 1 },
      crl: { ...words, minItems: 1 },
      ocsp: text,
      clientCertificates: { enum: ["none", "requested", "required"] },
      minVersion: { enum: ["TLSv1.2", "TLSv1.3"] },
      fips: { type: "boolean" },
    },
    ["cert", "key"],
  ),
} as const;

const upstream = closed(
  {
    url,
    targets: { type: "array", minItems: 1, items: closed({ url, weight: positive }, ["url"]) },
    srv: { type: "string", pattern: "^_[a-z0-9-]+\\._tcp\\.[A-Za-z0-9.-]+$" },
    srvRefreshSeconds: positive,
    probe: closed({ path: { type: "string", pattern: "^/[^\\s?#]*$" }, intervalSeconds: positive }, []),
    retryShare: { type: "number", minimum: 0, maximum: 1 },
    headersTimeoutMs: positive,
    bodyTimeoutMs: positive,
    connections: { ...positive, maximum: 10_000 },
  },
  ["url"],
);

const tier = closed(
  {
    windows: {
      type: "array",
      minItems: 1,
      items: closed(
        {
          name,
          limit: positive,
          windowSeconds: positive,
          by: { enum: ["client", "user", "organisation", "device", "address"] },
        },
        ["name", "limit", "windowSeconds", "by"],
      ),
    },
    concurrency: positive,
  },
  ["windows"],
);

const route = closed(
  {
    id: name,
    path: { type: "string", pattern: "^(/[A-Za-z0-9._~-]+)+$" },
    zone: { enum: TRUST_ZONES },
    apiType: { type: "string", minLength: 1 },
    upstream: name,
    interactions: {
      type: "array",
      minItems: 1,
      uniqueItems: true,
      items: { enum: INTERACTION_CODES.filter((code) => code !== "operation") },
    },
    backends: {
      type: "array",
      minItems: 1,
      items: closed({ types: { ...words, minItems: 1 }, upstream: name }, ["types", "upstream"]),
    },
    operations: words,
    extraParameters: words,
    types: { ...words, minItems: 1 },
    tier: name,
    compartmentRule: { enum: ["subject", "full"] },
    supportTypes: words,
    schema: closed(
      {
        resources: { enum: ["refuse", "report", "off"] },
        queries: { enum: ["refuse", "report", "off"] },
        responses: { enum: ["report", "off"] },
        maxCount: positive,
      },
      [],
    ),
  },
  ["id", "path", "zone", "apiType", "interactions"],
);

/**
 * JSON Schema (draft 2020-12 and draft-07 alike) of `PolicySource`, for editors and for the check at load. Rules across
 * fields (names that must exist, https, lists that must agree) are the gateway's.
 */
export const POLICY_SCHEMA: Readonly<Record<string, unknown>> = Object.freeze({
  $id: "https://wardline.dev/schema/policy-1.json",
  title: "Wardline policy document, format 1",
  ...closed(
    {
      $schema: { type: "string" },
      wardline: { const: 1 },
      name: { type: "string", minLength: 1 },
      publicOrigin: { type: "string", pattern: "^https?://[^\\s/?#@]+$" },
      development: { type: "boolean" },
      listen: closed(listener, []),
      listeners: { type: "object", propertyNames: name, additionalProperties: closed(listener, ["port", "zones"]) },
      clientCertificateHeader: closed(
        {
          format: { enum: ["rfc9440", "nginx", "envoy", "aws"] },
          name: { type: "string", pattern: "^[A-Za-z0-9-]+$" },
        },
        ["format"],
      ),
      upstream: url,
      issuer: url,
      jwksUri: url,
      audience: {
        anyOf: [
          { type: "string", minLength: 1 },
          { ...words, minItems: 1 },
        ],
      },
      admin: closed({ host: { type: "string" }, port: { type: "integer", minimum: 0, maximum: 65_535 } }, ["port"]),
      issuers: { type: "array", minItems: 1, items: issuer },
      upstreams: { type: "object", minProperties: 1, propertyNames: name, additionalProperties: upstream },
      tiers: { type: "object", minProperties: 1, propertyNames: name, additionalProperties: tier },
      routes: { type: "array", minItems: 1, items: route },
      door: closed({ limit: positive, windowSeconds: positive }, []),
      limits: closed({ requestBodyBytes: positive, responseBodyBytes: positive }, []),
      audit: closed(
        {
          folder: { type: "string", minLength: 1 },
          durability: { enum: ["before-response", "async"] },
          onFailure: { enum: ["refuse", "continue"] },
          instance: { type: "string", pattern: "^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$" },
          retentionDays: positive,
          identifiers: {
            anyOf: [form, closed(Object.fromEntries(TRUST_ZONES.map((zone) => [zone, form])), [])],
          },
        },
        [],
      ),
      trustedProxies: words,
    },
    [],
  ),
});
