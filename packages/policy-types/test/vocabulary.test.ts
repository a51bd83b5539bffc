import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import {
  CONTROLS,
  ConfigurationError,
  definePolicy,
  findings,
  nearest,
  POLICY_SCHEMA,
  type PolicyDocument,
  refuseUnknownKeys,
  TRUST_ZONES,
  ZONE_PRESETS,
} from "../src/index.ts";

/** Uses every key of the document once, so that type and schema cannot drift apart unseen. */
const WHOLE = definePolicy({
  wardline: 1,
  name: "example",
  publicOrigin: "https://fhir.example.org",
  development: false,
  listen: { host: "127.0.0.1", port: 8080 },
  plaintext: { host: "127.0.0.1", port: 80, redirect: true },
  admin: {
    host: "127.0.0.1",
    port: 9090,
    tls: { cert: "admin.pem", key: "file:admin.key" },
    operators: { audience: "https://edge.example.org/admin", roles: ["edge-operator"], amr: ["mfa"] },
  },
  payer: true,
  pools: {
    capacity: 100,
    requestsPerSecond: 500,
    pools: {
      "prior-authorization": {
        reserved: 20,
        lend: 10,
        maximum: 50,
        priority: 5,
        waiting: 10,
        waitMs: 500,
        reservedPerSecond: 50,
      },
    },
    shedByLoad: true,
  },
  redis: { url: "rediss://redis.internal:6380", prefix: "edge:", replicas: 2, onFailure: "local" },
  clients: [{ clientId: "app", issuer: "https://id.example.org", scopes: ["patient/*.rs"], organisation: "acme" }],
  conditions: [
    {
      id: "office-hours",
      effect: "require",
      categories: ["sud"],
      on: { interactions: ["read"], types: ["Patient"], zones: ["internal"], routes: ["patient"] },
      when: {
        roles: ["physician"],
        purposeOfUse: ["TREAT"],
        acr: ["aal2"],
        amr: ["mfa"],
        maxAuthAgeSeconds: 3600,
        departments: ["cardiology"],
        organisations: ["acme"],
        clients: ["app"],
        issuers: ["https://id.example.org"],
        attributes: { posture: ["compliant"] },
        networks: ["10.0.0.0/8"],
        hours: { timeZone: "America/Chicago", days: ["mon"], from: "08:00", to: "18:00" },
      },
      liftedByBreakGlass: true,
    },
  ],
  breakGlass: {
    roles: ["physician"],
    purposes: ["BTG"],
    header: true,
    maxAuthAgeSeconds: 900,
    acr: ["aal2"],
    lifts: ["user-access"],
    interactions: ["read"],
  },
  consent: {
    file: "consent.log",
    categories: [{ name: "sud", labels: ["s|ETH"], codes: ["s|1"], types: ["Condition"] }],
    managers: ["portal"],
    readResources: true,
  },
  devices: [
    {
      name: "pump",
      issuedBy: ["pumps.pem"],
      intermediates: ["pumps-ca2.pem"],
      identity: { name: "uri", prefix: "urn:device:" },
      scopes: ["system/Observation.c"],
      organisation: "ward-3",
      crl: "pumps.crl",
      addresses: ["10.20.0.0/16"],
    },
  ],
  dpop: { algorithms: ["ES256"], windowSeconds: 60, futureSeconds: 5, requireNonce: true, nonceKey: "env:NONCE_KEY" },
  pageLinks: { keys: ["env:PAGE_KEY"], lifetimeSeconds: 900 },
  redaction: {
    profiles: {
      billing: {
        only: ["Patient.name"],
        rules: [
          { path: "Patient.birthDate", action: "generalise" },
          { path: "Patient.id", action: { mask: { last: 4 } } },
        ],
      },
    },
    sensitive: [
      { category: "substance-use", fate: "drop", unless: [{ roles: ["r"], purposes: ["TREAT"], consent: true }] },
    ],
    pseudonyms: { purpose: "research", keyId: "a", keys: { a: "env:PSEUDONYM_KEY" } },
    encryption: { keyRing: "keys.ring", passphrase: "env:RING" },
  },
  dlp: { path: "refuse", query: "refuse", headers: "report", searches: "require-post" },
  abuse: {
    responses: { "patient-enumeration": { action: "block", seconds: 600, cost: 5, from: "high" } },
    thresholds: { scanner: { windowSeconds: 60 } },
    dangerouslyBlockProtectedCallers: false,
    reserved: { zones: ["device"], apiTypes: ["prior-authorization"] },
    stepUp: { maxAgeSeconds: 300, acrValues: ["phr"] },
    repeatSeconds: 3600,
    overrideSeconds: 3600,
    maxCallers: 100_000,
    places: "places.csv",
    key: "env:ABUSE_KEY",
    history: { file: "abuse.history", intervalSeconds: 60 },
    webhook: { url: "https://siem.example.org/hook", secret: "env:HOOK" },
  },
  cors: { origins: ["https://app.example.org"], requestHeaders: ["x-a"], exposeHeaders: ["etag"], maxAgeSeconds: 60 },
  hosts: ["fhir.example.org"],
  usage: { file: "usage.ndjson", key: "env:USAGE_KEY", timeZone: "UTC" },
  apiDocuments: {
    title: "FHIR API",
    version: "1.0",
    description: "For apps.",
    zones: ["patient"],
    documentPath: "/openapi.json",
    pagePath: "/api.html",
  },
  hostileInput: { mode: "refuse", exceptions: [{ path: "/notes/*", rules: ["sql/*"], parameter: "text" }] },
  identity: {
    headers: { organization: "X-Org", user: "X-User", client: false },
    token: { key: "file:identity.jwk", algorithm: "ES256", keyId: "k", audience: "ehr", lifetimeSeconds: 30 },
  },
  issuers: [
    {
      issuer: "https://id.example.org",
      audience: ["https://fhir.example.org/fhir"],
      jwksUri: "https://id.example.org/jwks",
      algorithms: ["ES384"],
      allowLegacyTyp: false,
      maxLifetimeSeconds: 600,
      leewaySeconds: 10,
      introspection: {
        endpoint: "https://id.example.org/introspect",
        clientId: "edge",
        authentication: { method: "client_secret_basic", secret: "env:INTROSPECTION" },
        positiveTtlSeconds: 30,
        negativeTtlSeconds: 5,
        expectSigned: true,
        decryption: { key: "env:DECRYPTION", alg: "ECDH-ES", enc: ["A256GCM"] },
        always: false,
        opaque: false,
      },
      claims: { organisation: "org" },
      smart: {
        authorizationEndpoint: "https://id.example.org/auth",
        tokenEndpoint: "https://id.example.org/token",
        introspectionEndpoint: "https://id.example.org/introspect",
        revocationEndpoint: "https://id.example.org/revoke",
        registrationEndpoint: "https://id.example.org/register",
        managementEndpoint: "https://id.example.org/manage",
        capabilities: ["launch-standalone"],
        scopesSupported: ["patient/*.rs"],
        tokenEndpointAuthMethodsSupported: ["private_key_jwt"],
        tokenEndpointAuthSigningAlgorithmsSupported: ["ES384"],
      },
    },
  ],
  upstreams: {
    ehr: {
      url: "https://ehr.internal/fhir",
      targets: [{ url: "https://ehr-1.internal/fhir", weight: 2 }],
      srv: "_fhir._tcp.internal",
      srvRefreshSeconds: 30,
      probe: { path: "/metadata", intervalSeconds: 10 },
      retryShare: 0.1,
      headersTimeoutMs: 1000,
      bodyTimeoutMs: 1000,
      connections: 10,
      breaker: {
        windowMs: 1000,
        minimumCalls: 5,
        errorRate: 0.5,
        slowRate: 0.8,
        slowCallMs: 100,
        openMs: 100,
        maxOpenMs: 1000,
        probes: 1,
        concurrency: 10,
        shared: true,
      },
      tls: {
        ca: ["ca.pem"],
        cert: "c.pem",
        key: "file:k.pem",
        pins: ["AA=="],
        servername: "ehr",
        minVersion: "TLSv1.3",
      },
    },
  },
  tiers: {
    apps: {
      windows: [{ name: "burst", limit: 10, windowSeconds: 1, by: "client" }],
      quotas: [{ name: "contract", limit: 1000, per: "month", by: "organisation", timeZone: "UTC", carry: 100 }],
      concurrency: 5,
      costs: { ordinary: 1, expensive: 5, bulk: 50 },
    },
  },
  routes: [
    {
      id: "patient",
      path: "/fhir",
      zone: "patient",
      apiType: "patient-access",
      upstream: "ehr",
      interactions: ["read", "search-type"],
      operations: ["everything", "submit"],
      memberOperations: { submit: "c" },
      extraParameters: ["_offset"],
      types: ["Patient"],
      clients: ["app"],
      tier: "apps",
      tiersFor: [
        {
          tier: "apps",
          when: {
            operationClass: "bulk",
            issuer: "i",
            client: ["c"],
            organisation: "o",
            user: "u",
            device: "d",
            department: "p",
          },
        },
      ],
      backends: [{ types: ["Claim"], upstream: "ehr" }],
      fhirVersion: "4.0",
      versions: [{ fhirVersion: "4.3", upstream: "ehr" }],
      redaction: [{ when: { clients: ["c"], roles: ["r"], purposes: ["TREAT"] }, profile: "billing" }],
      refuseWildcardScopes: true,
      oneTimeTokens: false,
      bindToFirstHolder: true,
      addresses: ["10.0.0.0/8"],
      registry: {
        owner: "integration",
        version: "1.0",
        dataClass: "PHI",
        vendor: { name: "acme", agreement: "BAA-1", reviewed: "2026-11-01", reviewMonths: 12 },
        dependsOn: ["ehr"],
        consumers: ["app"],
        approvedScopes: ["patient/*.rs"],
        introduced: "2025-01-01",
        deprecated: "2026-01-01",
        retired: "2027-01-01",
        successor: "/fhir/v2",
      },
      compartmentRule: "subject",
      supportTypes: ["Practitioner"],
      openApi: { file: "worklists.yaml", roles: ["nurse"], amr: ["mfa"], responses: "report" },
      schema: {
        resources: "report",
        queries: "refuse",
        responses: "report",
        maxCount: 100,
        profiles: { files: ["us-core.json"], required: { Patient: ["http://example.org/profile"] } },
      },
    },
  ],
  signIn: {
    issuer: "https://id.example.org",
    upstream: "ehr",
    zone: "patient",
    path: "/oauth",
    endpoints: {
      token: "/token",
      authorization: "/authorize",
      jwks: "/jwks",
      introspection: "/introspect",
      revocation: "/revoke",
      registration: "/register",
    },
    pages: ["/logo.png", "/interaction/*"],
    clients: [{ clientId: "backend", jwks: "backend.jwks.json", jwksUri: "https://backend.example.org/jwks" }],
    assertions: "listed",
    assertionAudience: ["https://id.example.org/token"],
    assertionAlgorithms: ["ES384"],
    tier: "apps",
  },
  door: {
    limit: 100,
    windowSeconds: 10,
    failures: { limit: 20, windowSeconds: 60 },
    connections: { total: 5000, perAddress: 100, perClient: 50, exempt: ["10.0.0.0/8"] },
  },
  bulkExport: {
    folder: "exports",
    queue: "redis",
    concurrency: 2,
    perOrganisation: 5,
    waiting: 100,
    lifetimeSeconds: 86_400,
  },
  limits: { requestBodyBytes: 1000, responseBodyBytes: 1000 },
  audit: {
    folder: "audit",
    durability: "before-response",
    onFailure: "refuse",
    instance: "edge-1",
    retentionDays: 2192,
    identifiers: { patient: "hashed" },
  },
  trustedProxies: ["10.0.0.0/8"],
  listeners: {
    partners: {
      host: "127.0.0.1",
      port: 8444,
      zones: ["partner"],
      tls: {
        cert: "cert.pem",
        key: "file:key.pem",
        passphrase: "env:KEY_PASSPHRASE",
        clientCa: ["ca.pem"],
        crl: ["crl.pem"],
        ocsp: "ocsp.der",
        clientCertificates: "required",
        names: {
          "partner.example.org": {
            cert: "partner.pem",
            key: "file:partner.key",
            passphrase: "env:KEY_PASSPHRASE",
            clientCa: ["ca.pem"],
            crl: ["crl.pem"],
            ocsp: "ocsp.der",
            clientCertificates: "required",
          },
        },
        sessionTickets: { rotateSeconds: 3600 },
        reloadSeconds: 60,
        minVersion: "TLSv1.3",
        fips: false,
      },
    },
  },
  clientCertificateHeader: { format: "rfc9440", name: "Client-Cert" },
} satisfies Required<PolicyDocument>);

