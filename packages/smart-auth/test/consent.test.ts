import { appendFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findings } from "@wardline/policy-types";
import type { Request, Response } from "express";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { isOfCategory, parseCategories } from "../src/consent/categories.ts";
import {
  type ConsentRegistry,
  consentFromResource,
  createMemoryConsentRegistry,
  type DataCategory,
  type FileConsentRegistry,
  openFileConsentRegistry,
  type Withheld,
} from "../src/index.ts";
import type { JsonObject } from "../src/resource.ts";
import { consentRegistryContract } from "./support/consent-registry-contract.ts";
import { codeOf, createEdge, DOCTOR, FHIR, idsOf, SYSTEM } from "./support/edge.ts";
import { AUDIENCE, NOW } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

const LABEL = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const SUD: DataCategory = {
  name: "sud",
  labels: [`${LABEL}|ETH`, `${LABEL}|SUD`],
  codes: ["http://snomed.info/sct|66590003"],
};
const CATEGORIES = (() => {
  const found = findings();
  const parsed = parseCategories(found, [SUD, { name: "notes", types: ["DocumentReference"] }], "categories");
  found.throwIfAny("categories");
  return parsed;
})();

describe("the memory consent registry", () => {
  consentRegistryContract(async () => createMemoryConsentRegistry());

  it("takes no more when it is full, and makes room when something is taken back", async () => {
    const registry = createMemoryConsentRegistry({ limit: 1 });
    await registry.revoke("p1", {});
    await registry.revoke("p1", {});
    await expect(registry.revoke("p2", {})).rejects.toMatchObject({ code: "smart-auth/consent-registry-full" });
    await registry.restore("p1", {});
    await registry.revoke("p2", {});
  });
});

