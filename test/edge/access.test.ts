import { createHash, generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checkpointSigner,
  DeliveryError,
  pseudonymOf,
  readLedger,
  type Sink,
  verifyLedger,
} from "@wardline/audit-event";
import fc from "fast-check";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { fhir, type Json, observation, patient, searchset } from "./support/backend.ts";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";

const idsOf = (json: unknown): string[] =>
  ((json as { entry?: { resource?: { resourceType: string; id: string } }[] }).entry ?? []).flatMap(({ resource }) =>
    resource === undefined ? [] : [`${resource.resourceType}/${resource.id}`],
  );

const post = (json: Json): RequestInit => ({
  method: "POST",
  body: JSON.stringify(json),
  headers: { "content-type": "application/fhir+json" },
});

describe("who may see what, through the whole door, before a backend that shows everybody everything", () => {
  it("a permitted read passes", async () => {
    const edge = await startEdge();
    const got = await edge.ask("/Patient/a");
    expect([got.status, got.json]).toEqual([200, patient("a")]);
  });

  it("A9: another patient's record, an absent one and a deleted one look alike", async () => {
    const edge = await startEdge();
    const foreign = await edge.ask("/Patient/b");
    const absent = await edge.ask("/Patient/nobody");
    edge.backend.answer = (_req, res) => fhir(res, { resourceType: "OperationOutcome", issue: [] }, 410);
    const deleted = await edge.ask("/Patient/gone");
    const comparable = ({ status, text, headers }: typeof foreign): unknown => [
      status,
      text,
      [...headers].filter(([name]) => !["x-request-id", "date", "ratelimit"].includes(name)),
    ];
    expect(foreign.status).toBe(404);
    expect(comparable(foreign)).toEqual(comparable(absent));
    expect(comparable(deleted)).toEqual(comparable(absent));
  });

  it("a search is narrowed, and judged although it was", async () => {
    const edge = await startEdge();
    const got = await edge.ask("/Observation?status=final");
    expect(got.status).toBe(200);
    expect(idsOf(got.json)).toEqual(["Observation/oa"]);
    expect(edge.backend.asked[0]).toMatch(/^GET \/r4\/Observation\?.*Patient%2Fa/);
    expect((got.json as { total?: number }).total).toBe(undefined);
    expect(got.text).not.toContain("Family-b");
  });

  it("A12: POST _search means the same and puts nothing into the URL", async () => {
    const edge = await startEdge();
    edge.backend.answer = (_req, res) => fhir(res, searchset(observation("oa", "a"), observation("ob", "b")));
    const got = await edge.ask("/Observation/_search", {
      method: "POST",
      body: "status=final",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(idsOf(got.json)).toEqual(["Observation/oa"]);
    expect(edge.backend.asked[0]).toBe("POST /r4/Observation/_search");
    expect(edge.backend.bodies[0]).toMatch(/status=final/);
    expect(edge.backend.bodies[0]).toMatch(/Patient%2Fa/);
  });

  it("a search that names another patient finds nothing", async () => {
    const edge = await startEdge();
    for (const query of ["patient=b", "patient=Patient/b", "subject=Patient/b", "patient=a,b"]) {
      const got = await edge.ask(`/Observation?${query}`);
      expect([query, idsOf(got.json).filter((id) => id !== "Observation/oa")]).toEqual([query, []]);
      expect(got.text).not.toContain("/b");
    }
  });

  it("A2: what an include brings along is judged", async () => {
    const edge = await startEdge();
    edge.backend.answer = (_req, res) =>
      fhir(res, {
        resourceType: "Bundle",
        type: "searchset",
        entry: [
          { resource: observation("oa", "a"), search: { mode: "match" } },
          { resource: patient("a"), search: { mode: "include" } },
          { resource: patient("b"), search: { mode: "include" } },
          { resource: observation("ob", "b"), search: { mode: "include" } },
        ],
      });
    const got = await edge.ask("/Observation?_include=Observation:subject");
    expect(idsOf(got.json)).toEqual(["Observation/oa", "Patient/a"]);
  });

  it.each([
    ["a _has oracle", "/Patient?_has:Observation:subject:code=1234-5"],
    ["a chain into a hidden type", "/Observation?performer:Patient.name=Family-b"],
    ["a filter expression", "/Observation?_filter=code%20eq%201"],
    ["a full-text probe", "/Observation?_content=secret"],
    ["a list", "/Observation?_list=42"],
  ])("A1: %s is refused and the upstream not asked", async (_what, path) => {
    const edge = await startEdge();
    const got = await edge.ask(path);
    expect([400, 403]).toContain(got.status);
    expect(codeOf(got.json)).toMatch(/^smart-auth\//);
    expect(edge.backend.asked).toEqual([]);
  });

  it("A3: a copied page link is worthless", async () => {
    const edge = await startEdge((policy) => ({
      ...policy,
      routes: policy.routes.map((route) => ({ ...route, extraParameters: ["_offset"] })),
    }));
    edge.backend.answer = (req, res) =>
      fhir(res, {
        ...(searchset(req.url?.includes("Patient%2Fb") ? observation("ob", "b") : observation("oa", "a")) as object),
        link: [
          { relation: "next", url: `${edge.backend.url}/Observation?_offset=20` },
          { relation: "previous", url: `${edge.backend.url}?_getpages=opaque` },
        ],
      });
    const got = await edge.ask("/Observation");
    const links = (got.json as { link?: { relation: string; url: string }[] }).link ?? [];
    const next = links.find(({ relation }) => relation === "next")?.url ?? "";
    expect(next).toContain("http://127.0.0.1/fhir");
    expect(got.text).not.toContain("/r4");
    expect(got.text).not.toContain("_getpages");
    const follow = next.slice("http://127.0.0.1/fhir".length);
    expect(idsOf((await edge.ask(follow)).json)).toEqual(["Observation/oa"]);
    expect(edge.backend.asked.at(-1)).toContain("_offset=20");
    const asked = edge.backend.asked.length;
    const copied = await edge.ask(follow, { claims: { patient: "b" } });
    expect([copied.status, codeOf(copied.json)]).toEqual([410, "smart-auth/page-link-invalid"]);
    expect(edge.backend.asked).toHaveLength(asked);
  });

  it("A11: one bad entry of a batch is refused, the others are answered in their places", async () => {
    const edge = await startEdge();
    edge.backend.answer = (_req, res, body) => {
      const { entry } = JSON.parse(body) as { entry: { request: { url: string } }[] };
      const answers = entry.map(({ request }) => ({
        resource:
          edge.backend.resources.get(request.url.split("?")[0] ?? "") ??
          searchset(observation("oa", "a"), observation("ob", "b")),
        response: { status: "200" },
      }));
      fhir(res, { resourceType: "Bundle", type: "batch-response", entry: answers });
    };
    const got = await edge.ask("/", {
      ...post({
        resourceType: "Bundle",
        type: "batch",
        entry: [
          { request: { method: "GET", url: "Patient/a" } },
          { request: { method: "GET", url: "Patient?_has:Observation:subject:code=1" } },
          { request: { method: "GET", url: "Patient/b" } },
          { request: { method: "GET", url: "Observation" } },
        ],
      }),
    });
    const entries = (got.json as { entry: { resource?: Json; response: { status: string } }[] }).entry;
    expect(got.status).toBe(200);
    expect(entries.map(({ response }) => response.status.slice(0, 3))).toEqual(["200", "403", "404", "200"]);
    expect(got.text).not.toMatch(/Family-b|"ob"/);
    expect(edge.backend.bodies[0]).not.toContain("_has");
    // A15: each of the four stands in the ledger, and the two refusals of a known caller as alerts besides.
    const places: unknown[] = [];
    for await (const { event } of readLedger(edge.auditFolder)) places.push(...entryPlaces(event));
    expect(places).toEqual(["0", "1", "1", "2", "2", "3"]);
  });

  it("A11: a write about another patient is refused, by what is sent and by what is stored", async () => {
    const edge = await startEdge();
    const claims = { scope: "patient/*.cruds" };
    const created = await edge.ask("/Observation", { ...post(observation("x", "b")), claims });
    expect(created.status).toBe(403);
    const put = (id: string, of: string): Promise<{ status: number }> =>
      edge.ask(`/Observation/${id}`, { ...post(observation(id, of)), method: "PUT", claims });
    expect((await put("oa", "b")).status).toBe(403);
    expect([403, 404]).toContain((await put("ob", "a")).status);
    expect([403, 404]).toContain((await edge.ask("/Observation/ob", { method: "DELETE", claims })).status);
    expect(edge.backend.asked.filter((asked) => !asked.startsWith("GET "))).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ["no scope", { scope: undefined }, 403],
    ["a scope of another type", { scope: "patient/Observation.rs" }, 403],
    ["a write scope only", { scope: "patient/*.cud" }, 403],
    ["a scope nobody can read", { scope: "patient/*.dus" }, 403],
    ["no launch patient", { patient: undefined }, 403],
    ["an expired token", { exp: Math.floor(Date.now() / 1000) - 1, iat: Math.floor(Date.now() / 1000) - 100 }, 401],
    ["another audience", { aud: "https://other.example/fhir" }, 401],
    ["another issuer", { iss: "https://other.example" }, 401],
    ["a token bound to a key nobody showed", { cnf: { jkt: "x" } }, 401],
  ])("%s: nothing is granted", async (_what, claims, status) => {
    const edge = await startEdge();
    const got = await edge.ask("/Patient/a", { claims });
    expect(got.status).toBe(status);
    expect(got.headers.get("www-authenticate")).toMatch(/^(Bearer|DPoP) /);
    expect(edge.backend.asked).toEqual([]);
  });

  it("A15: the record names the patients whose data left, and nobody else", async () => {
    const edge = await startEdge();
    const link = [{ other: { reference: "Patient/b" }, type: "seealso" }];
    edge.backend.answer = (_req, res) => fhir(res, { ...(patient("a") as object), link } as Json);
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    await expect.poll(() => edge.records.length).toBe(1);
    expect(edge.records[0]?.patients).toEqual(["a"]);
  });

  it("a token bound to a key counts with a proof for this request, and with nothing else", async () => {
    const edge = await startEdge();
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const jwk = await exportJWK(publicKey);
    const token = await edge.issuer.token({
      patient: "a",
      scope: "patient/*.rs",
      cnf: { jkt: await calculateJwkThumbprint(jwk) },
    });
    const ath = createHash("sha256").update(token).digest("base64url");
    const ask = async (scheme: string, htu: string, proof?: string): Promise<number> => {
      const made = new SignJWT({ htm: "GET", htu, ath, jti: randomUUID(), iat: Math.floor(Date.now() / 1000) })
        .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk })
        .sign(privateKey);
      const headers = { authorization: `${scheme} ${token}`, dpop: proof ?? (await made) };
      return (await edge.ask("/Patient/a", { headers })).status;
    };
    expect(await ask("DPoP", "http://127.0.0.1/fhir/Patient/a")).toBe(200);
    expect(await ask("DPoP", "http://127.0.0.1/fhir/Patient/b")).toBe(401);
    expect(await ask("Bearer", "http://127.0.0.1/fhir/Patient/a")).toBe(401);
    const downgraded = await edge.ask("/Patient/a", { headers: { authorization: `Bearer ${token}` } });
    expect(downgraded.status).toBe(401);
    expect(edge.backend.asked.length).toBe(1);
  });

  it("S7: only metadata is public, and no token is asked for it", async () => {
    const edge = await startEdge();
    edge.backend.answer = (_req, res) => fhir(res, { resourceType: "CapabilityStatement", status: "active" });
    expect((await fetch(`${edge.base}/metadata`)).status).toBe(200);
    const bare = await fetch(`${edge.base}/Patient/a`);
    expect([bare.status, bare.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringMatching(/^Bearer realm="[^"]*"/),
    ]);
    expect((await fetch(`${edge.base}/metadata/`)).status).not.toBe(200);
    const where = /resource_metadata="([^"]+)"/.exec(bare.headers.get("www-authenticate") ?? "")?.[1] ?? "";
    const document = await fetch(where.replace("http://127.0.0.1/", `http://127.0.0.1:${edge.port}/`));
    expect([document.status, await document.json()]).toMatchObject([
      200,
      { resource: "http://127.0.0.1/fhir", authorization_servers: [edge.issuer.url] },
    ]);
  });

  it("F7: a key set that cannot be had is a 503, not a 401 and not a pass", async () => {
    const edge = await startEdge();
    const token = await edge.issuer.token({ patient: "a", scope: "patient/*.rs" });
    await edge.issuer.close();
    const got = await edge.ask("/Patient/a", { headers: { authorization: `Bearer ${token}` } });
    expect(got.status).toBe(503);
    expect(got.headers.get("retry-after")).toMatch(/^\d+$/);
  });

  it("throttled: 429 with Retry-After, and the upstream not asked", async () => {
    const edge = await startEdge((policy) => ({
      ...policy,
      tiers: { apps: { windows: [{ name: "apps", limit: 2, windowSeconds: 60, by: "client" }] } },
    }));
    const statuses = [];
    for (let index = 0; index < 3; index++) statuses.push((await edge.ask("/Patient/a")).status);
    expect(statuses).toEqual([200, 200, 429]);
    const got = await edge.ask("/Patient/a");
    expect(Number(got.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(got.json).toMatchObject({ resourceType: "OperationOutcome", issue: [{ code: "throttled" }] });
    expect(edge.backend.asked.length).toBe(2);
    expect((await edge.ask("/Patient/a", { claims: { client_id: "other" } })).status).toBe(200);
  });

  it("S4: callers behind a trusted proxy are told apart; a header alone moves nobody", async () => {
    const door = { limit: 2, windowSeconds: 60 };
    const trusting = await startEdge((policy) => ({
      ...policy,
      development: true,
      door,
      trustedProxies: ["127.0.0.1/32"],
    }));
    const from = (edge: Edge, address: string): Promise<{ status: number }> =>
      edge.ask("/Patient/a", { headers: { "x-forwarded-for": address, "x-forwarded-proto": "https" } });
    for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.2"])
      expect((await from(trusting, address)).status).toBe(200);
    expect((await from(trusting, "192.0.2.1")).status).toBe(429);
    await expect.poll(() => trusting.records.length).toBe(4);
    expect(trusting.records[0]).toMatchObject({ forwardedAddress: "192.0.2.1", peerAddress: "127.0.0.1" });

    const plain = await startEdge((policy) => ({ ...policy, door }));
    expect((await from(plain, "192.0.2.1")).status).toBe(403);
  });

  it("A15: every access and every refusal is on disk before its answer, in a ledger that verifies", async () => {
    const edge = await startEdge();
    await edge.ask("/Patient/a");
    await edge.ask("/Patient/b");
    await edge.ask("/Patient?_has:Observation:subject:code=1");
    await fetch(`${edge.base}/Patient/a`);
    await fetch(`${edge.base.replace("/fhir", "")}/elsewhere`);
    // The start and five requests; the two refusals of a known caller (404, 403) are security alerts besides.
    expect(await verifyLedger(edge.auditFolder)).toMatchObject({ ok: true, entries: 8 });
    await expect.poll(() => edge.records.length).toBe(5);
    expect(edge.records.map(({ outcome }) => outcome)).toEqual(["permit", "deny", "deny", "deny", "deny"]);
  });
});

describe("the audit log of the whole edge", () => {
  it("A15: starts and stops are recorded, with the policy in force", async () => {
    const edge = await startEdge();
    await edge.gateway.close();
    const kinds: unknown[] = [];
    for await (const { event } of readLedger(edge.auditFolder)) {
      kinds.push((event as { subtype: { code: string }[] }).subtype[0]?.code);
      if (kinds.length === 1) expect(JSON.stringify(event)).toContain(edge.gateway.policyVersion);
    }
    expect(kinds).toEqual(["110120", "110121"]);
  });

  it("A14: a zone whose identifiers are hashed names no patient in its ledger", async () => {
    const identifierKey = { id: "k1", key: randomBytes(32) };
    const edge = await startEdge(
      (policy) => ({ ...policy, audit: { ...policy.audit, identifiers: { patient: "hashed" } } }),
      { identifierKey },
    );
    await edge.ask("/Patient/a");
    const events: unknown[] = [];
    for await (const { event } of readLedger(edge.auditFolder)) events.push(event);
    expect(JSON.stringify(events)).not.toContain("Patient/a");
    expect(JSON.stringify(events)).toContain(pseudonymOf(identifierKey, "Patient", "a"));
  });

  it("A15: signed checkpoints leave the edge, and prove the ledger to whoever has the key", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const signer = checkpointSigner({ name: "edge-test", privateKey });
    const notes: string[] = [];
    const edge = await startEdge(undefined, {
      signer,
      onCheckpoint: (note) => {
        notes.push(note);
        return Promise.resolve();
      },
    });
    await edge.ask("/Patient/a");
    await edge.gateway.close();
    expect(notes.length).toBeGreaterThan(0);
    const keys = [signer.verifierKey];
    const expectCheckpoint = notes.at(-1) ?? "";
    expect(await verifyLedger(edge.auditFolder, { keys, expectCheckpoint })).toMatchObject({ ok: true });
    const stranger = checkpointSigner({ name: "edge-test", privateKey: generateKeyPairSync("ed25519").privateKey });
    expect((await verifyLedger(edge.auditFolder, { keys: [stranger.verifierKey] })).ok).toBe(false);
  });

  it("F10: the ledger is delivered while a receiver fails and comes back, each entry once by its id", async () => {
    const got = new Map<number, number>();
    let down = true;
    const sink: Sink = {
      name: "test",
      send(entries) {
        if (down) return Promise.reject(new DeliveryError("audit-event/sink-unreachable", "down", { retryable: true }));
        for (const { seq } of entries) got.set(seq, (got.get(seq) ?? 0) + 1);
        return Promise.resolve();
      },
    };
    const cursorFolder = await mkdtemp(join(tmpdir(), "edge-cursor-"));
    const edge = await startEdge(undefined, { ship: { cursorFolder, sinks: [sink] } });
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    await expect.poll(() => edge.events.map(({ code }) => code)).toContain("gateway/audit-delivery");
    down = false;
    await expect.poll(() => [...got.keys()]).toEqual([0, 1]);
    await edge.gateway.close();
    // The stop is delivered now, or when the gateway runs again.
    expect([...got.values()].every((times) => times === 1)).toBe(true);
    await rm(cursorFolder, { recursive: true });
  });

  it("a policy that hashes without a key does not start", async () => {
    const attempt = startEdge((policy) => ({ ...policy, audit: { ...policy.audit, identifiers: "hashed" } }));
    await expect(attempt).rejects.toThrow(/identifierKey/);
  });
});

