import type { AnswerFacts, BodyVerdict, Json } from "@wardline/policy-types/express";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGuard } from "../src/guard/answer.ts";
import type { GuardFacts } from "../src/guard/facts.ts";
import { belowBase, isPublicAddress, publicFullUrl, publicLink, publicLocation } from "../src/guard/locations.ts";
import { bareOutcome } from "../src/guard/outcome.ts";
import { type Asked, BASE, guardFacts, UPSTREAM } from "./support/guarding.ts";

const BOUND = ["patient/*.cruds"];
const STAFF = ["user/*.cruds"];
const own = { resourceType: "Observation", id: "a", subject: { reference: "Patient/p1" } };
const other = { resourceType: "Observation", id: "a", subject: { reference: "Patient/p2" } };

interface Answered extends Partial<AnswerFacts> {
  readonly facts?: Partial<GuardFacts>;
}

function guardOf(asked: Asked, { facts = {}, ...answer }: Answered = {}) {
  const told: unknown[] = [];
  const because: string[] = [];
  const guard = createGuard({ ...guardFacts(asked, (...what) => void told.push(what)), ...facts }, (problem, why) => {
    because.push(`${problem.status} ${problem.code}: ${why}`);
  });
  const given: AnswerFacts = { status: 200, mediaType: "", unit: "body", headers: {}, ...answer };
  return { guard, given, told, because };
}

const codeOf = (verdict: BodyVerdict | undefined): string =>
  verdict?.kind === "refuse" ? verdict.problem.code : (verdict?.kind ?? "none");

function judged(body: Json, asked: Asked, answered: Answered = {}): readonly [verdict: string, told: unknown[]] {
  const { guard, given, told } = guardOf(asked, answered);
  return [codeOf(guard.json(body, given)), told];
}

describe("A9: one resource", () => {
  const read = (scopes: readonly string[]): Asked => ({ path: "/Observation/a", scopes });
  it.each<[string, Json, readonly string[], Answered, string]>([
    ["covered", own, BOUND, {}, "keep"],
    ["not covered", other, BOUND, {}, "smart-auth/not-found"],
    ["absent", { resourceType: "OperationOutcome" }, BOUND, { status: 404 }, "smart-auth/not-found"],
    ["deleted", { resourceType: "OperationOutcome" }, BOUND, { status: 410 }, "smart-auth/not-found"],
    ["absent, for who may see all", { resourceType: "OperationOutcome" }, STAFF, { status: 404 }, "keep"],
    ["failed", { resourceType: "OperationOutcome" }, BOUND, { status: 500 }, "replace"],
    ["no FHIR", { id: "a" }, BOUND, {}, "smart-auth/answer-not-fhir"],
    ["no object", "text", STAFF, {}, "smart-auth/answer-not-fhir"],
    ["a line that is not covered", other, BOUND, { unit: "line" }, "drop"],
  ])("%s", (_what, body, scopes, answered, expected) => {
    expect(judged(body, read(scopes), answered)[0]).toBe(expected);
  });

  it("of a search 404 tells of no resource", () => {
    const asked = { path: "/Observation", scopes: BOUND };
    expect(judged({ resourceType: "OperationOutcome" }, asked, { status: 404 })[0]).toBe("replace");
  });

  it("is told apart in what operators read", () => {
    const { guard, given, because } = guardOf(read(BOUND));
    guard.json(other, given);
    guard.json({ id: "a" }, given);
    guard.opaque?.(given);
    guard.opaque?.({ ...given, status: 404 });
    guard.empty?.({ ...given, status: 410 });
    expect(because).toEqual([
      "404 smart-auth/not-found: the resource of the answer is absent or not covered",
      "502 smart-auth/answer-not-fhir: the answer is no FHIR resource",
      "502 smart-auth/answer-opaque: the answer is not JSON",
      "404 smart-auth/not-found: the resource is absent",
      "404 smart-auth/not-found: the resource is absent",
    ]);
    expect([guard.name, guard.stage]).toEqual(["smart-auth/guard", "guard"]);
  });

  it("a judge that fails by itself is not taken for an answer that cannot be read", () => {
    const failing = {
      onPatients: () => {
        throw new TypeError("down");
      },
    };
    const { guard, given } = guardOf(read(BOUND), { facts: failing });
    expect(() => guard.json(own, given)).toThrow(TypeError);
  });
});

