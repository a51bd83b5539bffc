import {
  type InteractionRequest,
  inCompartment,
  matches,
  parseInteraction,
  parseReference,
  parseSearch,
  patientsOf,
  RESOURCE_TYPES,
  renderQuery,
  searchParametersOf,
  touchesOf,
} from "@wardline/fhir-r4";
import { INTERACTION_CODES } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const anyType = fc.constantFrom("Patient", "Observation", "Encounter", "Bundle", "AuditEvent", "Group");
const anyId = fc.stringMatching(/^[A-Za-z0-9-]{1,10}$/);
const anySegment = fc.oneof(
  anyType,
  anyId,
  fc.constantFrom(
    "_history",
    "_search",
    "metadata",
    "$everything",
    "*",
    "..",
    "%2e%2e",
    "%2F",
    "%25",
    "",
    ";",
    "patient",
    "__proto__",
  ),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const anyPath = fc.array(anySegment, { maxLength: 6 }).map((segments) => `/${segments.join("/")}`);
const anyMethod = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "");
const anyName = fc.oneof(
  anyType.chain((type) => fc.constantFrom(...searchParametersOf(type).map(({ code }) => code))),
  fc.constantFrom(
    "_include",
    "_include:iterate",
    "_revinclude",
    "_has:Observation:patient:code",
    "_has:",
    "_has:Observation",
    "subject.name",
    "subject:Patient.organization.name",
    "_sort",
    "_type",
    "_typeFilter",
    "_count",
    "__proto__",
    "",
    ".",
    ":",
    "a.b:c.d",
  ),
  fc.string({ maxLength: 12 }),
);
const anyValue = fc.oneof(
  fc.constantFrom(
    "1",
    "Patient/1",
    "a,b",
    "a\\,b",
    "s|c",
    "Observation:subject",
    "Provenance:target",
    "*",
    "Patient?name=x",
    "-date",
  ),
  fc.string({ maxLength: 12 }),
);
const wellFormed = (text: string) => text.replace(/\p{Surrogate}/gu, "?").replaceAll("\0", "?");
const anyPairs = fc.array(fc.tuple(anyName.map(wellFormed), anyValue.map(wellFormed)), { maxLength: 6 });

describe("parseInteraction is total", () => {
  it("gives a named interaction or says why not, for anything at all", () => {
    const anyRequest: fc.Arbitrary<InteractionRequest> = fc.record(
      {
        method: fc.oneof(anyMethod, fc.string()),
        path: fc.oneof(anyPath, fc.string({ unit: "binary" })),
        query: fc.oneof(anyPairs.map(renderQuery), fc.string({ unit: "binary" })),
        form: fc.oneof(anyPairs.map(renderQuery), fc.string()),
        body: fc.oneof(
          fc.anything(),
          fc.record({
            resourceType: fc.constant("Bundle"),
            type: fc.constantFrom("batch", "transaction"),
            entry: fc.array(
              fc.oneof(
                fc.anything(),
                fc.record({
                  request: fc.record({ method: anyMethod, url: fc.oneof(anyPath, fc.string()) }),
                  resource: fc.anything(),
                }),
              ),
            ),
          }),
        ),
      },
      { requiredKeys: ["method", "path"] },
    );
    fc.assert(
      fc.property(anyRequest, (request) => {
        const interaction = parseInteraction(request);
        const { code, unknownBecause, touches, entries } = interaction;
        expect([...INTERACTION_CODES, "unknown"]).toContain(code);
        expect(unknownBecause !== undefined).toBe(code === "unknown");
        expect(new Set(touches.map(({ type, via }) => `${type} ${via}`)).size).toBe(touches.length);
        if (code === "unknown") expect(touches).toEqual([{ type: "*", via: "base" }]);
        for (const touch of touches) expect(touch.type === "*" || RESOURCE_TYPES.includes(touch.type)).toBe(true);
        entries.forEach((entry, index) => {
          expect(entry.index).toBe(index);
          expect(entry.interaction.entries).toEqual([]);
        });
      }),
      { numRuns: 2000 },
    );
  });

  it("what it names has a canonical path, which names the same again (S6)", () => {
    fc.assert(
      fc.property(anyMethod, anyPath, fc.constantFrom("", "_id=1"), (method, path, query) => {
        const body = { resourceType: "Bundle", type: "batch" };
        const interaction = parseInteraction({ method, path, query, body });
        fc.pre(interaction.code !== "unknown");
        expect(interaction.path).toMatch(/^\/$|^(\/[A-Za-z0-9\-._$*]+)+$/);
        expect(parseInteraction({ method, path: interaction.path, query, body })).toEqual(interaction);
      }),
      { numRuns: 2000 },
    );
  });

  it("spelling unreserved characters as escapes changes nothing", () => {
    const escaped = (text: string, mask: number) =>
      Array.from(text)
        .map((c, i) => ((mask >> (i % 16)) & 1 ? `%${c.charCodeAt(0).toString(16).padStart(2, "0")}` : c))
        .join("");
    fc.assert(
      fc.property(anyType, anyId, fc.nat(0xffff), (type, id, mask) => {
        const plain = parseInteraction({ method: "GET", path: `/${type}/${id}` });
        expect(parseInteraction({ method: "GET", path: `/${escaped(type, mask)}/${escaped(id, mask)}` })).toEqual(
          plain,
        );
      }),
    );
  });
});