describe("properties", () => {
  const anyResource = fc.record({
    type: fc.constantFrom("Observation", "Patient", "Condition", "Practitioner", "Appointment", "Basic"),
    id: fc.stringMatching(/^[a-z]{1,4}$/),
    of: fc.constantFrom("a", "b", "c"),
    form: fc.constantFrom(
      "Patient/",
      "http://127.0.0.1/fhir/Patient/",
      "https://elsewhere.example/Patient/",
      "patient/",
      "",
    ),
    contained: fc.boolean(),
  });
  const render = ({
    type,
    id,
    of,
    form,
    contained,
  }: typeof anyResource extends fc.Arbitrary<infer T> ? T : never): Json => ({
    resourceType: type,
    id: type === "Patient" ? of : id,
    secret: `of-${of}`,
    ...(type === "Appointment"
      ? { participant: [{ actor: { reference: form + of } }] }
      : type === "Patient" || type === "Practitioner"
        ? {}
        : { subject: { reference: form + of } }),
    ...(contained ? { contained: [observation("inner", of, { secret: `of-${of}` })] } : {}),
  });

  it("A2: whatever a backend mixes into an answer, only the launch patient's data leave", async () => {
    const edge: Edge = await startEdge();
    await fc.assert(
      fc.asyncProperty(fc.array(anyResource, { maxLength: 6 }), fc.integer({ min: 0, max: 3 }), async (rows, depth) => {
        const patientsOnly = rows.filter(({ type }) => type !== "Practitioner");
        let body = searchset(...patientsOnly.map(render));
        for (let level = 0; level < depth; level++) body = searchset(body, ...patientsOnly.map(render));
        edge.backend.answer = (_req, res) => fhir(res, body);
        const got = await edge.ask("/Observation");
        expect(got.text).not.toMatch(/of-[bc]/);
      }),
      { numRuns: 60 },
    );
  });
});