describe("the consent registry in a file", () => {
  const folders: string[] = [];
  const place = async () => {
    const folder = await mkdtemp(join(tmpdir(), "wardline-consent-"));
    folders.push(folder);
    return join(folder, "consent.jsonl");
  };
  const opened: FileConsentRegistry[] = [];
  afterEach(async () => {
    for (const registry of opened.splice(0)) await registry.close();
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  consentRegistryContract(async () => {
    const registry = await openFileConsentRegistry({ file: await place() });
    opened.push(registry);
    return registry;
  });

  it("remembers, readable by its owner only, and leaves out what counts no more", async () => {
    const file = await place();
    const first = await openFileConsentRegistry({ file });
    await first.revoke("patient-4711", { client: "app-1" });
    await first.revoke("p2", {});
    await first.restore("p2", {});
    await first.close();
    const text = await readFile(file, "utf8");
    expect(text.split("\n").length).toBe(4);
    expect(text).not.toContain("patient-4711");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const second = await openFileConsentRegistry({ file });
    expect((await second.view({ clientId: "app-1" })).withheldBy("patient-4711")).toBe("all");
    expect((await readFile(file, "utf8")).split("\n").length).toBe(2);
    await second.close();
    await expect(second.view({})).rejects.toMatchObject({ code: "smart-auth/consent-unavailable" });
    await expect(second.revoke("p3", {})).rejects.toMatchObject({ code: "smart-auth/consent-unavailable" });
  });

  it("drops half a line at its end, which nobody was told is there, and refuses any other", async () => {
    const file = await place();
    const registry = await openFileConsentRegistry({ file });
    await registry.revoke("p1", {});
    await registry.close();
    await appendFile(file, '{"key":"half');
    const again = await openFileConsentRegistry({ file });
    expect((await again.view({})).withheldBy("p1")).toBe("all");
    await again.close();
    await appendFile(file, '{"key":"half\n');
    await expect(openFileConsentRegistry({ file })).rejects.toMatchObject({ code: "smart-auth/consent-file-damaged" });
  });
});

describe("data categories", () => {
  const sud = CATEGORIES.get("sud");
  const notes = CATEGORIES.get("notes");
  if (sud === undefined || notes === undefined) throw new Error("no category");
  const coding = { system: "http://snomed.info/sct", code: "66590003" };
  const label = { system: LABEL, code: "ETH" };
  it.each<[string, JsonObject, boolean]>([
    ["a code", { resourceType: "Condition", code: { coding: [coding] } }, true],
    ["a label", { resourceType: "Condition", meta: { security: [label] } }, true],
    ["a code in a part", { resourceType: "Observation", component: [{ code: { coding: [coding] } }] }, true],
    [
      "a code of what is contained",
      { resourceType: "List", contained: [{ resourceType: "Condition", code: { coding: [coding] } }] },
      true,
    ],
    [
      "the code of another system",
      { resourceType: "Condition", code: { coding: [{ ...coding, system: "urn:x" }] } },
      false,
    ],
    ["another code", { resourceType: "Condition", code: { coding: [{ ...coding, code: "1" }] } }, false],
    ["the code in a text only", { resourceType: "Condition", code: { text: "66590003" } }, false],
  ])("are told by %s", (_name, resource, isIt) => {
    expect(isOfCategory(resource, sud)).toBe(isIt);
  });

  it("are told by type, and what is too deep belongs to them", () => {
    expect(isOfCategory({ resourceType: "DocumentReference" }, notes)).toBe(true);
    expect(isOfCategory({ resourceType: "Observation" }, notes)).toBe(false);
    let deep: JsonObject = {};
    for (let level = 0; level < 70; level++) deep = { part: deep };
    expect(isOfCategory(deep, notes)).toBe(true);
  });

  it("that nothing could belong to stop the start-up", () => {
    const found = findings();
    parseCategories(found, [{ name: "x" }, { name: "x", codes: ["1"] }, null as never], "c");
    expect(found.issues.map(({ path, code }) => `${path} ${code}`)).toEqual([
      "c[0] empty",
      "c[1].name not-a-name",
      "c[1].codes not-a-list",
      "c[1] empty",
      "c[2] not-an-object",
    ]);
  });
});

describe("a Consent resource", () => {
  const consent = (change: object = {}) => ({
    resourceType: "Consent",
    status: "active",
    patient: { reference: "Patient/p1" },
    ...change,
  });
  const deny = (change: object = {}) => consent({ provision: { type: "deny", ...change } });
  const read = (resource: unknown) =>
    consentFromResource(resource, "Consent/1", { baseUrls: [AUDIENCE], categories: CATEGORIES, now: NOW * 1000 });
  const actor = (reference: string) => ({ actor: [{ role: {}, reference: { reference } }] });
  const sct = { coding: [{ system: "http://snomed.info/sct", code: "66590003" }] };

  it.each<[string, unknown]>([
    ["of no patient", consent({ patient: undefined })],
    ["of a patient who is named by an identifier only", consent({ patient: { identifier: { value: "1" } } })],
    ["of another server's patient", consent({ patient: { reference: "https://elsewhere.example/Patient/p1" } })],
    ["of a group", consent({ patient: { reference: "Group/g" } })],
    ["without status", consent({ status: undefined })],
    ["whose provision is no object", consent({ provision: [] })],
    ["whose provisions are no objects", deny({ provision: ["x"] })],
    ["that is none", { resourceType: "Basic" }],
    ["that is nothing", undefined],
  ])("%s cannot be read", (_name, resource) => {
    expect(read(resource)).toBeUndefined();
  });

  it.each<[string, unknown, readonly Withheld[]]>([
    ["a draft", { ...deny(), status: "draft" }, []],
    ["one that was taken back", { ...deny(), status: "inactive" }, []],
    ["a permission", consent({ provision: { type: "permit" } }), []],
    ["opting out", consent({ policyRule: { coding: [{ code: "OPTOUT" }] } }), [{}]],
    ["a denial", deny(), [{}]],
    ["a denial by absolute reference", { ...deny(), patient: { reference: `${AUDIENCE}/Patient/p1` } }, [{}]],
    ["a denial to an organisation", deny(actor("Organization/1")), [{ organisation: "Organization/1" }]],
    ["a denial to an application", deny(actor("Device/app")), [{ client: "Device/app" }]],
    [
      "a denial to a version of an organisation",
      deny(actor("Organization/1/_history/2")),
      [{ organisation: "Organization/1" }],
    ],
    ["a denial to a version of an application", deny(actor("Device/app/_history/2")), [{ client: "Device/app" }]],
    ["a denial to an organisation that is spelled otherwise", deny(actor("Organization/1 ")), [{}]],
    ["a denial to a part of an organisation", deny(actor("Organization/1#part")), [{}]],
    ["a denial to somebody unknown", deny(actor("Practitioner/1")), [{}]],
    ["a category by its label", deny({ securityLabel: [{ system: LABEL, code: "ETH" }] }), [{ category: "sud" }]],
    ["a category by its code", deny({ code: [sct] }), [{ category: "sud" }]],
    ["a category by its type", deny({ class: [{ code: "DocumentReference" }] }), [{ category: "notes" }]],
    [
      "a category to an organisation",
      deny({ ...actor("Organization/1"), code: [sct] }),
      [{ organisation: "Organization/1", category: "sud" }],
    ],
    ["a label nobody knows", deny({ securityLabel: [{ system: LABEL, code: "HIV" }] }), [{}]],
    ["a known code beside an unknown one", deny({ code: [sct, { coding: [{ code: "?" }] }] }), [{}]],
    [
      "a denial inside a permission",
      consent({ provision: { type: "permit", provision: [{ type: "deny", code: [sct] }] } }),
      [{ category: "sud" }],
    ],
    ["a permission inside a denial", deny({ provision: [{ type: "permit", ...actor("Organization/1") }] }), [{}]],
    ["a denial that is over", deny({ period: { end: "2020-01-01" } }), []],
    ["a denial that ended today", deny({ period: { end: "2027-01-15" } }), [{}]],
    ["a denial that ends with the month", deny({ period: { end: "2027-01" } }), [{}]],
    ["a denial that ends with the year", deny({ period: { end: "2027" } }), [{}]],
    ["a denial that ended with a month", deny({ period: { end: "2026-12" } }), []],
    ["a denial that ended with a year", deny({ period: { end: "2026" } }), []],
    ["a denial whose end is no date of FHIR", deny({ period: { end: "1 Jan 2020" } }), [{}]],
    ["a denial without a readable end", deny({ period: { end: "soon" } }), [{}]],
  ])("%s withholds as much as it says, or more", (_name, resource, withheld) => {
    expect(read(resource)).toEqual({ source: "Consent/1", patient: "p1", withheld });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (provision, policyRule) => {
        expect(() => read(consent({ provision, policyRule }))).not.toThrow();
      }),
    );
  });
});

