import { parseInteraction } from "@wardline/fhir-r4";
import type { Json } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { createGuard } from "../src/guard/answer.ts";
import { publicResponse } from "../src/guard/entry.ts";
import type { GuardFacts } from "../src/guard/facts.ts";
import { createRights } from "../src/rights.ts";
import { BASE, guardFacts, ROUTE, UPSTREAM } from "./support/guarding.ts";

type Object = { [name: string]: Json };
const own = (id: string, more: Object = {}): Object => ({
  resourceType: "Observation",
  id,
  subject: { reference: "Patient/p1" },
  ...more,
});
const other = (id: string, more: Object = {}): Object => ({ ...own(id, more), subject: { reference: "Patient/p2" } });
const bundle = (entry: readonly Object[], more: Object = {}): Object => ({
  resourceType: "Bundle",
  type: "searchset",
  ...more,
  ...(entry.length === 0 ? {} : { entry: [...entry] }),
});
const match = (resource: Object): Object => ({ resource, search: { mode: "match" } });
const include = (resource: Object): Object => ({ resource, search: { mode: "include" } });
const BOUND = ["patient/*.rs"];
const STAFF = ["user/*.rs"];

interface Judged {
  readonly body: Json | undefined;
  readonly told: readonly (readonly string[])[];
  /** Why it was refused. */
  readonly because: readonly string[];
}

/** What the guard makes of an answer; no body when it refuses it. */
function judge(body: Json, path = "/Observation", scopes = BOUND, change: Partial<GuardFacts> = {}): Judged {
  const told: (readonly string[])[] = [];
  const facts = { ...guardFacts({ path, scopes }, (ids) => void told.push(ids)), ...change };
  const answer = { status: 200, mediaType: "application/fhir+json", unit: "body", headers: {} } as const;
  const because: string[] = [];
  const verdict = createGuard(facts, (_problem, why) => void because.push(why)).json(body, answer);
  if (verdict.kind === "replace") return { body: verdict.body, told, because };
  return { body: verdict.kind === "keep" ? body : undefined, told, because };
}
const shown = (...given: Parameters<typeof judge>): Json | undefined => judge(...given).body;
const idsOf = (body: Json | undefined): unknown[] =>
  ((body as { entry?: { resource: { id: string } }[] } | undefined)?.entry ?? []).map(({ resource }) => resource.id);

