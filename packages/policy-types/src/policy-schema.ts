import { FHIR_VERSIONS } from "./policy-routes.ts";
import { authority, issuer } from "./schema/authority.ts";
import { data, registry, routeRedaction } from "./schema/data.ts";
import { edge, upstream } from "./schema/edge.ts";
import { limits, tier, tierChoice } from "./schema/limits.ts";
import {
  closed,
  count,
  flag,
  interactions,
  list,
  name,
  named,
  oneOrSome,
  positive,
  someWords,
  text,
  url,
  words,
} from "./schema/parts.ts";
import { signIn } from "./schema/sign-in.ts";
import { TRUST_ZONES } from "./zones.ts";

const fhirVersion = { enum: FHIR_VERSIONS } as const;

const form = { enum: ["clear", "hashed"] } as const;

const route = closed(
  {
    id: name,
    path: {
      type: "string",
      pattern: "^(/[A-Za-z0-9._~-]+)+$",
      description: "a path that begins with a slash and ends without one, `/fhir`",
    },
    zone: { enum: TRUST_ZONES },
    apiType: text,
    upstream: name,
    backends: list(closed({ types: someWords, upstream: name }, ["types", "upstream"])),
    fhirVersion,
    versions: list(closed({ fhirVersion, upstream: name }, ["fhirVersion", "upstream"])),
    interactions,
    operations: words,
    memberOperations: { type: "object", minProperties: 1, additionalProperties: { enum: ["c", "u", "s"] } },
    extraParameters: words,
    types: someWords,
    clients: someWords,
    tier: name,
    tiersFor: list(tierChoice),
    redaction: routeRedaction,
    refuseWildcardScopes: flag,
    oneTimeTokens: flag,
    bindToFirstHolder: flag,
    addresses: someWords,
    registry,
    compartmentRule: { enum: ["subject", "full"] },
    supportTypes: words,
    openApi: closed(
      { file: text, roles: someWords, amr: someWords, responses: { enum: ["refuse", "report", "off"] } },
      ["file", "roles"],
    ),
    schema: closed({
      resources: { enum: ["refuse", "report", "off"] },
      queries: { enum: ["refuse", "report", "off"] },
      responses: { enum: ["report", "off"] },
      allowLenient: { type: "boolean" },
      exampleFaults: { enum: ["report", "refuse"] },
      maxCount: positive,
      maxIncludes: count,
      maxChain: count,
      maxIssues: positive,
      operationDefinitions: someWords,
      profiles: closed({ files: someWords, required: { type: "object", additionalProperties: someWords } }, ["files"]),
    }),
  },
  ["id", "path", "zone", "apiType"],
);

/**
 * JSON Schema (draft 2020-12 and draft-07 alike) of `PolicySource`, for editors and for the check at load. Rules across
 * fields (names that must exist, https, lists that must agree) are the gateway's.
 */
export const POLICY_SCHEMA: Readonly<Record<string, unknown>> = Object.freeze({
  $id: "https://wardline.dev/schema/policy-1.json",
  title: "Wardline policy document, format 1",
  ...closed({
    $schema: { type: "string" },
    wardline: { const: 1 },
    name: text,
    publicOrigin: {
      type: "string",
      pattern: "^https?://[^\\s/?#@]+$",
      description: "scheme, host and port without a path, `https://fhir.example.org`",
    },
    development: flag,
    payer: flag,
    upstream: url,
    issuer: url,
    jwksUri: url,
    audience: oneOrSome,
    issuers: list(issuer),
    upstreams: named(upstream),
    tiers: named(tier),
    routes: list(route),
    signIn,
    ...edge,
    ...authority,
    ...limits,
    ...data,
    limits: closed({ requestBodyBytes: positive, responseBodyBytes: positive }),
    audit: closed({
      folder: text,
      durability: { enum: ["before-response", "async"] },
      onFailure: { enum: ["refuse", "continue"] },
      instance: {
        type: "string",
        pattern: "^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$",
        description: "at most 64 lower-case letters, digits and inner hyphens",
      },
      retentionDays: positive,
      identifiers: { anyOf: [form, closed(Object.fromEntries(TRUST_ZONES.map((zone) => [zone, form])))] },
    }),
  }),
});
