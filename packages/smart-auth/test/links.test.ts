import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryConsentRegistry } from "../src/index.ts";
import { createSealer, type PageState } from "../src/links/sealer.ts";
import { parseOptions } from "../src/options.ts";
import { codeOf, DOCTOR, FHIR, FORM, idsOf, SYSTEM } from "./support/edge.ts";
import type { Stored } from "./support/fhir-store.ts";
import { NOW } from "./support/issuer.ts";
import { ask, EXPRESS } from "./support/servers.ts";
import { createStoreEdge, LINK_KEY, linkOf, observation, type StoreEdge } from "./support/store-edge.ts";

const BINDINGS = ["https://fhir.example.org/fhir", "issuer", "subject", "client", "", "", "p1", "", "grant"];
const STATE: PageState = { path: "/Observation", query: "code=x", part: 1, next: "Observation?_getpages=c1" };
const NOW_MS = 1_700_000_000_000;
let serial = 0;
const sealerWith = (more: object = {}) =>
  createSealer({
    keys: [LINK_KEY],
    lifetimeSeconds: 60,
    now: () => NOW_MS,
    randomBytes: (size) => Buffer.alloc(size, ++serial),
    ...more,
  });

describe("a sealed page link", () => {
  const sealed = sealerWith().seal(STATE, BINDINGS) ?? "";
  const opened = (text: string, bindings: readonly string[] = BINDINGS, more: object = {}) =>
    sealerWith(more).open(text, bindings);

  it("opens for what it was sealed for, and shows nothing of what it holds", () => {
    expect(opened(sealed)).toEqual(STATE);
    expect(Buffer.from(sealed, "base64url").toString("latin1")).not.toMatch(/Observation|code|getpages/);
    expect(sealerWith().seal(STATE, BINDINGS)).not.toBe(sealed);
  });

  it("opens without a server's link too: the first page of a part", () => {
    const { next: _, ...first } = STATE;
    expect(opened(sealerWith().seal(first, BINDINGS) ?? "")).toEqual(first);
  });

  it.each(BINDINGS.map((_, at) => at))("A3: is worthless when binding %d differs", (at) => {
    expect(opened(sealed, BINDINGS.with(at, "other"))).toBeUndefined();
  });

  it.each([
    ["another key", { keys: [Buffer.alloc(32, 8)] }],
    ["the time it expires", { now: () => NOW_MS + 60_000 }],
  ])("A3: is worthless with %s", (_what, more) => {
    expect(opened(sealed, BINDINGS, more)).toBeUndefined();
  });

  it("counts until the second before it expires, and under a key that was replaced", () => {
    expect(opened(sealed, BINDINGS, { now: () => NOW_MS + 59_999 })).toEqual(STATE);
    expect(opened(sealed, BINDINGS, { keys: [Buffer.alloc(32, 8), LINK_KEY] })).toEqual(STATE);
  });

  it("any one byte changed, cut or added makes it worthless", () => {
    const bytes = Buffer.from(sealed, "base64url");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ mask;
        expect(opened(changed.toString("base64url"))).toBeUndefined();
        expect(opened(bytes.subarray(0, at).toString("base64url"))).toBeUndefined();
      }),
    );
    for (const text of [`${sealed}A`, `${sealed}=`, ` ${sealed}`, sealed.replace(/-|_|A/, "+"), "", "AQ"]) {
      expect(opened(text)).toBeUndefined();
    }
  });

  it("no text throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        expect(opened(text)).toBeUndefined();
      }),
    );
  });

  it("is not given when no URL could carry it", () => {
    expect(sealerWith().seal({ ...STATE, query: "x".repeat(6000) }, BINDINGS)).toBeUndefined();
  });
});