describe("A9: a page", () => {
  it("keeps its total for who may see all, unless something was taken out", () => {
    expect(shown(bundle([match(own("a"))], { total: 1 }), "/Observation", STAFF)).toHaveProperty("total", 1);
    const rewritten = { ...match(own("a")), fullUrl: `${UPSTREAM}/Observation/a` };
    expect(shown(bundle([rewritten], { total: 1 }), "/Observation", STAFF)).toHaveProperty("total", 1);
    expect(shown(bundle([match(own("a"))], { total: 1 }))).not.toHaveProperty("total");
    const scopes = ["user/Observation.rs"];
    const mixed = bundle([match(own("a")), match({ resourceType: "Condition", id: "c" })], { total: 2 });
    expect(shown(mixed, "/Observation", scopes)).not.toHaveProperty("total");
    expect(shown(bundle([match(own("a"))]), "/Observation", STAFF)).not.toHaveProperty("total");
  });

  it("is built anew for a bound caller: of the server's own members only id, type and time are left", () => {
    const body = bundle([match(own("a"))], { id: "x", timestamp: "2026-01-01", identifier: { value: "s" }, meta: {} });
    expect(shown(body)).toEqual({ ...bundle([match(own("a"))]), id: "x", timestamp: "2026-01-01" });
    expect(shown(bundle([match(own("a"))], { id: 1, type: 2, timestamp: 3 }))).toEqual({
      resourceType: "Bundle",
      entry: [match(own("a"))],
    });
  });

  it("is left as it is for who may see all, but for links and addresses", () => {
    const body = bundle([match(own("a"))], { meta: { tag: [] }, total: 1 });
    expect(shown(body, "/Observation", STAFF)).toEqual(body);
  });

  it("has no empty lists, which R4 forbids", () => {
    expect(shown(bundle([match(other("b"))]))).toEqual({ resourceType: "Bundle", type: "searchset" });
  });

  it("loses a hidden match and what only it included; what another match accounts for stays", () => {
    const doctor = (id: string): Object => ({ resourceType: "Practitioner", id });
    const by = (id: string): Object => ({ performer: [{ reference: `Practitioner/${id}` }] });
    const body = bundle([
      match(own("a", by("d1"))),
      match(other("b", by("d2"))),
      include(doctor("d1")),
      include(doctor("d2")),
    ]);
    const path = "/Observation?_include=Observation:performer";
    expect(idsOf(shown(body, path))).toEqual(["a", "d1"]);
    expect(idsOf(shown(bundle([match(own("a", by("d1"))), include(doctor("d2"))]), path))).toEqual(["a", "d2"]);
  });

  it("is not cut by a hidden include: its links stay", () => {
    const link = [{ relation: "next", url: `${BASE}/Observation?_count=1&page=2` }];
    const facts = { extraParameters: new Set(["page"]) };
    const whole = bundle([match(own("a")), include(other("b"))], { link });
    const path = "/Observation?_include=Observation:has-member";
    expect(shown(whole, path, BOUND, facts)).toHaveProperty("link", link);
    expect(shown(bundle([match(own("a")), match(other("b"))], { link }), path, BOUND, facts)).not.toHaveProperty(
      "link",
    );
  });

  it.each<[string, Json]>([
    ["an entry's resource is none", bundle([{ resource: "text" }])],
    ["Bundle.entry is no list of objects", { resourceType: "Bundle", entry: ["text"] }],
    ["Bundle.entry is no list of objects", { resourceType: "Bundle", entry: {} }],
  ])("that cannot be read is refused whole: %s", (because, body) => {
    expect(judge(body)).toEqual({ body: undefined, told: [], because: [because] });
  });

  it("shows an entry without a resource to nobody who is bound", () => {
    const body = bundle([{ fullUrl: `${BASE}/Observation/a` }, match(own("a"))]);
    expect(idsOf(shown(body))).toEqual(["a"]);
    expect(shown(body, "/Observation", STAFF)).toEqual(body);
  });
});

describe("A2: what is included", () => {
  it("needs `r` or `s`; a match needs `s`, whatever else it calls itself", () => {
    const scopes = ["patient/Observation.s", "patient/Condition.r"];
    const condition = { resourceType: "Condition", id: "c", subject: { reference: "Patient/p1" } };
    const searched = ["patient/Observation.s", "patient/Condition.s"];
    expect(idsOf(shown(bundle([include(condition)]), "/Observation", searched))).toEqual(["c"]);
    expect(idsOf(shown(bundle([match(own("a")), include(condition)]), "/Observation", scopes))).toEqual(["a", "c"]);
    for (const search of [{ mode: "match" }, { mode: "outcome" }, {}, "include", null]) {
      expect(idsOf(shown(bundle([{ resource: condition, search }]), "/Observation", scopes))).toEqual([]);
    }
  });

  it("of an operation's answer needs both letters like the rest", () => {
    const condition = { resourceType: "Condition", id: "c", subject: { reference: "Patient/p1" } };
    const scopes = ["patient/Observation.rs", "patient/Condition.r"];
    expect(idsOf(shown(bundle([include(condition), include(own("a"))]), "/Patient/p1/$everything", scopes))).toEqual([
      "a",
    ]);
  });
});