describe("a Bundle in which nothing has to change", () => {
  const entry = { fullUrl: `${BASE}/Observation/a`, resource: own, search: { mode: "match" } };
  const link = { relation: "self", url: `${BASE}/Observation?code=1` };
  const bundle = { resourceType: "Bundle", id: "b", type: "searchset", total: 1, link: [link], entry: [entry] };
  const asked = (scopes: readonly string[]): Asked => ({ path: "/Observation?code=1", scopes });

  it("is kept as it is for who may see all, and written anew for who is bound to a patient", () => {
    expect(judged(bundle, asked(STAFF))).toEqual(["keep", [[["p1"]]]]);
    const { link: _, ...unlinked } = bundle;
    expect(judged(unlinked, asked(STAFF))[0]).toBe("keep");
    expect(judged(bundle, asked(BOUND))[0]).toBe("replace");
  });

  it.each<[string, Json]>([
    ["whole", entry],
    ["without an address", { resource: own }],
    ["without what it is to the search", { fullUrl: entry.fullUrl, resource: own }],
  ])("hands on its entries as they are, where those are %s", (_what, given) => {
    const entries = [given];
    const { guard, given: answer } = guardOf(asked(BOUND));
    const verdict = guard.json({ ...bundle, entry: entries }, answer);
    expect(verdict.kind === "replace" && (verdict.body as { entry?: Json }).entry).toBe(entries);
  });

  it.each<[string, Record<string, Json>, Record<string, Json>]>([
    ["a score", { search: { mode: "match", score: 0.5 } }, { search: { mode: "match" } }],
    ["no mode", { search: { score: 0.5 } }, {}],
    ["a mode that is no text", { search: { mode: { hidden: true } } }, {}],
    ["nothing", { search: {} }, {}],
    ["no object", { search: null }, {}],
    ["an extension", { extension: [{ url: "https://fhir.example/x", valueString: "hidden" }] }, {}],
    ["a link", { link: [link] }, {}],
    ["an id", { id: "hidden" }, {}],
  ])("gives a bound caller no more of an entry than a client needs: %s", (_what, members, shown) => {
    const { search: _, ...bare } = entry;
    const { guard, given } = guardOf(asked(BOUND));
    const verdict = guard.json({ ...bundle, entry: [{ ...bare, ...members }] }, given);
    expect(verdict.kind === "replace" && (verdict.body as { entry?: Json }).entry).toEqual([{ ...bare, ...shown }]);
  });

  it.each<[string, object]>([
    ["a link to another server", { link: [link, { relation: "next", url: "https://elsewhere.example/2" }] }],
    ["only such a link", { link: [{ relation: "self", url: "https://elsewhere.example/2" }] }],
    ["a link of the upstream's", { link: [{ ...link, url: `${UPSTREAM}/Observation?code=1` }] }],
    [
      "a link of the upstream's behind one of ours",
      { link: [link, { ...link, url: `${UPSTREAM}/Observation?code=1` }] },
    ],
    ["a link that says more", { link: [{ ...link, id: "x" }] }],
    ["a link twice", { link: [link, { relation: "other", url: link.url }] }],
    ["no links in a list", { link: [] }],
    ["no list of links", { link }],
    ["an entry that is not covered", { entry: [entry, { resource: { resourceType: "Basic", id: "x" } }] }],
    [
      "an included one that is not covered",
      { entry: [entry, { resource: { resourceType: "Basic", id: "x" }, search: { mode: "include" } }] },
    ],
    ["an address of the upstream's", { entry: [{ ...entry, fullUrl: `${UPSTREAM}/Observation/a` }] }],
    ["an entry with a link", { entry: [{ ...entry, link: [link] }] }],
    ["no entries in a list", { entry: [] }],
  ])("with %s it is written anew", (_what, members) => {
    expect(judged({ ...bundle, ...members } as Json, asked(["user/Observation.cruds"]))[0]).toBe("replace");
  });
});