describe("the policy's JSON Schema", () => {
  const validate = new Ajv({ strict: true }).compile(POLICY_SCHEMA);

  it("accepts a policy that uses every key", () => {
    expect([validate(WHOLE), validate.errors]).toEqual([true, null]);
  });

  it("is published as a file for editors (pnpm generate:policy-schema writes it)", () => {
    const file = resolve(import.meta.dirname, "../policy.schema.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(POLICY_SCHEMA);
  });

  /** Every place of the document: [path to an object, its keys]. */
  function* objects(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
    if (value === null || typeof value !== "object") return;
    if (!Array.isArray(value)) yield path;
    for (const [key, member] of Object.entries(value)) {
      yield* objects(member, [...path, Array.isArray(value) ? Number(key) : key]);
    }
  }
  /** Maps whose names are whoever's who writes the policy. */
  const MAPS =
    "required memberOperations upstreams tiers listeners profiles attributes keys claims responses thresholds scanner pools.pools";
  const places = [...objects(WHOLE)].filter(
    (path) => !MAPS.split(" ").includes(path.join(".") === "pools.pools" ? "pools.pools" : String(path.at(-1))),
  );

  it.each(places.map((path) => [path.join(".") || "(root)", path] as const))(
    "refuses an unknown key in %s",
    (_name, path) => {
      const changed = structuredClone(WHOLE) as unknown;
      const target = path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], changed);
      (target as Record<string, unknown>)["surprise"] = true;
      expect(validate(changed)).toBe(false);
    },
  );

  it.each<[string, (policy: Record<string, unknown>) => void]>([
    ["no routes", (policy) => Object.assign(policy, { routes: [] })],
    ["no issuers", (policy) => Object.assign(policy, { issuers: [] })],
    ["another format", (policy) => Object.assign(policy, { wardline: 2 })],
    ["an origin with a path", (policy) => Object.assign(policy, { publicOrigin: "https://a.example/x" })],
    ["an origin with a user", (policy) => Object.assign(policy, { publicOrigin: "https://u@a.example" })],
    ["HS256", (policy) => Object.assign((policy["issuers"] as object[])[0] ?? {}, { algorithms: ["HS256"] })],
    ["alg none", (policy) => Object.assign((policy["issuers"] as object[])[0] ?? {}, { algorithms: ["none"] })],
    ["no audience", (policy) => Object.assign((policy["issuers"] as object[])[0] ?? {}, { audience: [] })],
    [
      "a path with a slash at its end",
      (policy) => Object.assign((policy["routes"] as object[])[0] ?? {}, { path: "/fhir/" }),
    ],
    ["a limit of zero", (policy) => Object.assign(policy, { door: { limit: 0 } })],
    ["an unknown zone", (policy) => Object.assign((policy["routes"] as object[])[0] ?? {}, { zone: "public" })],
  ])("refuses %s", (_what, change) => {
    const changed = structuredClone(WHOLE) as unknown as Record<string, unknown>;
    change(changed);
    expect(validate(changed)).toBe(false);
  });

  it("definePolicy freezes to the depth", () => {
    expect(() => Object.assign(WHOLE.routes[0] ?? {}, { zone: "internal" })).toThrow(TypeError);
  });
});