describe("A2, A9: of a page that was cut, the included resources that a match still shown accounts for", () => {
  const doctor = (id: string, more: Object = {}): Object => ({ resourceType: "Practitioner", id, ...more });
  const performedBy = (...ids: string[]): Object => ({
    performer: ids.map((id) => ({ reference: `Practitioner/${id}` })),
  });
  const about = (id: string, observation: string): Object => ({
    resourceType: "DiagnosticReport",
    id,
    subject: { reference: "Patient/p1" },
    result: [{ reference: `Observation/${observation}` }],
  });
  const cut = (query: string, ...entries: Object[]): unknown[] =>
    idsOf(shown(bundle([match(other("hidden")), ...entries]), `/Observation?${query}`));

  it("each once, in an order the shown ones decide", () => {
    const query = "_include=Observation:performer";
    const matches = [match(own("a", performedBy("d2", "d1"))), match(own("b", performedBy("d1")))];
    const included = [include(doctor("d2")), include(doctor("d1")), include(doctor("d2")), include(doctor("d3"))];
    expect(cut(query, ...matches, ...included)).toEqual(["a", "b", "d1", "d2"]);
    expect(cut(query, ...included.toReversed(), ...matches)).toEqual(["a", "b", "d1", "d2"]);
  });

  it("in one order, whatever the server's", () => {
    const query = "_include=Observation:performer";
    const page = (...ids: string[]): unknown[] =>
      cut(query, match(own("a", performedBy("d1", "d2", "d3", "d4"))), ...ids.map((id) => include(doctor(id))));
    const ordered = ["a", "d1", "d2", "d3", "d4"];
    expect([page("d3", "d1", "d4", "d2"), page("d2", "d4", "d1", "d3")]).toEqual([ordered, ordered]);
  });

  it("whatever refers to them, where all of it was asked for", () => {
    expect(cut("_revinclude=*", match(own("a")), include(about("r", "a")))).toEqual(["a", "r"]);
  });

  it("all of them, each once, where several refer to one and one to several", () => {
    const both = { ...about("r2", "a"), result: ["a", "b"].map((id) => ({ reference: `Observation/${id}` })) };
    const matches = [match(own("a")), match(own("b"))];
    const included = [include(both), include(about("r1", "a")), include(about("r3", "a"))];
    expect(cut("_revinclude=*", ...matches, ...included)).toEqual(["a", "b", "r1", "r2", "r3"]);
  });

  it("in the direction that was asked for", () => {
    const entries = [match(own("a", performedBy("d1"))), include(doctor("d1")), include(about("r", "a"))];
    expect(cut("_include=Observation:performer", ...entries)).toEqual(["a", "d1"]);
    expect(cut("_revinclude=DiagnosticReport:result", ...entries)).toEqual(["a", "r"]);
    expect(cut("_revinclude=Provenance:target", ...entries)).toEqual(["a"]);
    expect(cut("_include=Observation:performer&_revinclude=DiagnosticReport:result", ...entries)).toEqual([
      "a",
      "r",
      "d1",
    ]);
  });

  it("by the direction alone: what an include names counts for no revinclude", () => {
    const entries = [match(own("a")), include(own("m", { hasMember: [{ reference: "Observation/a" }] }))];
    expect(cut("_include=Observation:performer", ...entries)).toEqual(["a"]);
    expect(cut("_revinclude=Observation:has-member", ...entries)).toEqual(["a", "m"]);
  });

  it("beside the matches, which are given once, whatever refers to them", () => {
    const entries = [match(own("a", { hasMember: [{ reference: "Observation/b" }] })), match(own("b"))];
    expect(cut("_include=Observation:has-member", ...entries)).toEqual(["a", "b"]);
  });

  it("further only where the search says iterate", () => {
    const entries = [
      match(own("a", { hasMember: [{ reference: "Observation/m" }] })),
      include(own("m", performedBy("d1"))),
      include(doctor("d1")),
    ];
    expect(cut("_include=Observation:has-member&_include=Observation:performer", ...entries)).toEqual(["a", "m"]);
    expect(cut("_include=Observation:has-member&_include:iterate=Observation:performer", ...entries)).toEqual([
      "a",
      "m",
      "d1",
    ]);
  });

  it("by literal references of this server, at any depth", () => {
    const note = (reference: Json): Object => ({ extension: [{ valueReference: { reference } }, null, "text"] });
    const query = "_include=Observation:performer";
    for (const reference of ["Practitioner/d1", `${BASE}/Practitioner/d1/_history/2`]) {
      expect(cut(query, match(own("a", note(reference))), include(doctor("d1")))).toEqual(["a", "d1"]);
    }
    for (const reference of [
      "https://elsewhere.example/Practitioner/d1",
      "#d1",
      ["Practitioner/d1"],
      "Practitioner/d",
    ]) {
      expect(cut(query, match(own("a", note(reference))), include(doctor("d1")))).toEqual(["a"]);
    }
  });

  it("by an id of its own", () => {
    const query = "_include=Observation:performer";
    const nameless = { resourceType: "Practitioner" };
    expect(cut(query, match(own("a", performedBy("undefined"))), include(nameless))).toEqual(["a"]);
    expect(cut("_revinclude=DiagnosticReport:result", match({ ...own("a"), id: 7 }), include(about("r", "7")))).toEqual(
      [7],
    );
  });
});