describe("A6: the history of one record", () => {
  const asked = (scopes: readonly string[]): Asked => ({ path: "/Observation/a/_history", scopes });
  const history = (...resources: Json[]): Json => ({
    resourceType: "Bundle",
    type: "history",
    entry: resources.map((resource) => ({ resource })),
  });
  it("looks absent when no version is covered, for who is bound", () => {
    expect(judged(history(other), asked(BOUND))[0]).toBe("smart-auth/not-found");
    expect(judged(history(own, other), asked(BOUND))[0]).toBe("replace");
    expect(judged({ resourceType: "Bundle", type: "history" }, asked(STAFF))[0]).toBe("replace");
    expect(judged(history(other), { path: "/Observation", scopes: BOUND })[0]).toBe("replace");
  });

  it.each(["/Observation/a/_history", "/Observation/_history", "/_history"])(
    "and of many: %s is judged version by version",
    (path) => {
      const given = (scopes: readonly string[]): unknown => judged(history(own, other), { path, scopes });
      expect(given(["user/Observation.rs"])).toEqual(["keep", [[["p1"]], [["p2"]]]]);
      expect(given(BOUND)).toEqual(["replace", [[["p1"]]]]);
    },
  );
});

describe("a write's answer", () => {
  const writes = (method: string, scopes: readonly string[]): Asked => ({
    method,
    path: "/Observation/a",
    body: own,
    scopes,
  });
  it.each(["PUT", "DELETE", "PATCH"])("%s: is read back by who may read it, and is empty otherwise", (method) => {
    expect(judged(own, writes(method, ["patient/*.cruds"]))[0]).toBe("keep");
    expect(judged(own, writes(method, ["patient/*.cud"]))[0]).toBe("drop");
    expect(judged(other, writes(method, BOUND))[0]).toBe("drop");
  });

  it("of a create too", () => {
    const asked = { method: "POST", path: "/Observation", body: own, scopes: ["patient/*.c"] };
    expect(judged(own, asked)[0]).toBe("drop");
  });

  it("A15: tells whose record was written, where only the answer knows", () => {
    expect(judged(own, writes("PUT", ["user/*.cud"]))).toEqual(["drop", [[["p1"], "written"]]]);
    expect(judged(own, writes("PUT", ["patient/*.cud"]))).toEqual(["drop", []]);
    expect(judged(other, { path: "/Observation/a", scopes: ["user/Condition.r"] })).toEqual([
      "smart-auth/not-found",
      [],
    ]);
  });
});

describe("what needs no patient", () => {
  it("capabilities are given as they are, and nothing else in their place", () => {
    const asked = { path: "/metadata", scopes: BOUND };
    for (const resourceType of ["CapabilityStatement", "TerminologyCapabilities"]) {
      expect(judged({ resourceType }, asked)[0]).toBe("keep");
    }
    expect(judged({ ...other }, asked)[0]).toBe("smart-auth/not-found");
    expect(judged({ resourceType: "CapabilityStatement" }, { path: "/Observation/a", scopes: BOUND })[0]).toBe(
      "smart-auth/not-found",
    );
  });

  it("a container is judged as one where it was asked for, and as a record elsewhere", () => {
    const bundle = { resourceType: "Bundle", type: "collection", entry: [{ resource: own }] };
    expect(judged(bundle, { path: "/Patient/p1/$everything", scopes: BOUND })[0]).toBe("replace");
    expect(judged(bundle, { path: "/Observation", scopes: BOUND })[0]).toBe("replace");
    expect(judged(bundle, { path: "/Bundle/b", scopes: BOUND })[0]).toBe("smart-auth/not-found");
    const parameters = { resourceType: "Parameters", parameter: [{ name: "a", resource: own }] };
    expect(judged(parameters, { path: "/Patient/p1/$everything", scopes: BOUND })[0]).toBe("replace");
    expect(judged(parameters, { path: "/Observation", scopes: BOUND })[0]).toBe("smart-auth/not-found");
    expect(judged(own, { path: "/Patient/p1/$everything", scopes: BOUND })[0]).toBe("keep");
  });

  it("Da Vinci PAS: what a submission answers with needs the right to read alone", () => {
    const asked = { method: "POST", path: "/Claim/$submit", scopes: ["patient/Observation.r"] };
    const { interaction } = guardFacts(asked);
    const access = { interaction, bound: true, because: [], submission: true } as const;
    expect(judged(own, asked)[0]).toBe("smart-auth/not-found");
    expect(judged(own, asked, { facts: { access } })[0]).toBe("keep");
  });
});