describe.each(EXPRESS)("A10: consent on %s", (_name, express) => {
  const withRegistry = async (options: object = {}, registry: ConsentRegistry = createMemoryConsentRegistry()) => ({
    registry,
    edge: await createEdge(express, { consent: { registry, categories: [SUD], ...options } }),
  });
  const refusal = async (answer: Awaited<ReturnType<Awaited<ReturnType<typeof createEdge>>["as"]>>) => [
    answer.status,
    codeOf(answer),
  ];

  it("is withdrawn from an application for its next request, remembered token or not", async () => {
    const { edge, registry } = await withRegistry();
    expect((await edge.as("patient/*.rs", "/Patient/p1")).status).toBe(200);
    await registry.revoke("p1", { client: "app-1" });
    expect(await refusal(await edge.as("patient/*.rs", "/Patient/p1"))).toEqual([403, "smart-auth/consent-withdrawn"]);
    expect(edge.backend.seen.length).toBe(1);
    await registry.restore("p1", { client: "app-1" });
    expect((await edge.as("patient/*.rs", "/Patient/p1")).status).toBe(200);
  });

  it("hides one patient of many, as if there were none", async () => {
    const { edge, registry } = await withRegistry();
    const open = await edge.as("user/*.rs", "/Observation", {}, DOCTOR);
    expect(JSON.parse(open.text)).toMatchObject({ total: 4 });
    await registry.revoke("p2", { client: "app-1" });
    const after = await edge.as("user/*.rs", "/Observation", {}, DOCTOR);
    expect(idsOf(after)).toEqual(["o1", "o3"]);
    expect(JSON.parse(after.text)).not.toHaveProperty("total");
    expect(await refusal(await edge.as("user/*.rs", "/Patient/p2", {}, DOCTOR))).toEqual([404, "smart-auth/not-found"]);
    expect(await refusal(await edge.as("system/*.rs", "/Patient/p2", {}, SYSTEM))).toEqual([
      404,
      "smart-auth/not-found",
    ]);
    expect((await edge.as("user/*.rs", "/Patient/p1", {}, DOCTOR)).status).toBe(200);
  });

  it("A1: gives no oracle on what is hidden", async () => {
    const { edge, registry } = await withRegistry();
    await registry.revoke("p2", { client: "app-1" });
    for (const query of ["_has:Observation:subject:code=x", "general-practitioner.name=x&_total=accurate", "_text=x"]) {
      const answer = await edge.as("user/*.rs", `/Patient?${query}`, {}, DOCTOR);
      expect([403, 200], query).toContain(answer.status);
      expect(answer.text).not.toContain("total");
    }
    expect((await edge.as("user/*.rs", "/Patient?_has:Observation:subject:code=x", {}, DOCTOR)).status).toBe(403);
  });

  it("keeps writes about such a patient out", async () => {
    const registry = createMemoryConsentRegistry();
    const edge = await createEdge(express, { interactions: ["create"], consent: { registry } });
    await registry.revoke("p2", {});
    const body = JSON.stringify({
      resourceType: "Observation",
      status: "final",
      code: {},
      subject: { reference: "Patient/p2" },
    });
    const answer = await edge.as("user/*.c", "/Observation", { method: "POST", headers: FHIR, body }, DOCTOR);
    expect(await refusal(answer)).toEqual([403, "smart-auth/resource-not-covered"]);
  });

  it("withholds a category and nothing else", async () => {
    const { edge, registry } = await withRegistry();
    await registry.revoke("p1", { category: "sud" });
    const coded = {
      resourceType: "Condition",
      id: "c1",
      subject: { reference: "Patient/p1" },
      code: { coding: [{ system: "http://snomed.info/sct", code: "66590003" }] },
    };
    edge.backend.next = (_req, res) => void res.type("application/fhir+json").json(coded);
    expect(await refusal(await edge.as("patient/*.rs", "/Condition/c1"))).toEqual([404, "smart-auth/not-found"]);
    expect((await edge.as("patient/*.rs", "/Condition/c1")).status).toBe(200);
  });

  it("withholds everything when a category is not known here", async () => {
    const { edge, registry } = await withRegistry();
    await registry.revoke("p1", { category: "unheard-of" });
    expect(await refusal(await edge.as("patient/*.rs", "/Condition/c1"))).toEqual([404, "smart-auth/not-found"]);
  });

  it("withholds what a rule denies by purpose, and says so in the grant", async () => {
    const edge = await createEdge(express, {
      consent: { categories: [{ name: "conditions", types: ["Condition"] }] },
      conditions: [
        { id: "no-conditions", effect: "withhold", categories: ["conditions"], when: { purposeOfUse: ["HOPERAT"] } },
      ],
    });
    const claims = { ...DOCTOR, purpose_of_use: ["HOPERAT"] };
    expect(await refusal(await edge.as("user/*.rs", "/Condition/c1", {}, claims))).toEqual([
      404,
      "smart-auth/not-found",
    ]);
    expect(edge.context().grant).toMatchObject({ deniedCategories: ["conditions"] });
    expect((await edge.as("user/*.rs", "/Condition/c1", {}, DOCTOR)).status).toBe(200);
  });

  it.each<[string, ConsentRegistry["view"]]>([
    ["fails", () => Promise.reject(new Error("down"))],
    ["is late", () => new Promise(() => undefined)],
    [
      "gives a view that fails",
      async () => ({
        withholdsAny: () => false,
        permits: () => false,
        withheldBy: () => {
          throw new Error("stale");
        },
      }),
    ],
  ])("F8: is closed while the registry %s", async (_how, view) => {
    const { edge } = await withRegistry({}, { ...createMemoryConsentRegistry(), view });
    const answer = await edge.as("patient/*.rs", "/Patient/p1");
    expect(await refusal(answer)).toEqual([503, "smart-auth/consent-unavailable"]);
    expect(answer.headers["retry-after"]).toBe("2");
  });

  it("stops a stream in the middle", async () => {
    const { edge, registry } = await withRegistry();
    const line = (id: string) =>
      `${JSON.stringify({ resourceType: "Observation", id, subject: { reference: "Patient/p2" } })}\n`;
    let proceed: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    edge.backend.next = (_req: Request, res: Response) => {
      res.type("application/fhir+ndjson");
      res.write(line("before"));
      proceed();
      void registry.revoke("p2", { client: "app-1" }).then(() => res.end(line("after")));
    };
    const answer = await edge.as("system/*.rs", "/Observation", {}, SYSTEM);
    await first;
    expect(answer.text).not.toContain("after");
  });

  describe("written as a resource", () => {
    const consent = (change: object = {}) => ({
      resourceType: "Consent",
      status: "active",
      patient: { reference: "Patient/p1" },
      provision: { type: "deny" },
      ...change,
    });
    const WRITES = ["read", "create", "update", "delete", "batch"] as const;
    const create = async (registry: ConsentRegistry = createMemoryConsentRegistry()) => ({
      registry,
      edge: await createEdge(express, { interactions: WRITES, consent: { registry, categories: [SUD] } }),
    });
    type Made = Awaited<ReturnType<typeof create>>["edge"];
    const write = (edge: Made, method: string, path: string, body?: object) =>
      edge.as(
        "user/*.cruds",
        path,
        { method, ...(body === undefined ? {} : { headers: FHIR, body: JSON.stringify(body) }) },
        DOCTOR,
      );
    const said = async (registry: ConsentRegistry) => (await registry.view({ clientId: "app-1" })).withheldBy("p1");

    it("is in force before its writer has the answer, and follows its changes", async () => {
      const { edge, registry } = await create();
      expect((await write(edge, "POST", "/Consent", consent())).status).toBe(201);
      expect(await said(registry)).toBe("all");
      expect(await refusal(await edge.as("patient/*.rs", "/Patient/p1"))).toEqual([
        403,
        "smart-auth/consent-withdrawn",
      ]);
      // The backend gave it the id `new1`.
      await registry.forget("Consent/new1");
      expect(await said(registry)).toEqual([]);
      const narrower = consent({ id: "k1", provision: { type: "deny", class: [{ code: "?" }] } });
      expect((await write(edge, "PUT", "/Consent/k1", narrower)).status).toBe(200);
      expect(await said(registry)).toBe("all");
      await registry.forget("Consent/k1");
      await registry.record({ source: "Consent/k2", patient: "p9", withheld: [{ client: "app-2" }] });
      expect((await write(edge, "DELETE", "/Consent/k2")).status).toBe(204);
      expect((await registry.view({ clientId: "app-2" })).withholdsAny()).toBe(false);
    });

    it("is withheld itself, but not from those who manage it", async () => {
      const registry = createMemoryConsentRegistry();
      await registry.revoke("p1", {});
      const put = { method: "PUT", headers: FHIR, body: JSON.stringify(consent({ id: "k1", status: "inactive" })) };
      const stored = async () => ({ ...consent(), id: "k1" }) as never;
      for (const [managers, status, reads] of [
        [["app-2"], 403, 403],
        [["app-1"], 200, 404],
      ] as const) {
        const edge = await createEdge(express, {
          interactions: WRITES,
          readStored: stored,
          consent: { registry, managers },
        });
        expect((await edge.as("patient/*.cruds", "/Consent/k1", put)).status).toBe(status);
        expect((await edge.as("patient/*.cruds", "/Condition/c1")).status).toBe(reads);
      }
    });

    it("is not in force when the store refused it", async () => {
      const { edge, registry } = await create();
      edge.backend.next = (_req, res) => void res.status(409).end();
      await write(edge, "POST", "/Consent", consent());
      expect(await said(registry)).toEqual([]);
    });

    it("is refused before it is stored when nobody could say what it withholds", async () => {
      const { edge } = await create();
      const unreadable = await write(edge, "POST", "/Consent", consent({ patient: { display: "Me" } }));
      expect(await refusal(unreadable)).toEqual([422, "smart-auth/consent-unreadable"]);
      expect(edge.backend.seen).toEqual([]);
      const request = { method: "POST", url: "Consent" };
      const bundle = { resourceType: "Bundle", type: "batch", entry: [{ resource: consent(), request }] };
      const batch = await write(edge, "POST", "", bundle);
      expect(batch.text).toContain("smart-auth/consent-unreadable");
      expect(edge.backend.seen).toEqual([]);
    });

    it("is said not to be in force when the registry fails", async () => {
      const { edge } = await create({
        ...createMemoryConsentRegistry(),
        record: () => Promise.reject(new Error("down")),
      });
      expect(await refusal(await write(edge, "POST", "/Consent", consent()))).toEqual([
        503,
        "smart-auth/consent-not-recorded",
      ]);
    });
  });
});
