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
  admin: { host: "127.0.0.1", port: 9090 },
  issuers: [
    {
      issuer: "https://id.example.org",
      audience: ["https://fhir.example.org/fhir"],
      jwksUri: "https://id.example.org/jwks",
      algorithms: ["ES384"],
      allowLegacyTyp: false,
      maxLifetimeSeconds: 600,
      leewaySeconds: 10,
      smart: {
        authorizationEndpoint: "https://id.example.org/auth",
        tokenEndpoint: "https://id.example.org/token",
        introspectionEndpoint: "https://id.example.org/introspect",
        revocationEndpoint: "https://id.example.org/revoke",
        registrationEndpoint: "https://id.example.org/register",
        managementEndpoint: "https://id.example.org/manage",
        capabilities: ["launch-standalone"],
        scopesSupported: ["patient/*.rs"],
      },
    },
  ],
  upstreams: {
    ehr: { url: "https://ehr.internal/fhir", headersTimeoutMs: 1000, bodyTimeoutMs: 1000, connections: 10 },
  },
  tiers: { apps: { windows: [{ name: "burst", limit: 10, windowSeconds: 1, by: "client" }], concurrency: 5 } },
  routes: [
    {
      id: "patient",
      path: "/fhir",
      zone: "patient",
      apiType: "patient-access",
      upstream: "ehr",
      interactions: ["read", "search-type"],
      operations: ["everything"],
      extraParameters: ["_offset"],
      types: ["Patient"],
      tier: "apps",
      compartmentRule: "subject",
      supportTypes: ["Practitioner"],
      schema: { resources: "report", queries: "refuse", responses: "report", maxCount: 100 },
    },
  ],
  door: { limit: 100, windowSeconds: 10 },
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
  const places = [...objects(WHOLE)].filter(
    (path) => !["upstreams", "tiers", "listeners"].includes(String(path.at(-1))),
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