describe("A13: bytes", () => {
  const binary = (reference?: Json): Json => ({
    resourceType: "Binary",
    id: "b",
    ...(reference === undefined ? {} : { securityContext: { reference } }),
  });
  const asked = (scopes: readonly string[], path = "/Binary/b"): Asked => ({ path, scopes });
  const spokenFor = (securityContext?: string): Partial<GuardFacts> => {
    const { interaction } = guardFacts(asked(BOUND));
    const spoken = { patients: ["p1"], ...(securityContext === undefined ? {} : { securityContext }) };
    return { access: { interaction, bound: true, because: [], binary: spoken } };
  };

  it.each<[string, Json, string | undefined, string]>([
    ["what speaks for it", binary("Patient/p1"), "Patient/p1", "keep"],
    ["something else", binary("Patient/p2"), "Patient/p1", "smart-auth/not-found"],
    ["nothing", binary(), "Patient/p1", "smart-auth/not-found"],
    ["something, where nothing was judged", binary("Patient/p1"), undefined, "smart-auth/not-found"],
    ["nothing, where nothing was judged", binary(), undefined, "keep"],
    ["text", { ...(binary() as object), securityContext: "Patient/p1" }, "Patient/p1", "keep"],
    ["another id", { ...(binary("Patient/p1") as object), id: "c" }, "Patient/p1", "smart-auth/not-found"],
    ["itself a record of another's", { ...other, id: "b" }, undefined, "smart-auth/not-found"],
  ])("as a resource that names %s", (_what, body, context, expected) => {
    const told = expected === "keep" ? [[["p1"]]] : [];
    expect(judged(body, asked(BOUND), { facts: spokenFor(context) })).toEqual([expected, told]);
  });

  it("that nothing spoke for are refused to who is bound", () => {
    for (const body of [binary("Patient/p1"), binary()]) {
      expect(judged(body, asked(BOUND))[0]).toBe("smart-auth/not-found");
    }
  });

  const opaque = (given: Asked, answered: Answered = {}): readonly [string, unknown[]] => {
    const { guard, given: answer, told } = guardOf(given, answered);
    return [codeOf(guard.opaque?.(answer)), told];
  };
  it.each<[string, Answered, string]>([
    ["as they were judged", {}, "keep"],
    ["with the same word on whose they are", { headers: { "x-security-context": "Patient/p1" } }, "keep"],
    ["with another word", { headers: { "x-security-context": "Patient/p2" } }, "smart-auth/answer-opaque"],
    ["in parts", { status: 206 }, "smart-auth/answer-opaque"],
    ["that are absent", { status: 404 }, "smart-auth/not-found"],
  ])("as bytes %s", (_what, answered, expected) => {
    const told = expected === "keep" ? [[["p1"]]] : [];
    expect(opaque(asked(BOUND), { facts: spokenFor("Patient/p1"), ...answered })).toEqual([expected, told]);
  });

  it("as bytes that nothing spoke for are refused, but to who may read every Binary", () => {
    expect(opaque(asked(BOUND))[0]).toBe("smart-auth/answer-opaque");
    expect(opaque(asked(STAFF))[0]).toBe("keep");
    expect(opaque(asked(["user/Binary.r"]))[0]).toBe("keep");
    expect(opaque(asked(STAFF, "/Binary/b/_history/1"))[0]).toBe("keep");
    expect(opaque(asked(STAFF, "/Observation/a"))[0]).toBe("smart-auth/answer-opaque");
    expect(opaque(asked(STAFF, "/Binary"))[0]).toBe("smart-auth/answer-opaque");
    expect(opaque(asked(["user/Binary.s"]))[0]).toBe("smart-auth/answer-opaque");
  });
});

