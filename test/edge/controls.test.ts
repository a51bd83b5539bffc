import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyDocument, RoutePolicy } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { codeOf, startEdge } from "./support/edge.ts";

type Change = (policy: PolicyDocument) => PolicyDocument;

const onRoute =
  (change: Partial<RoutePolicy>, more: Partial<PolicyDocument> = {}): Change =>
  (policy) => ({ ...policy, ...more, routes: policy.routes.map((route) => ({ ...route, ...change })) });

describe("what leaves", () => {
  it("outside a person's own access a patient zone gives the minimum necessary", async () => {
    const edge = await startEdge((policy) => ({
      ...policy,
      routes: policy.routes.map(({ redaction: _redaction, ...route }) => ({ ...route, apiType: "clinical" })),
    }));
    edge.backend.resources.set("Patient/a", {
      resourceType: "Patient",
      id: "a",
      text: { status: "generated", div: '<div xmlns="http://www.w3.org/1999/xhtml">Ann Ash</div>' },
      contact: [{ name: { family: "Birch" } }],
      birthDate: "1970-01-01",
    });
    const got = await edge.ask("/Patient/a");
    expect(got.status).toBe(200);
    expect(got.json).toMatchObject({ id: "a", birthDate: "1970-01-01" });
    expect(got.text).not.toMatch(/Birch|Ann Ash/);
    expect(got.text).toContain("SUBSETTED");
  });

  it("a profile of the policy says what, and by whom", async () => {
    const edge = await startEdge(
      onRoute(
        {
          redaction: [{ when: { clients: ["billing"] }, profile: "bills" }, { profile: "full" }],
        },
        { redaction: { profiles: { bills: { rules: [{ path: "Patient.birthDate", action: "generalise" }] } } } },
      ),
    );
    edge.backend.resources.set("Patient/a", { resourceType: "Patient", id: "a", birthDate: "1970-05-05" });
    expect((await edge.ask("/Patient/a")).json).toMatchObject({ birthDate: "1970-05-05" });
    const bill = await edge.ask("/Patient/a", { claims: { client_id: "billing" } });
    expect(bill.json).toMatchObject({ birthDate: "1970" });
  });
});

describe("who may", () => {
  it("a client that is not registered is refused, and a registered one keeps to what it was approved for", async () => {
    const edge = await startEdge(onRoute({}, { clients: [{ clientId: "app", scopes: ["patient/Patient.r"] }] }));
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    const search = await edge.ask("/Observation");
    expect([search.status, codeOf(search.json)]).toEqual([403, "smart-auth/scope-insufficient"]);
    const stranger = await edge.ask("/Patient/a", { claims: { client_id: "stranger" } });
    expect([stranger.status, codeOf(stranger.json)]).toEqual([403, "smart-auth/client-not-registered"]);
  });

  it("a condition of the policy refuses, and is named in the record only", async () => {
    const edge = await startEdge(
      onRoute({}, { conditions: [{ id: "strong-sign-in", effect: "require", when: { amr: ["mfa"] } }] }),
    );
    const weak = await edge.ask("/Patient/a", { claims: { amr: ["pwd"] } });
    expect(weak.status).toBeGreaterThanOrEqual(401);
    expect(weak.text).not.toContain("strong-sign-in");
    expect(JSON.stringify(edge.records.at(-1))).toContain("strong-sign-in");
    expect((await edge.ask("/Patient/a", { claims: { amr: ["mfa"] } })).status).toBe(200);
  });

  it("an internal route is reached from private networks only", async () => {
    const internal = onRoute({ zone: "internal", apiType: "clinical" }, { trustedProxies: ["127.0.0.1/32"] });
    const edge = await startEdge(internal);
    const from = (address: string): Promise<{ status: number; json: unknown }> =>
      edge.ask("/Patient/a", { headers: { "X-Forwarded-For": address, "X-Forwarded-Proto": "https" } });
    expect((await from("10.1.2.3")).status).toBe(200);
    const outside = await from("198.51.100.1");
    expect([outside.status, codeOf(outside.json)]).toEqual([403, "perimeter/zone-address-not-allowed"]);
    expect(edge.backend.asked).toHaveLength(1);
  });
});