describe("findings", () => {
  it("tells all mistakes at once, with the nearest known name", () => {
    const found = findings();
    refuseUnknownKeys(found, { windowSecond: 1, zebra: 2, limit: 3 }, ["windowSeconds", "limit"], "tier");
    const attempt = (): void => found.throwIfAny("the options");
    expect(attempt).toThrow(ConfigurationError);
    expect(found.issues).toEqual([
      {
        path: "tier.windowSecond",
        code: "unknown-option",
        message: "unknown option `windowSecond`, did you mean `windowSeconds`?",
      },
      {
        path: "tier.zebra",
        code: "unknown-option",
        message: "unknown option `zebra`, known options are windowSeconds, limit",
      },
    ]);
    expect(attempt).toThrow(/the options has 2 mistakes\n {2}tier\.windowSecond: /);
  });

  it.each([5, true, "text"])("a part that is %j and no object is a finding beside the others", (given) => {
    const found = findings();
    found.add("limit", "missing", "write a limit");
    refuseUnknownKeys(found, given as unknown as object, ["windowSeconds"], "tier");
    expect(found.issues.map(({ path, code }) => `${path} ${code}`)).toEqual(["limit missing", "tier not-an-object"]);
    expect(found.issues[1]?.message).toBe("give an object; known options are windowSeconds");
  });

  it("null is told with what was found so far: nobody could look into it", () => {
    const found = findings();
    found.add("limit", "missing", "write a limit");
    const attempt = (): void => refuseUnknownKeys(found, null as unknown as object, ["windowSeconds"], "tier");
    expect(attempt).toThrow(ConfigurationError);
    expect(attempt).toThrow(/limit: write a limit\n {2}tier: give an object/);
  });

  it("throws nothing when nothing was found", () => {
    expect(() => findings().throwIfAny("the options")).not.toThrow();
  });

  it.each([
    ["durabilty", "durability"],
    ["x", undefined],
    ["", undefined],
  ])("nearest(%j) is %j", (word, expected) => {
    expect(nearest(word, ["durability", "folder", "onFailure"])).toBe(expected);
  });
});

describe("zone presets", () => {
  it.each(TRUST_ZONES)("%s demands audit, perimeter, authentication and throttling, and cannot be loosened", (zone) => {
    const preset = ZONE_PRESETS[zone];
    expect(preset.zone).toBe(zone);
    expect(preset.requiredControls).toEqual(
      expect.arrayContaining(["audit-event", "perimeter", "smart-auth", "tiered-throttle"]),
    );
    expect(preset.requiredControls.every((control) => (CONTROLS as readonly string[]).includes(control))).toBe(true);
    expect(() => (preset.requiredControls as string[]).pop()).toThrow(TypeError);
  });
});