describe("an answer without a body", () => {
  const empty = (asked: Asked, status: number): string => {
    const { guard, given } = guardOf(asked, { status });
    return codeOf(guard.empty?.(given));
  };

  it("passes, but not to tell a bound caller what is absent", () => {
    const one = { path: "/Observation/a", scopes: BOUND };
    const deleted = { ...one, method: "DELETE" };
    expect([empty(deleted, 204), empty(deleted, 404), empty(one, 404), empty(one, 410)]).toEqual([
      "keep",
      "smart-auth/not-found",
      "smart-auth/not-found",
      "smart-auth/not-found",
    ]);
    expect([empty({ ...one, scopes: STAFF }, 404), empty({ ...one, path: "/Observation" }, 404)]).toEqual([
      "keep",
      "keep",
    ]);
  });

  it.each(["", "/_history", "/_history/1"])("A9: nor that Observation/a%s is there, when it is not shown", (below) => {
    const path = `/Observation/a${below}`;
    expect([empty({ path, scopes: BOUND }, 200), empty({ path, scopes: BOUND }, 204)]).toEqual([
      "smart-auth/not-found",
      "smart-auth/not-found",
    ]);
    expect(empty({ path, scopes: STAFF }, 200)).toBe("keep");
  });
});

describe("A3: headers", () => {
  it("name the judged resource under its public address, and no page", () => {
    const headersOf = (headers: Record<string, string>): unknown => {
      const { guard, given } = guardOf({ path: "/Observation/a", scopes: BOUND }, { headers });
      return guard.headers?.(given);
    };
    const location = `${UPSTREAM}/Observation/a/_history/1`;
    const shown = `${BASE}/Observation/a/_history/1`;
    expect(headersOf({ location, "content-location": location, link: "<x>; rel=next" })).toEqual({
      Location: shown,
      "Content-Location": shown,
      Link: undefined,
    });
    const none = { Location: undefined, "Content-Location": undefined, Link: undefined };
    expect(headersOf({ location })).toStrictEqual({ ...none, Location: shown });
    expect(headersOf({ "content-location": location })).toStrictEqual({ ...none, "Content-Location": shown });
    // What is said to be undefined is taken away; what nothing is said of stays.
    expect(headersOf({ location: `${UPSTREAM}/Observation/b` })).toStrictEqual(none);
    expect(headersOf({ link: "<x>; rel=next" })).toStrictEqual(none);
  });
});