describe("spellings agree (A12)", () => {
  it("GET, POST _search, and any split between URL and form say the same", () => {
    fc.assert(
      fc.property(anyType, anyPairs, fc.nat(6), (type, pairs, cut) => {
        const { path: _, ...got } = parseInteraction({ method: "GET", path: `/${type}`, query: renderQuery(pairs) });
        const { path: __, ...posted } = parseInteraction({
          method: "POST",
          path: `/${type}/_search`,
          query: renderQuery(pairs.slice(0, cut)),
          form: renderQuery(pairs.slice(cut)),
        });
        expect(posted).toEqual(got);
        expect(got.search?.pairs).toEqual(pairs);
      }),
    );
  });

  it("a condition touches what the same search would", () => {
    fc.assert(
      fc.property(anyType, anyPairs, (type, pairs) => {
        const query = renderQuery([["_id", "1"], ...pairs]);
        const searched = parseInteraction({ method: "GET", path: `/${type}`, query });
        const deleted = parseInteraction({ method: "DELETE", path: `/${type}`, query });
        expect(deleted.condition).toEqual(searched.search);
        expect(deleted.touches.filter(({ via }) => via !== "condition")).toEqual(searched.touches);
      }),
    );
  });

  it("more parameters never reach less", () => {
    fc.assert(
      fc.property(anyType, anyPairs, anyPairs, (type, pairs, more) => {
        const reached = (list: typeof pairs) => touchesOf(parseSearch([type], list));
        expect(reached([...pairs, ...more])).toEqual(expect.arrayContaining([...reached(pairs)]));
      }),
    );
  });

  it("every criterion with a step or a dot shows where it goes, or that it may go anywhere", () => {
    fc.assert(
      fc.property(anyType, anyName, (type, name) => {
        const search = parseSearch([type], [[name, "x"]]);
        const [criterion] = search.criteria;
        fc.pre(criterion !== undefined && (criterion.steps.length > 0 || criterion.raw.includes(".")));
        expect(touchesOf(search).length).toBeGreaterThan(0);
        if (criterion?.known === false) expect(touchesOf(search).some((touch) => touch.type === "*")).toBe(true);
      }),
    );
  });
});