describe("what is contained", () => {
  it.each<[string, Json, boolean]>([
    ["nothing", [], true],
    ["what belongs to nobody", [{ resourceType: "Medication", id: "m" }], true],
    ["the patient's own", [{ ...own("x") }], true],
    ["another's", [{ ...other("x") }], false],
    ["another's, behind what is covered", [{ resourceType: "Medication" }, { ...other("x") }], false],
    ["something nested", [{ resourceType: "Medication", contained: [] }], false],
    ["no resource", [{ id: "m" }], false],
    ["an unknown type", [{ resourceType: "Nonsense" }], false],
    ["a Bundle", [{ resourceType: "Bundle", type: "collection" }], false],
    ["Parameters", [{ resourceType: "Parameters" }], false],
    ["bytes", [{ resourceType: "Binary" }], false],
    ["no list", "text", false],
    ["no objects", ["text"], false],
  ])("%s", (_what, contained, covered) => {
    expect(shown(own("a", { contained }), "/Observation/a") !== undefined).toBe(covered);
  });
});

describe("an entry", () => {
  const entry = {
    fullUrl: `${UPSTREAM}/Observation/a`,
    resource: own("a"),
    search: { mode: "match", score: 1 },
    link: [{ relation: "x", url: "y" }],
    extension: [{}],
  };

  it("for a bound caller is rebuilt from the parts a client needs", () => {
    expect(shown(bundle([entry]))).toEqual(bundle([{ fullUrl: `${BASE}/Observation/a`, ...match(own("a")) }]));
    expect(shown(bundle([{ resource: own("a"), search: { mode: 1 } }]))).toEqual(bundle([{ resource: own("a") }]));
    expect(shown(bundle([{ resource: own("a"), fullUrl: 7 }]))).toEqual(bundle([{ resource: own("a") }]));
  });

  it("for who may see all keeps what is its own, under public addresses, without the server's links", () => {
    const { link: _, ...rest } = entry;
    expect(shown(bundle([entry]), "/Observation", STAFF)).toEqual(
      bundle([{ ...rest, fullUrl: `${BASE}/Observation/a` }]),
    );
  });

  it.each<[string, Object]>([
    ["a link", { link: [{ relation: "x", url: "y" }] }],
    ["a request that is none", { request: "GET Observation/a" }],
    ["a response that is none", { response: "200 OK" }],
    ["an address that is no text", { fullUrl: 7 }],
  ])("whose address is already public is shown without %s", (_what, odd) => {
    const usual = { fullUrl: `${BASE}/Observation/a`, ...match(own("a")) };
    const { fullUrl, ...rest } = usual;
    const expected = "fullUrl" in odd ? rest : { fullUrl, ...rest };
    for (const scopes of [STAFF, undefined]) {
      expect(shown(bundle([{ ...usual, ...odd }]), "/Observation", scopes)).toEqual(bundle([expected]));
    }
  });

  it("for who may see all has the public place of its response", () => {
    const usual = { fullUrl: `${BASE}/Observation/a`, ...match(own("a")) };
    const response = { status: "200", location: `${UPSTREAM}/Observation/a/_history/1` };
    const location = `${BASE}/Observation/a/_history/1`;
    expect(shown(bundle([{ ...usual, response }]), "/Observation", STAFF)).toEqual(
      bundle([{ ...usual, response: { status: "200", location } }]),
    );
  });

  it("has no address of another server", () => {
    expect(shown(bundle([{ ...match(own("a")), fullUrl: "https://elsewhere.example/Observation/a" }]))).toEqual(
      bundle([match(own("a"))]),
    );
    expect(shown(bundle([{ ...match(own("a")), fullUrl: "urn:uuid:1" }]))).toEqual(
      bundle([{ fullUrl: "urn:uuid:1", ...match(own("a")) }]),
    );
  });
});

