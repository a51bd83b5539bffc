import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigurationError, type PolicyDocument } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPolicy, createGateway, loadPolicy } from "../src/index.ts";

const GOOD: PolicyDocument = {
  wardline: 1,
  name: "example",
  publicOrigin: "https://fhir.example.org",
  issuers: [{ issuer: "https://id.example.org", audience: ["https://fhir.example.org/fhir"] }],
  upstreams: { ehr: { url: "https://ehr.internal.example/r4" } },
  tiers: { apps: { windows: [{ name: "burst", limit: 10, windowSeconds: 1, by: "client" }] } },
  routes: [
    {
      id: "patient",
      path: "/fhir",
      zone: "patient",
      apiType: "patient-access",
      upstream: "ehr",
      interactions: ["read"],
      tier: "apps",
    },
  ],
  audit: { folder: "audit" },
};

type Loose = Record<string, unknown> & {
  issuers: Record<string, unknown>[];
  routes: Record<string, unknown>[];
  upstreams: Record<string, Record<string, unknown>>;
};

function findingsOf(change: (policy: Loose) => void): { path: string; message: string }[] {
  const policy = structuredClone(GOOD) as unknown as Loose;
  change(policy);
  try {
    checkPolicy(policy);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.issues.map(({ path, message }) => ({ path, message }));
  }
}

describe("checkPolicy", () => {
  it("accepts a good policy and names it by its content", () => {
    const { version } = checkPolicy(GOOD);
    expect(version).toMatch(/^[0-9a-f]{64}$/);
    const reordered = Object.fromEntries(Object.entries(GOOD).reverse());
    expect(checkPolicy(reordered).version).toBe(version);
    expect(checkPolicy({ ...GOOD, name: "other" }).version).not.toBe(version);
  });

  it.each<[string, (policy: Loose) => void, string, RegExp]>([
    ["a misspelled key", (p) => Object.assign(p, { tires: {} }), "", /unknown key `tires`, did you mean `tiers`\?/],
    ["a missing key", (p) => delete p["audit"], "", /`audit` is missing/],
    [
      "a zone that does not exist",
      (p) => Object.assign(p.routes[0] ?? {}, { zone: "patients" }),
      "routes[0].zone",
      /did you mean `patient`/,
    ],
    [
      "an upstream that does not exist",
      (p) => Object.assign(p.routes[0] ?? {}, { upstream: "ehrr" }),
      "routes[0].upstream",
      /did you mean `ehr`/,
    ],
    [
      "a tier that does not exist",
      (p) => Object.assign(p.routes[0] ?? {}, { tier: "gold" }),
      "routes[0].tier",
      /known ones are apps/,
    ],
    [
      "http for an issuer",
      (p) => Object.assign(p.issuers[0] ?? {}, { issuer: "http://id.example.org" }),
      "issuers[0].issuer",
      /must be https/,
    ],
    [
      "http for an upstream",
      (p) => Object.assign(p.upstreams["ehr"] ?? {}, { url: "http://ehr/r4" }),
      "upstreams.ehr.url",
      /must be https/,
    ],
    [
      "http elsewhere than loopback",
      (p) => Object.assign(p, { development: true, publicOrigin: "http://fhir.example.org" }),
      "publicOrigin",
      /loopback/,
    ],
    [
      "development on all addresses",
      (p) => Object.assign(p, { development: true, listen: { host: "0.0.0.0" } }),
      "listen.host",
      /loopback/,
    ],
    [
      "credentials in a URL",
      (p) => Object.assign(p.upstreams["ehr"] ?? {}, { url: "https://u:p@ehr/r4" }),
      "upstreams.ehr.url",
      /user name or password/,
    ],
    [
      "a type R4 does not have",
      (p) => Object.assign(p.routes[0] ?? {}, { types: ["Patients"] }),
      "routes[0].types",
      /no R4 resource type/,
    ],
    [
      "an operation with its sign",
      (p) => Object.assign(p.routes[0] ?? {}, { operations: ["$everything"] }),
      "routes[0].operations",
      /without the \$/,
    ],
    ["one path twice", (p) => p.routes.push({ ...p.routes[0], id: "again" }), "routes", /must belong to one zone/],
    ["one issuer twice", (p) => p.issuers.push({ ...p.issuers[0] }), "issuers", /two entries for the issuer/],
    [
      "a zone whose certificates cannot be checked yet",
      (p) => Object.assign(p.routes[0] ?? {}, { zone: "device" }),
      "routes[0].zone",
      /client certificates/,
    ],
    [
      "a held answer that goes on without its record",
      (p) => Object.assign(p, { audit: { folder: "a", onFailure: "continue" } }),
      "audit.onFailure",
      /durability: async/,
    ],
  ])("refuses %s", (_what, change, path, message) => {
    expect(findingsOf(change)).toEqual([{ path, message: expect.stringMatching(message) as string }]);
  });

  it("tells all mistakes at once", () => {
    const found = findingsOf((policy) => {
      Object.assign(policy, { wardline: 2, surprise: 1 });
      Object.assign(policy.routes[0] ?? {}, { zone: "x", path: "fhir" });
    });
    expect(found.map(({ path }) => path).sort()).toEqual(["", "routes[0].path", "routes[0].zone", "wardline"]);
  });

  it("is total: any JSON is a policy or a ConfigurationError", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => checkPolicy(value)).toThrow(ConfigurationError);
      }),
      { numRuns: 50 },
    );
  });
});

describe("loadPolicy", () => {
  async function load(text: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "policy-"));
    const file = join(folder, "policy.yaml");
    await writeFile(file, text);
    try {
      return (await loadPolicy(file)).version;
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it("reads JSON and YAML alike", async () => {
    const yaml = `
      wardline: 1
      name: example
      publicOrigin: https://fhir.example.org
      issuers: [{ issuer: https://id.example.org, audience: [https://fhir.example.org/fhir] }]
      upstreams: { ehr: { url: https://ehr.internal.example/r4 } }
      tiers: { apps: { windows: [{ name: burst, limit: 10, windowSeconds: 1, by: client }] } }
      routes:
        - { id: patient, path: /fhir, zone: patient, apiType: patient-access, upstream: ehr, interactions: [read], tier: apps }
      audit: { folder: audit }`;
    expect(await load(yaml)).toBe(await load(JSON.stringify(GOOD)));
  });

  it.each([
    ["no file", undefined],
    ["no YAML", "a: [1"],
    ["a repeated key", "wardline: 1\nwardline: 1"],
    ["nothing", ""],
  ])("F11: %s does not start", async (_what, text) => {
    const attempt = text === undefined ? loadPolicy("/nowhere/policy.yaml") : load(text);
    await expect(attempt).rejects.toThrow(ConfigurationError);
  });
});

it("a gateway does not start with a bad policy, and leaves nothing open", async () => {
  await expect(createGateway({ ...GOOD, routes: [] })).rejects.toThrow(ConfigurationError);
});