describe("hostile resources", () => {
  const anyReference = fc.oneof(
    fc.constantFrom(
      "Patient/1",
      "Patient/2",
      "patient/1",
      "#a",
      "Group/1",
      "Device/1",
      "urn:uuid:x",
      "https://x/Patient/1",
    ),
    fc.string(),
    fc.anything(),
  );
  const anyElement = fc.oneof(
    fc.record({ reference: anyReference }, { requiredKeys: [] }),
    fc.array(fc.record({ reference: anyReference, type: fc.constantFrom("Patient", "Device") }, { requiredKeys: [] })),
    fc.anything(),
  );
  const anyResource = fc.record(
    {
      resourceType: fc.constantFrom("Observation", "Patient", "Account", "AuditEvent", "Task", "patient"),
      id: fc.oneof(fc.constantFrom("1", "2"), fc.anything()),
      subject: anyElement,
      performer: anyElement,
      entity: fc.array(fc.record({ what: anyElement })),
      link: fc.array(fc.record({ other: anyElement })),
      contained: fc.oneof(
        fc.array(fc.record({ resourceType: fc.constantFrom("Patient", "Task"), for: anyElement })),
        fc.anything(),
      ),
    },
    { requiredKeys: ["resourceType"] },
  );
  const one = { type: "Patient", id: "1" } as const;

  it("are judged without a throw, and a member always shows among the patients", () => {
    fc.assert(
      fc.property(fc.oneof(anyResource, fc.anything()), (resource) => {
        const patients = patientsOf(resource);
        expect(new Set(patients).size).toBe(patients.length);
        const subject = inCompartment(resource, one, "subject");
        const full = inCompartment(resource, one, "full");
        if (subject) expect(full).toBe(true);
        if (full) expect(patients).toContain("1");
        if (subject && patients.length > 1) {
          // Only a parameter that is not subject-like, or a link between patients, may name somebody else.
          expect(inCompartment(resource, { type: "Patient", id: patients[1] ?? "" }, "subject")).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("a yes is a yes for any key order and after a trip through JSON", () => {
    fc.assert(
      fc.property(anyResource, (resource) => {
        const text = JSON.stringify(resource);
        const parsed: unknown = JSON.parse(text);
        const reversed = Object.fromEntries(Object.entries(parsed as object).reverse());
        for (const rule of ["subject", "full"] as const) {
          expect(inCompartment(reversed, one, rule)).toBe(inCompartment(parsed, one, rule));
        }
      }),
    );
  });

  it("search and reference parsing never throw either", () => {
    fc.assert(
      fc.property(anyResource, anyPairs, fc.string({ unit: "binary" }), (resource, pairs, text) => {
        const { criteria } = parseSearch([resource.resourceType], pairs);
        expect([true, false, "undecided"]).toContain(matches(resource, criteria));
        expect(["literal", "contained", "urn", "external", "invalid"]).toContain(parseReference(text).kind);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("matches keeps its algebra", () => {
  const tokens = fc.constantFrom("a", "b", "A", "s|a", "|a", "s|", "", "a|b|c");
  const concept = fc.array(
    fc.record({ system: fc.constantFrom("s", "t"), code: fc.constantFrom("a", "b", "c") }, { requiredKeys: [] }),
    {
      minLength: 1,
      maxLength: 3,
    },
  );
  const judge = (coding: unknown, name: string, value: string) =>
    matches({ resourceType: "Observation", code: { coding } }, parseSearch(["Observation"], [[name, value]]).criteria);

  it(":not is the opposite of the search without it", () => {
    fc.assert(
      fc.property(concept, tokens, (coding, value) => {
        const plain = judge(coding, "code", value);
        expect(judge(coding, "code:not", value)).toBe(plain === "undecided" ? plain : !plain);
      }),
    );
  });

  it("a comma is an or, and its order does not matter", () => {
    fc.assert(
      fc.property(concept, tokens, tokens, (coding, a, b) => {
        fc.pre(a !== "" && b !== "");
        const either = judge(coding, "code", `${a},${b}`);
        expect(judge(coding, "code", `${b},${a}`)).toBe(either);
        expect(either === true).toBe(judge(coding, "code", a) === true || judge(coding, "code", b) === true);
      }),
    );
  });

  it("dates: eq and ne are opposites, and sa, eb and eq exclude each other", () => {
    const date = fc
      .date({ min: new Date("1990-01-01"), max: new Date("1992-01-01"), noInvalidDate: true })
      .chain((at) => {
        const iso = at.toISOString();
        return fc.constantFrom(iso.slice(0, 4), iso.slice(0, 7), iso.slice(0, 10), iso, `${iso.slice(0, 19)}+05:30`);
      });
    fc.assert(
      fc.property(date, date, (target, search) => {
        const ask = (prefix: string) =>
          matches(
            { resourceType: "Observation", effectiveDateTime: target },
            parseSearch(["Observation"], [["date", prefix + search]]).criteria,
          );
        const eq = ask("eq");
        expect(ask("ne")).toBe(eq === "undecided" ? eq : !eq);
        expect(ask("")).toBe(eq);
        expect([eq, ask("sa"), ask("eb")].filter((verdict) => verdict === true).length).toBeLessThanOrEqual(1);
        if (ask("sa") === true) expect([ask("gt"), ask("ge")]).toEqual([true, true]);
        if (ask("eb") === true) expect([ask("lt"), ask("le")]).toEqual([true, true]);
      }),
      { numRuns: 500 },
    );
  });
});