describe("A6: an entry of a history", () => {
  const path = "/Observation/a/_history";
  const versionOf = (request: Json, response: Json = { status: "200 OK" }): Json | undefined =>
    shown(bundle([{ resource: own("a"), request, response }], { type: "history" }), path);
  const entryOf = (body: Json | undefined): Object => (body as { entry: Object[] }).entry[0] ?? {};

  it("says of what was asked the method and the resource's own address", () => {
    expect(entryOf(versionOf({ method: "PUT", url: "Observation?code=secret" }))["request"]).toEqual({
      method: "PUT",
      url: "Observation/a",
    });
    expect(entryOf(versionOf({ method: "POST", url: "Observation", ifNoneExist: "secret" }))["request"]).toEqual({
      method: "POST",
      url: "Observation",
    });
    const nameless = bundle([{ resource: { resourceType: "Practitioner" }, request: { method: "PUT" } }]);
    expect(entryOf(shown(nameless, "/Practitioner/d/_history"))["request"]).toEqual({
      method: "PUT",
      url: "Practitioner",
    });
    expect(entryOf(versionOf({ url: "x" }))["request"]).toEqual({ method: "GET", url: "Observation/a" });
    expect(entryOf(versionOf("PUT"))).not.toHaveProperty("request");
  });

  it("says of the answer a status without words, and validators", () => {
    const response = { status: "201 Created for Chalmers", etag: 'W/"1"', lastModified: "2026-01-01", extension: [] };
    expect(entryOf(versionOf({}, response))["response"]).toEqual({
      status: "201",
      etag: 'W/"1"',
      lastModified: "2026-01-01",
    });
    for (const status of ["Created 201", "20", 201]) {
      expect(entryOf(versionOf({}, { status, etag: 1, lastModified: 2 }))["response"]).toEqual({ status: "500" });
    }
    expect(entryOf(versionOf({}, "200"))).not.toHaveProperty("response");
  });

  it("has the location of the very resource and no other, and an outcome without words", () => {
    const located = (location: Json): unknown => entryOf(versionOf({}, { status: "200", location }))["response"];
    expect(located(`${UPSTREAM}/Observation/a/_history/2`)).toEqual({
      status: "200",
      location: `${BASE}/Observation/a/_history/2`,
    });
    for (const location of [`${UPSTREAM}/Observation/b`, `${UPSTREAM}/Condition/a`, "https://elsewhere.example/a", 1]) {
      expect(located(location)).toEqual({ status: "200" });
    }
    const outcome = {
      resourceType: "OperationOutcome",
      issue: [{ severity: "error", code: "processing", diagnostics: "Chalmers" }],
    };
    expect(entryOf(versionOf({}, { status: "200", outcome }))["response"]).toEqual({
      status: "200",
      outcome: { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "processing" }] },
    });
    expect(entryOf(versionOf({}, { status: "200", outcome: "text" }))["response"]).toEqual({ status: "200" });
  });

  it("is left as it is for who may see all; an outcome that is none is emptied", () => {
    const request = { method: "PUT", url: "Observation?code=x" };
    const outcome = { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "x", diagnostics: "d" }] };
    const response = { status: "201 Created", outcome };
    const judged = shown(bundle([{ resource: own("a"), request, response }]), path, STAFF);
    expect(judged).toEqual(bundle([{ resource: own("a"), request, response }]));
    const record = { ...response, outcome: { resourceType: "Patient", name: "Chalmers" } };
    expect(entryOf(shown(bundle([{ resource: own("a"), response: record }]), path, STAFF))["response"]).toEqual({
      status: "201 Created",
      outcome: { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "processing" }] },
    });
  });
});

describe("what a batch says of an entry without a resource", () => {
  it("has the location of the type that was asked for, and no other", () => {
    const interaction = parseInteraction({ method: "PUT", path: "/Observation/a", body: own("a") });
    const facts = { ...ROUTE, interaction, bound: true } as unknown as GuardFacts;
    const at = (location: string): Json => publicResponse({ status: "201", location }, undefined, facts);
    expect(at(`${UPSTREAM}/Observation/a`)).toEqual({ status: "201", location: `${BASE}/Observation/a` });
    expect(at(`${UPSTREAM}/Condition/a`)).toEqual({ status: "201" });
  });
});

