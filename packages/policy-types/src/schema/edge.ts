import { TRUST_ZONES } from "../zones.ts";
import { breaker } from "./limits.ts";
import { closed, flag, list, named, port, positive, secret, share, someWords, text, url, words } from "./parts.ts";

const identity = {
  cert: text,
  key: secret,
  passphrase: secret,
  clientCa: someWords,
  crl: someWords,
  ocsp: text,
  clientCertificates: { enum: ["none", "requested", "required"] },
} as const;

const tls = closed(
  {
    ...identity,
    names: {
      type: "object",
      minProperties: 1,
      propertyNames: {
        type: "string",
        pattern: "^[a-z0-9.-]{1,253}$",
        description: "a host name in lower case, `partner.example.org`",
      },
      additionalProperties: closed(identity, ["cert", "key"]),
    },
    sessionTickets: { anyOf: [{ const: "off" }, closed({ rotateSeconds: positive }, ["rotateSeconds"])] },
    reloadSeconds: positive,
    minVersion: { enum: ["TLSv1.2", "TLSv1.3"] },
    fips: flag,
  },
  ["cert", "key"],
);

const listener = {
  host: text,
  port,
  zones: { type: "array", minItems: 1, uniqueItems: true, items: { enum: TRUST_ZONES } },
  tls,
} as const;

export const upstream: object = closed(
  {
    url,
    targets: list(closed({ url, weight: positive }, ["url"])),
    srv: {
      type: "string",
      pattern: "^_[a-z0-9-]+\\._tcp\\.[A-Za-z0-9.-]+$",
      description: "the name of SRV records, `_fhir._tcp.ehr.example`",
    },
    srvRefreshSeconds: positive,
    probe: closed({ path: { type: "string", pattern: "^/[^\\s?#]*$" }, intervalSeconds: positive }),
    retryShare: share,
    headersTimeoutMs: positive,
    bodyTimeoutMs: positive,
    connections: { ...positive, maximum: 10_000 },
    breaker: { anyOf: [{ const: false }, breaker] },
    tls: closed({
      ca: someWords,
      cert: text,
      key: secret,
      pins: someWords,
      servername: text,
      minVersion: { enum: ["TLSv1.2", "TLSv1.3"] },
    }),
  },
  ["url"],
);

const exactPath = {
  type: "string",
  pattern: "^/[A-Za-z0-9._/-]+$",
  description: "a path of letters, digits, `.`, `_`, `-` and `/`, `/openapi.json`",
} as const;

const header = { anyOf: [{ const: false }, { type: "string", pattern: "^[A-Za-z0-9-]+$" }] } as const;

/** Members of the policy about the edge's own place: its doors, its neighbours, its watchman. */
export const edge: Readonly<Record<string, object>> = {
  listen: closed(listener),
  listeners: named(closed(listener, ["port", "zones"])),
  clientCertificateHeader: closed(
    { format: { enum: ["rfc9440", "nginx", "envoy", "aws"] }, name: { type: "string", pattern: "^[A-Za-z0-9-]+$" } },
    ["format"],
  ),
  plaintext: closed({ host: text, port, redirect: flag }, ["port"]),
  admin: closed(
    {
      host: text,
      port,
      tls,
      operators: closed({ audience: text, roles: someWords, amr: someWords }, ["audience", "roles"]),
    },
    ["port"],
  ),
  trustedProxies: someWords,
  cors: closed({ origins: someWords, requestHeaders: someWords, exposeHeaders: someWords, maxAgeSeconds: positive }, [
    "origins",
  ]),
  hosts: someWords,
  usage: closed({ file: text, key: secret, timeZone: text }, ["file", "key"]),
  apiDocuments: closed(
    {
      title: text,
      version: text,
      description: text,
      zones: { type: "array", minItems: 1, uniqueItems: true, items: { enum: TRUST_ZONES } },
      documentPath: exactPath,
      pagePath: exactPath,
    },
    ["title", "version"],
  ),
  hostileInput: closed({
    mode: { enum: ["refuse", "report", "off"] },
    exceptions: list(closed({ path: text, rules: someWords, parameter: text }, ["path", "rules"])),
  }),
  identity: closed({
    headers: closed({ organization: header, user: header, client: header }),
    token: closed({ key: secret, algorithm: text, keyId: text, audience: text, lifetimeSeconds: positive }, [
      "key",
      "algorithm",
      "audience",
    ]),
  }),
  abuse: {
    anyOf: [
      { const: false },
      closed({
        responses: {
          type: "object",
          additionalProperties: closed(
            {
              action: { enum: ["tell", "slow-down", "step-up", "block"] },
              seconds: positive,
              cost: positive,
              from: { enum: ["low", "medium", "high", "critical"] },
            },
            ["action"],
          ),
        },
        thresholds: { type: "object", additionalProperties: { type: "object" } },
        dangerouslyBlockProtectedCallers: flag,
        reserved: closed({
          zones: { type: "array", uniqueItems: true, items: { enum: TRUST_ZONES } },
          apiTypes: words,
        }),
        stepUp: closed({ maxAgeSeconds: positive, acrValues: someWords }),
        repeatSeconds: positive,
        overrideSeconds: positive,
        maxCallers: positive,
        places: text,
        key: secret,
        history: closed({ file: text, intervalSeconds: positive }, ["file"]),
        webhook: closed({ url, secret }, ["url", "secret"]),
      }),
    ],
  },
};