describe("options of page links", () => {
  const parse = (pageLinks: unknown) =>
    parseOptions({
      issuers: [{ issuer: "https://as.example", audience: ["https://fhir.example.org"] }],
      baseUrl: "https://fhir.example.org",
      pageLinks: pageLinks as never,
    });
  it("takes bytes and base64url", () => {
    expect(parse({ keys: [LINK_KEY, LINK_KEY.toString("base64url")] }).route.sealsPages).toBe(true);
  });
  it.each([
    ["no keys", { keys: [] }, "pageLinks.keys"],
    ["five keys", { keys: Array.from({ length: 5 }, () => LINK_KEY) }, "pageLinks.keys"],
    ["a short key", { keys: [LINK_KEY.subarray(1)] }, "pageLinks.keys[0]"],
    ["a key in hex", { keys: ["ab".repeat(32)] }, "pageLinks.keys[0]"],
    ["padding", { keys: [LINK_KEY.toString("base64")] }, "pageLinks.keys[0]"],
    ["a lifetime of nothing", { keys: [LINK_KEY], lifetimeSeconds: 0 }, "pageLinks.lifetimeSeconds"],
    ["a lifetime without end", { keys: [LINK_KEY], lifetimeSeconds: 1e9 }, "pageLinks.lifetimeSeconds"],
    ["an unknown option", { keys: [LINK_KEY], lifetime: 1 }, "pageLinks.lifetime"],
  ])("refuses %s", (_what, options, path) => {
    expect(() => parse(options)).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path })] }));
  });
});

const category = (code: string) => ({ category: [{ coding: [{ system: "urn:k", code }] }] });
const ROWS: readonly Stored[] = [
  { resourceType: "Patient", id: "p1" },
  observation("h1", "p2", "weight", category("lab")),
  observation("a1", "p1", "weight", category("lab")),
  observation("a2", "p1", "glucose", category("lab")),
  observation("h2", "p2", "weight"),
  observation("a3", "p1", "weight"),
  observation("w1", "p1", "hiv"),
  observation("a4", "p1", "weight", category("lab")),
  observation("w2", "p1", "hiv", category("other")),
];
/** Two filters no one search can say. */
const GRANULAR = "patient/Observation.rs?category=urn:k|lab patient/Observation.rs?code=urn:c|weight";