describe("addresses", () => {
  const bases = { baseUrl: BASE, baseUrls: [BASE, UPSTREAM] };
  it.each<[string, string | undefined]>([
    [BASE, ""],
    [`${BASE}/Patient/1`, "Patient/1"],
    [`${BASE}?a=b`, "?a=b"],
    [`${UPSTREAM}/Patient/1`, "Patient/1"],
    ["/fhir/Patient/1", "Patient/1"],
    ["/fhir", ""],
    ["/fhir?a=b", "?a=b"],
    ["Patient/1", "Patient/1"],
    ["/Patient/1", "Patient/1"],
    ["?a=b", "?a=b"],
    ["Observation?code:in=x", "Observation?code:in=x"],
    ["$everything", "$everything"],
    ["_history", "_history"],
    [`${BASE}er/Patient/1`, undefined],
    ["https://elsewhere.example/fhir/Patient/1", undefined],
    ["//elsewhere.example/Patient/1", undefined],
    ["javascript:alert(1)", undefined],
    ["../Patient/1", undefined],
    ["", undefined],
  ])("%j is below the base: %j", (url, below) => {
    expect(belowBase(url, bases)).toBe(below);
  });

  it("below a base that is a whole host", () => {
    const root = { baseUrl: "https://fhir.example.org", baseUrls: ["https://fhir.example.org"] };
    expect(belowBase("/Patient/1", root)).toBe("Patient/1");
    expect(belowBase("//elsewhere.example/Patient/1", root)).toBeUndefined();
  });

  it.each<[string, string | undefined, string | undefined]>([
    ["Observation/a", "a", `${BASE}/Observation/a`],
    ["Observation/a/_history/2", "a", `${BASE}/Observation/a/_history/2`],
    ["Observation/a", undefined, `${BASE}/Observation/a`],
    ["Observation/b", "a", undefined],
    ["Condition/a", "a", undefined],
    ["Observation", "a", undefined],
    ["https://elsewhere.example/Observation/a", "a", undefined],
  ])("%s of Observation/%s is shown as %j", (url, id, shown) => {
    const interaction = { ...guardFacts({ path: "/Observation/a", scopes: BOUND }).interaction, type: "Observation" };
    const { id: _, ...rest } = interaction;
    expect(publicLocation(url, id === undefined ? rest : { ...rest, id }, bases)).toBe(shown);
  });

  it.each<[string, string | undefined]>([
    ["urn:uuid:1", "urn:uuid:1"],
    [`${UPSTREAM}/Patient/1`, `${BASE}/Patient/1`],
    ["Patient/1", `${BASE}/Patient/1`],
    [`${BASE}/Patient/1`, `${BASE}/Patient/1`],
    [`${BASE}/Patient/1/_history/2`, `${BASE}/Patient/1`],
    [`${BASE}/Patient/1/_history`, undefined],
    [`${BASE}/Patient/1?x=y`, undefined],
    [`${BASE}/patient/1`, undefined],
    [`${BASE}//Patient/1`, undefined],
    [`${BASE}x/Patient/1`, undefined],
    [`${BASE}xPatient/1`, undefined],
    [`x${BASE}/Patient/1`, undefined],
    [`${BASE}/Patient/..`, undefined],
    [`${BASE}/${BASE}/Patient/1`, undefined],
    [`${BASE}/urn:uuid:1`, undefined],
    ["https://elsewhere.example/Patient/1", undefined],
    ["xurn:uuid:1", undefined],
  ])("fullUrl %s is shown as %j", (url, shown) => {
    expect(publicFullUrl(url, bases)).toBe(shown);
  });

  it("fullUrl that is the resource's own address is one that would be shown as it is", () => {
    const word = fc.constantFrom("Patient", "Observation", "patient", "Foo", "a", "b", "..", "a/b", "", "_history");
    const resource = fc.record({ resourceType: word, id: fc.oneof(word, fc.constant(7)) });
    const base = fc.constantFrom(BASE, `${BASE}/`, `x${BASE}`, UPSTREAM, "");
    const url = fc.tuple(base, word, word).map((parts) => parts.join("/"));
    const owner = fc.record({ resourceType: fc.constantFrom("Patient", "Observation"), id: fc.constantFrom("a", "b") });
    // Two words that happen to be a resource's are too rare to show anything: these are its own, or off by one letter.
    const near = fc
      .tuple(owner, fc.nat(), fc.constantFrom(0, 1), fc.constantFrom("", "/", "x"))
      .map(([held, at, gone, put]) => {
        const whole = `${BASE}/${held.resourceType}/${held.id}`;
        const cut = at % whole.length;
        return [whole.slice(0, cut) + put + whole.slice(cut + gone), held] as const;
      });
    fc.assert(
      fc.property(fc.oneof(fc.tuple(url, resource), near), ([asked, held]) => {
        const isOwn = asked === `${BASE}/${held.resourceType}/${held.id}` && publicFullUrl(asked, bases) === asked;
        expect(isPublicAddress(asked, held, bases)).toBe(isOwn && typeof held.id === "string");
      }),
      { numRuns: 5000 },
    );
  });
});