describe("how much", () => {
  it("F13: an upstream that fails is left alone, and the others are not", async () => {
    const edge = await startEdge((policy) => ({
      ...policy,
      upstreams: {
        ehr: {
          ...policy.upstreams["ehr"],
          url: policy.upstreams["ehr"]?.url ?? "",
          breaker: { minimumCalls: 3, openMs: 60_000 },
        },
      },
    }));
    edge.backend.answer = (_req, res) => {
      res.writeHead(503, { "Content-Type": "application/fhir+json" });
      res.end('{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"transient"}]}');
    };
    await expect.poll(async () => codeOf((await edge.ask("/Patient/a")).json)).toBe("tiered-throttle/breaker-open");
    const refused = await edge.ask("/Patient/a");
    expect([refused.status, refused.headers.get("retry-after") !== null]).toEqual([503, true]);
    expect(edge.events.map(({ code }) => code)).toContain("gateway/breaker");
  });

  it("a pool that is full refuses its own traffic and no other", async () => {
    const pools = { capacity: 4, pools: { "patient-access": { maximum: 1 } } };
    const edge = await startEdge((policy) => ({
      ...policy,
      pools,
      routes: [
        ...policy.routes,
        ...policy.routes.map((route) => ({ ...route, id: "prior", path: "/prior", apiType: "prior-authorization" })),
      ],
    }));
    let release: (() => void) | undefined;
    const began = new Promise<void>((resolve) => {
      const answer = edge.backend.answer;
      edge.backend.answer = (req, res, body) => {
        edge.backend.answer = answer;
        release = () => answer(req, res, body);
        resolve();
      };
    });
    const first = edge.ask("/Patient/a");
    await began;
    const second = await edge.ask("/Patient/a");
    expect([second.status, codeOf(second.json)]).toEqual([503, "tiered-throttle/pool-full"]);
    const token = await edge.issuer.token({ patient: "a", scope: "patient/*.rs" });
    const other = await fetch(`http://127.0.0.1:${edge.port}/prior/Patient/a`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(other.status).toBe(200);
    release?.();
    expect((await first).status).toBe(200);
  });

  it("abuse is told, recorded, and answered as the policy says", async () => {
    const edge = await startEdge(
      onRoute(
        {},
        {
          abuse: {
            responses: { "token-guessing": { action: "block", seconds: 60 } },
          },
        },
      ),
    );
    const guess = (): Promise<{ status: number; json: unknown }> =>
      edge.ask("/Patient/a", { headers: { authorization: `Bearer ${"x".repeat(40)}` } });
    await expect
      .poll(
        async () => {
          await Promise.all(Array.from({ length: 20 }, guess));
          return edge.events.map(({ code }) => code);
        },
        { timeout: 15_000 },
      )
      .toContain("gateway/abuse");
  });
});

describe("what comes in", () => {
  it("an attack in a query is refused before the token is looked at", async () => {
    const edge = await startEdge();
    const got = await edge.ask("/Patient?name=x'%20UNION%20SELECT%20password%20FROM%20users--");
    expect([got.status, codeOf(got.json)]).toEqual([400, "perimeter/hostile-input"]);
    expect(edge.backend.asked).toEqual([]);
  });

  it("a patient may be called by what looks like one", async () => {
    const edge = await startEdge();
    const body = { resourceType: "Patient", id: "a", name: [{ family: "'; DROP TABLE patients; --" }] };
    const got = await edge.ask("/Patient/a", {
      method: "PUT",
      headers: { "Content-Type": "application/fhir+json" },
      body: JSON.stringify(body),
      claims: { scope: "patient/Patient.cruds" },
    });
    expect(got.status).toBe(200);
  });
});

describe("profiles", () => {
  it("what is written must meet the profile its type is bound to", async () => {
    const folder = await mkdtemp(join(tmpdir(), "profiles-"));
    const file = join(folder, "named-patient.json");
    const url = "http://example.org/StructureDefinition/named-patient";
    await writeFile(file, JSON.stringify(namedPatient(url)));
    const edge = await startEdge(onRoute({ schema: { profiles: { files: [file], required: { Patient: [url] } } } }));
    const put = (patient: object): ReturnType<typeof edge.ask> =>
      edge.ask("/Patient/a", {
        method: "PUT",
        headers: { "Content-Type": "application/fhir+json" },
        body: JSON.stringify({ resourceType: "Patient", id: "a", ...patient }),
        claims: { scope: "patient/Patient.cruds" },
      });
    expect((await put({ name: [{ family: "Ash" }] })).status).toBe(200);
    const nameless = await put({});
    expect([nameless.status, codeOf(nameless.json)]).toEqual([422, "fhir-schema/profile-not-met"]);
    await rm(folder, { recursive: true });
  });

  it("a file that is none stops the start, and says which", async () => {
    const schema = { profiles: { files: ["/nowhere/profile.json"] } };
    await expect(startEdge(onRoute({ schema }))).rejects.toThrow(/routes\[0\]\.schema\.profiles\.files\[0\]/);
  });
});

/** Patient, of whom a name is demanded. */
function namedPatient(url: string): object {
  const element = [
    { id: "Patient", path: "Patient", min: 0, max: "*" },
    { id: "Patient.name", path: "Patient.name", min: 1, max: "*", type: [{ code: "HumanName" }] },
  ];
  return {
    resourceType: "StructureDefinition",
    url,
    name: "NamedPatient",
    status: "active",
    kind: "resource",
    abstract: false,
    type: "Patient",
    baseDefinition: "http://hl7.org/fhir/StructureDefinition/Patient",
    derivation: "constraint",
    snapshot: { element },
    differential: { element },
  };
}