describe.each(EXPRESS)("pages on %s", (_name, express) => {
  const edgeWith = (options = {}): Promise<StoreEdge> => createStoreEdge(express, ROWS, options);

  async function follow(edge: StoreEdge, first: string, scope: string): Promise<string[][]> {
    const pages: string[][] = [];
    for (let path: string | undefined = first; path !== undefined && pages.length < 30; ) {
      const answer = await edge.as(scope, path);
      expect(answer.status).toBe(200);
      pages.push(idsOf(answer));
      path = linkOf(answer.text);
    }
    return pages;
  }

  it("A3: a server that pages by opaque tokens is paged through sealed links, each page judged", async () => {
    const edge = await edgeWith();
    expect(await follow(edge, "/Observation?_count=2", "patient/*.rs")).toEqual([
      ["a1", "a2"],
      ["a3", "w1"],
      ["a4", "w2"],
    ]);
    expect(edge.store.seen[1]).toBe("GET /?_getpages=c1");
  });

  it("every page of a search that takes several is followed by the next: all that may be seen, each once", async () => {
    const edge = await edgeWith();
    const pages = await follow(edge, "/Observation?_count=2", GRANULAR);
    expect(pages.flat().sort()).toEqual(["a1", "a2", "a3", "a4"]);
    expect(pages.length).toBeGreaterThan(2);
    expect(edge.store.seen.some((line) => line.includes("hiv"))).toBe(false);
  });

  it("POST _search goes on by GET, and so does a search in a batch", async () => {
    const edge = await edgeWith();
    const posted = await edge.as(GRANULAR, "/Observation/_search", { method: "POST", headers: FORM, body: "_count=1" });
    const rest = await follow(edge, linkOf(posted.text) ?? "", GRANULAR);
    expect([...idsOf(posted), ...rest.flat()].sort()).toEqual(["a1", "a2", "a3", "a4"]);
    const body = JSON.stringify({
      resourceType: "Bundle",
      type: "batch",
      entry: [{ request: { method: "GET", url: "Observation?_count=1" } }],
    });
    const batch = await edge.as(GRANULAR, "/", { method: "POST", headers: FHIR, body });
    const { entry } = JSON.parse(batch.text) as { entry: { resource: object }[] };
    const more = await follow(edge, linkOf(JSON.stringify(entry[0]?.resource)) ?? "", GRANULAR);
    expect(more.flat().length).toBe(3);
  });

  it("A1: an order over several searches is refused; over one it stands", async () => {
    const edge = await edgeWith();
    const several = await edge.as(GRANULAR, "/Observation?_sort=code");
    expect([several.status, codeOf(several)]).toEqual([403, "smart-auth/search-refused"]);
    expect((await edge.as("patient/*.rs", "/Observation?_sort=code")).status).toBe(200);
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["another user", GRANULAR, { sub: "somebody" }],
    ["another application", GRANULAR, { client_id: "app-2" }],
    ["another patient", GRANULAR, { patient: "p2" }],
    ["less scope", "patient/Observation.rs?category=urn:k|lab", {}],
    ["more scope", `${GRANULAR} patient/Condition.rs`, {}],
    ["no patient", "user/*.rs", DOCTOR],
  ])("A3: a link copied to %s is worthless", async (_what, scope, claims) => {
    const edge = await edgeWith();
    const link = linkOf((await edge.as(GRANULAR, "/Observation?_count=1")).text) ?? "";
    const answer = await edge.as(scope, link, {}, claims);
    expect([answer.status, codeOf(answer)]).toEqual([410, "smart-auth/page-link-invalid"]);
    expect(edge.store.seen.length).toBe(1);
  });

  it("A3: the next page needs a token that still counts, and a link that has not expired", async () => {
    let now = NOW * 1000;
    const edge = await edgeWith({ now: () => now, pageLinks: { keys: [LINK_KEY], lifetimeSeconds: 30 } });
    const link = linkOf((await edge.as(GRANULAR, "/Observation?_count=1")).text) ?? "";
    expect((await edge.as(undefined, link)).status).toBe(401);
    expect((await edge.as(GRANULAR, link)).status).toBe(200);
    now += 30_000;
    expect((await edge.as(GRANULAR, link)).status).toBe(410);
  });

  it.each([
    ["with a parameter beside", (link: string) => `${link}&code=x`],
    ["twice", (link: string) => `${link}&${link.split("?")[1]}`],
    ["at another type", (link: string) => link.replace("/Observation", "/Condition")],
    ["cut short", (link: string) => link.slice(0, -1)],
    ["without its seal", (link: string) => link.replace(/=.*/, "=")],
  ])("A12: a link %s does not count", async (_what, change) => {
    const edge = await edgeWith();
    const link = linkOf((await edge.as("patient/*.rs", "/Observation?_count=1")).text) ?? "";
    const answer = await edge.as("patient/*.rs", change(link));
    expect([answer.status, codeOf(answer)]).toEqual([410, "smart-auth/page-link-invalid"]);
    expect(edge.store.seen.length).toBe(1);
  });

  it("an instance with the same key opens what another sealed, and none with another key", async () => {
    const one = await edgeWith();
    const link = linkOf((await one.as(GRANULAR, "/Observation")).text) ?? "";
    const issuers = [one.issuer.policy];
    const [two, three] = [
      await edgeWith({ issuers }),
      await edgeWith({ issuers, pageLinks: { keys: [Buffer.alloc(32, 9)] } }),
    ];
    const headers = { authorization: `Bearer ${await one.issuer.token({ scope: GRANULAR })}` };
    expect((await ask(two?.origin ?? "", `/fhir${link}`, { headers })).status).toBe(200);
    expect((await ask(three?.origin ?? "", `/fhir${link}`, { headers })).status).toBe(410);
  });

  it("A9: what one patient withholds from a client leaves the others' records behind it in reach", async () => {
    const registry = createMemoryConsentRegistry();
    await registry.revoke("p2", {});
    const edge = await edgeWith({ consent: { registry } });
    const seen: string[] = [];
    const steps: string[][] = [];
    let next: string | undefined = "/Observation?_count=2";
    while (next !== undefined && steps.length < 10) {
      const answer: Awaited<ReturnType<typeof edge.as>> = await edge.as("system/Observation.rs", next, {}, SYSTEM);
      expect(answer.status).toBe(200);
      steps.push(idsOf(answer));
      seen.push(...idsOf(answer));
      next = linkOf(answer.text);
      expect(next ?? "_sealed=").toContain("_sealed=");
    }
    const others = ROWS.filter(
      (row) => row.resourceType === "Observation" && !JSON.stringify(row).includes("Patient/p2"),
    );
    expect(seen.sort()).toEqual(others.map(({ id }) => id).sort());
    expect(steps.some((page) => page.length < 2)).toBe(true);
  });

  it.each(["Condition", "Observation"])("A3: what a rule withholds of %s stays behind on every page", async (type) => {
    const edge = await edgeWith({
      consent: { categories: [{ name: "hiv", codes: ["urn:c|hiv"] }] },
      conditions: [{ id: "r1", effect: "withhold", categories: ["hiv"], on: { types: [type] }, when: {} }],
    });
    edge.backend.router.stack.length = 0;
    const condition = { ...observation("c1", "p1", "hiv"), resourceType: "Condition" };
    edge.backend.router.use((_req, res) => {
      const entry = [
        { resource: observation("a1", "p1", "weight"), search: { mode: "match" } },
        { resource: condition, search: { mode: "include" } },
      ];
      const link = [{ relation: "next", url: "?_getpages=x" }];
      res.type("application/fhir+json").json({ resourceType: "Bundle", type: "searchset", link, entry });
    });
    const first = await edge.as("user/*.rs", "/Observation?_revinclude=Condition:evidence-detail", {}, DOCTOR);
    expect(idsOf(first)).toEqual(["a1"]);
    expect(idsOf(await edge.as("user/*.rs", linkOf(first.text) ?? "", {}, DOCTOR))).toEqual(["a1"]);
  });

  it("a server that ignores the narrowing still gets nothing hidden past the guard, and no link tells of it", async () => {
    const edge = await edgeWith();
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((_req, res) => {
      const entry = ROWS.slice(1).map((resource) => ({ resource, search: { mode: "match" } }));
      const link = [{ relation: "next", url: "?_getpages=x" }];
      res.type("application/fhir+json").json({ resourceType: "Bundle", type: "searchset", total: 8, link, entry });
    });
    const answer = await edge.as("patient/Observation.rs?code=urn:c|weight", "/Observation");
    expect([idsOf(answer), linkOf(answer.text)]).toEqual([["a1", "a3", "a4"], undefined]);
    expect(answer.text).not.toContain("total");
  });

  it("a page of another server is not linked, and not skipped in silence", async () => {
    const edge = await edgeWith();
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((_req, res) => {
      const link = [{ relation: "next", url: "https://elsewhere.example/fhir?_getpages=x" }];
      res.type("application/fhir+json").json({ resourceType: "Bundle", type: "searchset", link });
    });
    expect(linkOf((await edge.as(GRANULAR, "/Observation")).text)).toBeUndefined();
  });

  it("the answer to a page is only what its search may show", async () => {
    const edge = await edgeWith();
    const link = linkOf((await edge.as("patient/*.rs", "/Observation?_count=1")).text) ?? "";
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((_req, res) => {
      const entry = [{ resource: observation("h1", "p2", "weight"), search: { mode: "match" } }];
      res.type("application/fhir+json").json({ resourceType: "Bundle", type: "searchset", entry });
    });
    expect(idsOf(await edge.as("patient/*.rs", link))).toEqual([]);
  });
});