describe("well-formed FHIR or 400, through the whole door", () => {
  const claims = { scope: "patient/*.cruds" };

  it.each<[string, string, RequestInit, string, string]>([
    [
      "an unknown element",
      "/Observation",
      post({ ...(observation("x", "a") as object), colour: "red" }),
      "fhir-schema/resource-invalid",
      '"Observation"',
    ],
    [
      "an impossible date",
      "/Observation",
      post({ ...(observation("x", "a") as object), effectiveDateTime: "1987-02-30" }),
      "fhir-schema/resource-invalid",
      "Observation.effective",
    ],
    ["a date in a query that is none", "/Observation?date=ge2026-13", {}, "fhir-schema/query-invalid", "date"],
    ["a page too large", "/Observation?_count=100000", {}, "fhir-schema/query-invalid", "_count"],
  ])("%s is refused with its place, and the upstream not asked", async (_what, path, init, code, expression) => {
    const edge = await startEdge();
    const got = await edge.ask(path, { ...init, claims });
    expect([got.status, codeOf(got.json)]).toEqual([400, code]);
    expect(got.text).toContain(expression);
    expect(got.text).not.toMatch(/red|1987-02|2026-13|100000/);
    expect(edge.backend.asked).toEqual([]);
  });

  it("a route that only reports lets it pass and tells the operator", async () => {
    const edge = await startEdge((policy) => ({
      ...policy,
      routes: policy.routes.map((route) => ({
        ...route,
        schema: { resources: "report", responses: "report" } as const,
      })),
    }));
    edge.backend.answer = (_req, res) => fhir(res, { ...(observation("oa", "a") as object), colour: "red" });
    expect((await edge.ask("/Observation/oa", { claims })).status).toBe(200);
    await expect.poll(() => edge.events.map(({ code }) => code)).toContain("gateway/schema-report");
    expect(JSON.stringify(edge.events)).not.toContain("red");
  });
});

function entryPlaces(event: unknown): string[] {
  const { entity = [] } = event as { entity?: { detail?: { type: string; valueString: string }[] }[] };
  const details = entity.flatMap(({ detail = [] }) => detail);
  return details.flatMap(({ type, valueString }) => (type === "entry" ? [valueString] : []));
}