describe("A3: a link", () => {
  const linkOf = (url: string, path = "/Observation", change: Partial<GuardFacts> = {}): string | undefined =>
    publicLink(url, { ...guardFacts({ path, scopes: BOUND }), extraParameters: new Set(["page"]), ...change });
  it.each<[string, string, string | undefined]>([
    [`${UPSTREAM}/Observation?code=x&page=2`, "/Observation", `${BASE}/Observation?code=x&page=2`],
    [`${UPSTREAM}/Observation`, "/Observation", `${BASE}/Observation`],
    [`${UPSTREAM}/Observation/_history?_count=2`, "/Observation/_history", `${BASE}/Observation/_history?_count=2`],
    [`${UPSTREAM}?_type=Observation`, "/?_type=Observation", `${BASE}?_type=Observation`],
    [`${UPSTREAM}/_search?_type=Observation`, "/?_type=Observation", `${BASE}?_type=Observation`],
    [`${UPSTREAM}/Observation/a`, "/Observation/a", `${BASE}/Observation/a`],
    [`${UPSTREAM}/Observation/b`, "/Observation/a", undefined],
    [`${UPSTREAM}/Condition?page=2`, "/Observation", undefined],
    [`${UPSTREAM}/Observation/_history`, "/Observation", undefined],
    [`${UPSTREAM}/Observation?token=x`, "/Observation", undefined],
    [`${UPSTREAM}/Observation/_search/a`, "/Observation/a", undefined],
    [`${UPSTREAM}/Patient/p1/Observation`, "/Observation", undefined],
    ["https://elsewhere.example/Observation", "/Observation", undefined],
  ])("%s, of %s, is shown as %j", (url, path, shown) => {
    expect(linkOf(url, path)).toBe(shown);
  });

  it("of a search by POST is one by GET", () => {
    const asked = { method: "POST", path: "/Observation/_search?code=x", scopes: BOUND };
    const shown = publicLink(`${UPSTREAM}/Observation/_search?code=x`, guardFacts(asked));
    expect(shown).toBe(`${BASE}/Observation?code=x`);
    const everywhere = { method: "POST", path: "/_search?_type=Observation", scopes: BOUND };
    expect(publicLink(`${UPSTREAM}?_type=Observation`, guardFacts(everywhere))).toBe(`${BASE}?_type=Observation`);
  });

  it("of what was no search is none", () => {
    const created = { method: "POST", path: "/Observation", body: own, scopes: BOUND };
    expect(publicLink(`${UPSTREAM}/Observation`, guardFacts(created))).toBeUndefined();
  });

  it("is shown without what the narrowing added", () => {
    const narrowing = { added: [["subject", "Patient/p1"]] } as const;
    const url = `${UPSTREAM}/Observation?subject=Patient/p1&code=x`;
    expect(linkOf(url, "/Observation?code=x", { narrowing })).toBe(`${BASE}/Observation?code=x`);
    expect(linkOf(url, "/Observation?code=x")).toContain("subject=");
  });
});

describe("S15: an outcome without words", () => {
  it.each<[Json, object[]]>([
    [[{ severity: "fatal", code: "not-found", diagnostics: "d" }], [{ severity: "fatal", code: "not-found" }]],
    [[{ severity: "error", code: "code-invalid-x" }], [{ severity: "error", code: "code-invalid-x" }]],
    [
      [{ severity: "warning" }, { severity: "information", code: "x" }],
      [
        { severity: "warning", code: "processing" },
        { severity: "information", code: "x" },
      ],
    ],
    [[{ severity: "Chalmers", code: "Chalmers Jim" }], [{ severity: "error", code: "processing" }]],
    [[{ severity: ["error"], code: 1 }], [{ severity: "error", code: "processing" }]],
    [[{ code: "a-b-c-d" }], [{ severity: "error", code: "processing" }]],
    [[{ code: `${"a".repeat(21)}` }], [{ severity: "error", code: "processing" }]],
    [[], [{ severity: "error", code: "processing" }]],
    ["text", [{ severity: "error", code: "processing" }]],
    [["text"], [{ severity: "error", code: "processing" }]],
    [[null], [{ severity: "error", code: "processing" }]],
  ])("of %j is %j", (issue, bare) => {
    expect(bareOutcome({ resourceType: "OperationOutcome", text: "d", issue })).toEqual({
      resourceType: "OperationOutcome",
      issue: bare,
    });
  });
});
