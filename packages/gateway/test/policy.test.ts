import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigurationError, type PolicyDocument } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPolicy, createGateway, loadPolicy, parsePolicy } from "../src/index.ts";

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
    [
      "a misspelled key",
      (p) => Object.assign(p, { tires: {} }),
      "tires",
      /unknown key `tires`, did you mean `tiers`\?/,
    ],
    [
      "no upstream",
      (p) => {
        delete (p as Partial<Loose>).upstreams;
        delete p.routes[0]?.["upstream"];
      },
      "upstream",
      /upstream: https:/,
    ],
    ["no issuer", (p) => delete (p as Partial<Loose>).issuers, "issuer", /issuer: https:/],
    [
      "keys without an issuer and an audience",
      (p) => {
        delete (p as Partial<Loose>).issuers;
        Object.assign(p, { jwksUri: "https://id.example.org/jwks" });
      },
      "audience",
      /which `aud`/,
    ],
    ["a short and a long form", (p) => Object.assign(p, { issuer: "https://x.example" }), "issuer", /write either/],
    [
      "any issuer beside others",
      (p) => p.issuers.push({ issuer: "*", audience: ["a"], jwksUri: "https://id.example.org/jwks" }),
      "issuers[1].issuer",
      /the only issuer/,
    ],
    [
      "no tier where there are two",
      (p) => {
        Object.assign(p["tiers"] as object, {
          more: { windows: [{ name: "m", limit: 1, windowSeconds: 1, by: "client" }] },
        });
        delete p.routes[0]?.["tier"];
      },
      "routes[0].tier",
      /name one of the tiers: apps, more/,
    ],
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
      "routes[0].types[0]",
      /no R4 resource type/,
    ],
    [
      "an operation with its sign",
      (p) => Object.assign(p.routes[0] ?? {}, { operations: ["$everything"] }),
      "routes[0].operations[0]",
      /without the \$/,
    ],
    [
      "one path twice",
      (p) => p.routes.push({ ...p.routes[0], id: "again" }),
      "routes[1].path",
      /must belong to one zone/,
    ],
    ["one issuer twice", (p) => p.issuers.push({ ...p.issuers[0] }), "issuers[1].issuer", /two entries for the issuer/],
    [
      "a zone of certificates without them",
      (p) => Object.assign(p.routes[0] ?? {}, { zone: "partner" }),
      "listen.tls",
      /demands client certificates; give this listener `tls`/,
    ],
    [
      "a zone of certificates that only asks for them",
      (p) => {
        Object.assign(p.routes[0] ?? {}, { zone: "partner" });
        Object.assign(p, {
          listen: { tls: { cert: "c", key: "file:k", clientCa: ["a"], clientCertificates: "requested" } },
        });
      },
      "listen.tls.clientCertificates",
      /write `required`/,
    ],
    [
      "client certificates of nobody",
      (p) => Object.assign(p, { listen: { tls: { cert: "c", key: "file:k", clientCertificates: "requested" } } }),
      "listen.tls.clientCa",
      /authorities/,
    ],
    [
      "a profile that does not exist",
      (p) => Object.assign(p.routes[0] ?? {}, { redaction: "minimum-necesary" }),
      "routes[0].redaction",
      /did you mean `minimum-necessary`/,
    ],
    [
      "one audience for two zones",
      (p) => p.routes.push({ ...p.routes[0], id: "in", path: "/in", zone: "internal" }),
      "issuers[0].audience",
      /in the patient and internal zones alike/,
    ],
    [
      "a key in place of where it is",
      (p) => Object.assign(p, { listen: { tls: { cert: "c", key: "-----BEGIN PRIVATE KEY-----" } } }),
      "listen.tls.key",
      /must be where the secret is/,
    ],
    [
      "a zone no door has",
      (p) => Object.assign(p, { listen: { zones: ["internal"] } }),
      "routes[0].zone",
      /no listener has the patient zone/,
    ],
    [
      "two doors in one place",
      (p) => Object.assign(p, { listeners: { inside: { port: 8080, zones: ["internal"] } } }),
      "listeners",
      /127\.0\.0\.1:8080/,
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
    expect(found.map(({ path }) => path).sort()).toEqual(["routes[0].path", "routes[0].zone", "surprise", "wardline"]);
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

describe("parsePolicy", () => {
  function linesOf(text: string): { path: string; line: number | undefined }[] {
    try {
      parsePolicy(text, "policy.yaml");
      return [];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return error.issues.map(({ path, line }) => ({ path, line }));
    }
  }

  it("makes a whole patient-access edge of an upstream and an issuer", () => {
    const { policy } = parsePolicy("upstream: https://ehr.example/r4\nissuer: https://id.example\n");
    expect(policy).toMatchObject({
      upstreams: { fhir: { url: "https://ehr.example/r4" } },
      issuers: [{ issuer: "https://id.example" }],
      routes: [{ path: "/fhir", zone: "patient", upstream: "fhir", tier: "standard" }],
    });
    expect(policy.routes[0]?.interactions).not.toContain("create");
  });

  it("or of an upstream, a key set and an audience", () => {
    const { policy } = parsePolicy(
      "upstream: https://ehr.example/r4\njwksUri: https://id.example/jwks\naudience: https://fhir.example\n",
    );
    expect(policy.issuers).toEqual([
      { issuer: "*", jwksUri: "https://id.example/jwks", audience: ["https://fhir.example"] },
    ]);
  });

  it("names a policy by what was written, so that a default of a later version does not rename it", () => {
    const text = "upstream: https://ehr.example/r4\nissuer: https://id.example\n";
    expect(parsePolicy(text).version).toBe(parsePolicy(`# a comment\n${text}`).version);
    expect(parsePolicy(`${text}name: wardline\n`).version).not.toBe(parsePolicy(text).version);
  });

  it.each([
    ["an unknown key", "upstream: https://e.example\nissuer: https://i.example\n\nsurprise: 1\n", "surprise", 4],
    [
      "a rule across fields",
      "upstream: https://e.example\nissuer: https://i.example\nroutes:\n  - id: a\n    path: /fhir\n    zone: patient\n    apiType: x\n    interactions: [read]\n    tier: gold\n",
      "routes[0].tier",
      9,
    ],
    ["JSON too", '{\n  "upstream": "https://e.example",\n  "issuer": "http://i.example"\n}', "issuers[0].issuer", 1],
  ])("tells the line of %s", (_what, text, path, line) => {
    expect(linesOf(text)).toEqual([{ path, line }]);
  });

  it("tells the line of a syntax fault", () => {
    expect(linesOf("upstream: https://e.example\nissuer: [\n")).toEqual([{ path: "", line: 3 }]);
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