describe("A3: links", () => {
  const linkOf = (links: Json, cut: boolean, change: Partial<GuardFacts> = {}, scopes = BOUND): unknown => {
    const entry = cut ? [match(own("a")), match(other("b"))] : [match(own("a"))];
    const facts = { extraParameters: new Set(["page"]), ...change };
    return (shown(bundle(entry, { link: links }), "/Observation", scopes, facts) as { link?: unknown }).link;
  };
  const link = (relation: Json, url: Json = `${UPSTREAM}/Observation?page=2`): Object => ({ relation, url });
  const PUBLIC = `${BASE}/Observation?page=2`;
  const SEALED = "sealed 18";
  const pages = (following?: string): NonNullable<GuardFacts["pages"]> => ({
    link: (below) => (below.includes("secret") ? undefined : `sealed ${below.length}`),
    following: () => following,
    isRepeat: ({ id }) => id === "seen",
  });

  it.each(["self", "first", "previous", "prev", "next", "last"])("%s stays, under its public address", (relation) => {
    expect(linkOf([link(relation)], false)).toEqual([{ relation, url: PUBLIC }]);
  });

  it.each<[string, Json]>([
    ["an unknown relation", [link("hint")]],
    ["a relation that is no text", [link(["next"])]],
    ["an address that is no text", [link("next", ["x"])]],
    ["another server's address", [link("next", "https://elsewhere.example/Observation?page=2")]],
    ["an opaque token", [link("next", `${UPSTREAM}?_getpages=x`)]],
    ["another search", [link("next", `${UPSTREAM}/Condition?page=2`)]],
    ["no list", { relation: "next" }],
    ["no objects", ["next"]],
  ])("%s is left out", (_what, links) => {
    expect(linkOf(links, false)).toBeUndefined();
  });

  it("of a page that was cut only self stays", () => {
    expect(linkOf([link("self"), link("next"), link("last")], true)).toEqual([{ relation: "self", url: PUBLIC }]);
  });

  it("are sealed but for self, where the edge seals", () => {
    expect(linkOf([link("self"), link("next")], false, { pages: pages() })).toEqual([
      { relation: "self", url: PUBLIC },
      { relation: "next", url: SEALED },
    ]);
    expect(linkOf([link("next", "https://elsewhere.example/Observation")], false, { pages: pages() })).toBeUndefined();
  });

  it("lead to the next part of a search only when the server has no next page", () => {
    expect(linkOf([link("self")], false, { pages: pages("part-2") })).toEqual([
      { relation: "self", url: PUBLIC },
      { relation: "next", url: "part-2" },
    ]);
    const goesOn = linkOf([link("next")], false, { pages: pages("part-2") });
    expect(goesOn).toEqual([{ relation: "next", url: SEALED }]);
    expect(linkOf([link("self"), link("next")], false, { pages: pages("part-2") })).toHaveLength(2);
    // One that cannot be sealed is not skipped in silence.
    expect(
      linkOf([link("next", `${UPSTREAM}/Observation?page=secret`)], false, { pages: pages("part-2") }),
    ).toBeUndefined();
    expect(linkOf([link("next")], true, { pages: pages("part-2") })).toEqual([{ relation: "next", url: "part-2" }]);
    // Nor lost where nothing else in the page has to change.
    const next = { relation: "next", url: "part-2" };
    const kept = [link("self", PUBLIC)];
    expect(linkOf(kept, false, { pages: pages("part-2") }, STAFF)).toEqual([...kept, next]);
    const unlinked = shown(bundle([match(own("a"))]), "/Observation", STAFF, { pages: pages("part-2") });
    expect(unlinked).toHaveProperty("link", [next]);
  });

  it("go on behind what single patients withhold, where every record of the type is granted", () => {
    const scopes = ["user/*.rs"];
    const hides = (change: Partial<GuardFacts>): unknown =>
      linkOf([link("self"), link("next"), link("last")], false, { ...withheld(), ...change }, scopes);
    expect(hides({ pages: pages() })).toEqual([
      { relation: "self", url: PUBLIC },
      { relation: "next", url: SEALED },
    ]);
    expect(hides({})).toEqual([{ relation: "self", url: PUBLIC }]);
  });

  it("do not go on when of one of several types not every record is granted", () => {
    const { rights } = withheld();
    if (rights === undefined) throw new Error("there are rights");
    const some = { ...rights, grantsAll: (type: string) => type === "Observation" };
    const next = (facts: Partial<GuardFacts>): unknown => {
      const url = `${UPSTREAM}?_type=Observation,Condition&page=2`;
      const body = bundle([match(own("a"))], { link: [{ relation: "next", url }] });
      return shown(body, "/?_type=Observation,Condition", ["user/*.rs"], { ...facts, pages: pages() });
    };
    expect(next({ rights })).toHaveProperty("link");
    expect(next({ rights: some })).not.toHaveProperty("link");
  });

  /** Rights over every Observation, of which one is withheld. */
  function withheld(): Partial<GuardFacts> {
    const all = createRights(
      { clauses: [{ from: "x", context: "user", types: "*", letters: ["r", "s"], filter: [], supportTypes: [] }] },
      ROUTE,
    );
    return { rights: { ...all, covers: ({ id }) => id !== "a" } };
  }

  it("a match that an earlier part has shown is not shown again, and is no hidden one", () => {
    const body = bundle([match(own("seen")), match(own("a"))], { total: 2, link: [link("next")] });
    const facts = { pages: pages(), extraParameters: new Set(["page"]) };
    const judged = shown(body, "/Observation", STAFF, facts);
    expect(idsOf(judged)).toEqual(["a"]);
    expect(judged).not.toHaveProperty("total");
    expect(judged).toHaveProperty("link");
    expect(idsOf(shown(bundle([include(own("seen"))]), "/Observation", STAFF, facts))).toEqual(["seen"]);
  });

  it("of a Bundle that is stored are none of this answer's, and its entries no repeats", () => {
    const stored = bundle([{ resource: own("seen") }], { id: "b", type: "collection", link: [link("next")] });
    const body = shown(stored, "/Bundle/b", STAFF, { pages: pages("part-2"), extraParameters: new Set(["page"]) });
    expect(idsOf(body)).toEqual(["seen"]);
    expect(body).not.toHaveProperty("link");
  });
});

describe("Parameters", () => {
  const path = "/Patient/p1/$everything";
  const parameters = (...parameter: Object[]): Object => ({ resourceType: "Parameters", parameter });

  it("keep names and judged resources for a bound caller, all but hidden resources for others", () => {
    const body = {
      ...parameters({ name: "a", resource: own("a"), extension: [] }, { name: "b", valueString: "s" }),
      id: "x",
    };
    expect(shown(body, path)).toEqual(parameters({ name: "a", resource: own("a") }));
    expect(shown(body, path, STAFF)).toEqual(body);
  });

  it.each<[Json, string]>([
    ["return", "return"],
    ["a-1", "a-1"],
    ["two words", "result"],
    ["-a", "result"],
    ["a.b", "result"],
    [`a${"b".repeat(64)}`, "result"],
    [`a${"b".repeat(63)}`, `a${"b".repeat(63)}`],
    [7, "result"],
    [["return"], "result"],
  ])("a name that could say something is replaced: %j", (name, kept) => {
    expect(shown(parameters({ name, resource: own("a") }), path)).toEqual(
      parameters({ name: kept, resource: own("a") }),
    );
  });

  it("keep parts with something in them, at every depth", () => {
    const part = [
      { name: "c", part: [{ name: "d", resource: own("a") }] },
      { name: "e", valueString: "s" },
    ];
    expect(shown(parameters({ name: "b", part }), path)).toEqual(
      parameters({ name: "b", part: [{ name: "c", part: [{ name: "d", resource: own("a") }] }] }),
    );
    expect(shown(parameters({ name: "b", resource: own("a"), part }), path)).toEqual(
      parameters({ name: "b", part: [{ name: "c", part: [{ name: "d", resource: own("a") }] }], resource: own("a") }),
    );
    expect(shown(parameters({ name: "b", part: [{ name: "c", valueString: "s" }] }), path)).toEqual({
      resourceType: "Parameters",
    });
    expect(shown(parameters({ name: "b", part }), path, STAFF)).toEqual(parameters({ name: "b", part }));
  });

  it.each<[string, Json]>([
    ["a parameter list is none", { resourceType: "Parameters", parameter: {} }],
    ["a parameter list is none", { resourceType: "Parameters", parameter: ["a"] }],
    ["a parameter list is none", parameters({ name: "a", part: "text" })],
    ["a parameter's resource is none", parameters({ name: "a", resource: { id: "a" } })],
  ])("that cannot be read are refused whole: %s", (because, body) => {
    expect(judge(body, path)).toMatchObject({ body: undefined, because: [because] });
  });

  it("that are stored are read like their resources", () => {
    const scopes = ["user/Parameters.r", "user/Observation.r"];
    const body = parameters(
      { name: "a", resource: own("a") },
      { name: "b", resource: { resourceType: "Task", id: "t" } },
    );
    expect(shown({ ...body, id: "x" }, "/Parameters/x", scopes)).toEqual({
      ...parameters({ name: "a", resource: own("a") }),
      id: "x",
    });
  });

  it("hold Bundles whose entries are judged, by both letters", () => {
    const scopes = ["patient/Observation.rs", "patient/Condition.s"];
    const condition = { resourceType: "Condition", id: "c", subject: { reference: "Patient/p1" } };
    const inner = bundle([{ resource: own("a") }, { resource: condition }]);
    expect(shown(parameters({ name: "a", resource: inner }), path, scopes)).toEqual(
      parameters({ name: "a", resource: bundle([{ resource: own("a") }]) }),
    );
  });
});

describe("A15: whose records an answer holds is told", () => {
  it.each<[string, string, Object, string[][]]>([
    ["a record", "/Observation/a", own("a"), [["p1"]]],
    [
      "a Patient: itself, not whom it links to",
      "/Patient/p1",
      { resourceType: "Patient", id: "p1", link: [{ other: { reference: "Patient/p9" } }] },
      [["p1"]],
    ],
    ["what belongs to nobody", "/Practitioner/d", { resourceType: "Practitioner", id: "d" }, [[]]],
  ])("%s", (_what, path, resource, told) => {
    expect(judge(resource, path).told).toEqual(told);
  });

  it("of a Patient without id nobody, and nothing of what is hidden or of an outcome", () => {
    expect(judge({ resourceType: "Patient" }, "/Patient", STAFF).told).toEqual([[]]);
    expect(judge(other("b"), "/Observation/b").told).toEqual([]);
    expect(judge({ resourceType: "OperationOutcome", issue: [] }, "/Observation/b").told).toEqual([]);
  });

  it("of each entry", () => {
    expect(judge(bundle([match(own("a")), match(other("b"))]), "/Observation", STAFF).told).toEqual([["p1"], ["p2"]]);
  });
});

describe("S15: an OperationOutcome in an answer", () => {
  const outcome = {
    resourceType: "OperationOutcome",
    issue: [{ severity: "warning", code: "informational", diagnostics: "d" }],
  };
  it("keeps the server's words only for who may see all", () => {
    expect(shown(bundle([match(outcome)]), "/Observation", STAFF)).toEqual(bundle([match(outcome)]));
    const bare = { resourceType: "OperationOutcome", issue: [{ severity: "warning", code: "informational" }] };
    expect(shown(bundle([match(outcome)]))).toEqual(bundle([match(bare)]));
  });
});

describe("Da Vinci PAS: the identifier of a submission's answer", () => {
  const identifier = { system: "urn:x", value: "1" };
  const answer = (body: Object, submission: boolean): Json | undefined => {
    const interaction = parseInteraction({ method: "POST", path: "/Claim/$submit" });
    const access = { interaction, bound: true, because: [], ...(submission ? { submission } : {}) } as const;
    return shown(body, "/Claim/$submit", BOUND, { interaction, access });
  };
  it("stays, unless something was taken out, the answer is of no submission, or it is none", () => {
    expect(answer(bundle([{ resource: own("a") }], { identifier }), true)).toHaveProperty("identifier", identifier);
    expect(answer(bundle([{ resource: other("b") }], { identifier }), true)).not.toHaveProperty("identifier");
    expect(answer(bundle([{ resource: own("a") }], { identifier }), false)).not.toHaveProperty("identifier");
    expect(answer(bundle([{ resource: own("a") }], { identifier: "x" }), true)).not.toHaveProperty("identifier");
  });
});
