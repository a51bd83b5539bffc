import fc from "fast-check";
import { expect, it } from "vitest";
import { type Json, observation, patient } from "./support/backend.ts";
import { type Edge, startEdge } from "./support/edge.ts";
import { searchingBackend } from "./support/searching-backend.ts";

type Stored = Parameters<typeof searchingBackend>[0] extends () => readonly (infer Row)[] ? Row : never;

const RUNS = Number(process.env["WARDLINE_FUZZ_RUNS"] ?? 150);
const SEED = Number(process.env["WARDLINE_FUZZ_SEED"] ?? Date.now() % 2 ** 31);

const CODES = ["weight", "hiv", "glucose"];
const coded = (code: string): Record<string, Json> => ({
  code: { coding: [{ system: "urn:codes", code }], text: code },
});
const OWN = [
  { ...(patient("a") as object), link: [{ other: { reference: "Patient/b" }, type: "seealso" }] },
  observation("o1", "a", coded("weight")),
  observation("o2", "a", { ...coded("glucose"), performer: [{ reference: "Practitioner/p" }] }),
  { resourceType: "Condition", id: "c1", subject: { reference: "Patient/a" }, ...coded("weight") },
  { resourceType: "Practitioner", id: "p", name: [{ family: "House" }] },
] as Stored[];

/** What a token for patient a may not see: another patient, with anything at all. */
const anyStranger = fc
  .record({
    family: fc.constantFrom("Smith", "Family-a", "House"),
    rows: fc.array(fc.tuple(fc.constantFrom("Observation", "Condition"), fc.constantFrom(...CODES)), { maxLength: 4 }),
    linked: fc.boolean(),
  })
  .map(({ family, rows, linked }): Stored[] => [
    {
      resourceType: "Patient",
      id: "b",
      name: [{ family }],
      ...(linked ? { link: [{ other: { reference: "Patient/a" }, type: "seealso" }] } : {}),
    },
    ...rows.map(([type, code], index) => ({
      resourceType: type,
      id: `h${index}`,
      subject: { reference: "Patient/b" },
      performer: [{ reference: linked ? "Patient/a" : "Practitioner/p" }],
      ...coded(code),
    })),
  ]);

/** What a token for some codes of patient a may not see: the patient's own records of other codes. */
const anyWithheld = fc
  .array(fc.tuple(fc.constantFrom("hiv", "glucose"), fc.constantFrom("final", "amended")), { maxLength: 4 })
  .map((rows): Stored[] =>
    rows.map(([code, status], index) => ({
      ...(observation(`h${index}`, "a", { ...coded(code), status }) as Stored),
    })),
  );

const anyId = fc.constantFrom("a", "b", "c", "o1", "o2", "h0", "h1", "p", "nobody");
const anyCode = fc.constantFrom(...CODES, "urn:codes|hiv");
const anyName = fc.constantFrom("Smith", "House", "Family-a");
/** Questions whose honest answer would depend on hidden records, for each type. */
const ORACLES: Readonly<
  Record<"Patient" | "Observation" | "Condition" | "Practitioner", fc.Arbitrary<[string, string]>>
> = {
  Patient: fc.oneof(
    fc.tuple(fc.constantFrom("link:Patient.family", "link.family", "name", "family"), anyName),
    fc.tuple(fc.constantFrom("_has:Observation:performer:code", "_has:Observation:subject:code"), anyCode),
    fc.tuple(
      fc.constant("_revinclude"),
      fc.constantFrom("Observation:performer", "Patient:link", "Observation:subject"),
    ),
    fc.tuple(fc.constant("_include"), fc.constantFrom("Patient:link", "*")),
  ),
  Observation: fc.oneof(
    fc.tuple(fc.constantFrom("code", "code:not", "code:missing"), fc.oneof(anyCode, fc.constantFrom("true", "false"))),
    fc.tuple(fc.constantFrom("subject:Patient.name", "patient.family", "performer:Patient.family"), anyName),
    fc.tuple(
      fc.constantFrom("patient", "subject", "performer"),
      anyId.map((id) => `Patient/${id}`),
    ),
    fc.tuple(fc.constant("_include"), fc.constantFrom("Observation:subject", "Observation:performer", "*")),
  ),
  Condition: fc.oneof(
    fc.tuple(fc.constantFrom("code", "patient"), fc.oneof(anyCode, anyId)),
    fc.tuple(
      fc.constantFrom("patient.link:Patient.family", "subject:Patient._has:Observation:performer:code"),
      anyName,
    ),
  ),
  Practitioner: fc.oneof(
    fc.tuple(fc.constant("name"), anyName),
    fc.tuple(fc.constant("_has:Observation:performer:code"), anyCode),
    fc.tuple(fc.constant("_revinclude"), fc.constant("Observation:performer")),
  ),
};
const anyPaging = fc.tuple(fc.constantFrom("_count", "_offset"), fc.constantFrom("0", "1", "2"));
const anyControl = fc.oneof(
  fc.tuple(fc.constantFrom("_summary", "_total"), fc.constantFrom("count", "true", "accurate")),
  fc.tuple(fc.constant("_sort"), fc.constantFrom("code", "-date", "patient")),
  fc.tuple(fc.constant("_id"), fc.oneof(anyId, fc.constant("a,b"))),
);
const anyType = fc.constantFrom("Patient", "Observation", "Condition", "Practitioner");
function anyRequest(anyControls: fc.Arbitrary<[string, string]>): fc.Arbitrary<{ path: string; init: RequestInit }> {
  const anySearch = anyType.chain((type) =>
    fc
      .tuple(fc.array(ORACLES[type], { maxLength: 2 }), fc.array(anyControls, { maxLength: 2 }))
      .map(([oracles, controls]) => ({ type, pairs: [...oracles, ...controls] as [string, string][] })),
  );
  const anyPath = fc.oneof(
    { weight: 1, arbitrary: fc.tuple(anyType, anyId).map(([type, id]) => `/${type}/${id}`) },
    {
      weight: 4,
      arbitrary: anySearch.map(({ type, pairs }) => `/${type}?${new URLSearchParams(pairs).toString()}`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(anyId, anySearch)
        .map(([id, { pairs }]) => `/Patient/${id}/Observation?${new URLSearchParams(pairs).toString()}`),
    },
  );
  const anyCondition = fc.tuple(fc.constantFrom("code", "_id"), fc.oneof(anyCode, anyId)).map((pair) => pair.join("="));
  return fc.oneof(
    { weight: 4, arbitrary: anyPath.map((path) => ({ path, init: {} })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(anyType, anyId, fc.constantFrom('W/"1"', "*"))
        .map(([type, id, tag]) => ({ path: `/${type}/${id}`, init: { headers: { "if-none-match": tag } } })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom("POST", "PUT", "DELETE"), fc.option(anyCondition, { nil: undefined }), anyId, anyCode)
        .map(([method, condition, id, code]) => ({
          path: writePath(method, condition, id),
          init: {
            method,
            headers: {
              "content-type": "application/fhir+json",
              ...(method === "POST" && condition !== undefined ? { "if-none-exist": condition } : {}),
            },
            ...(method === "DELETE" ? {} : { body: JSON.stringify(observation(id, "a", coded(code))) }),
          },
        })),
    },
    {
      weight: 1,
      arbitrary: anySearch.map(({ type, pairs }) => ({
        path: `/${type}/_search`,
        init: {
          method: "POST",
          body: new URLSearchParams(pairs).toString(),
          headers: { "content-type": "application/x-www-form-urlencoded" },
        },
      })),
    },
    {
      weight: 1,
      arbitrary: fc.array(anyPath, { minLength: 1, maxLength: 4 }).map((paths) => ({
        path: "/",
        init: {
          method: "POST",
          body: JSON.stringify({
            resourceType: "Bundle",
            type: "batch",
            entry: paths.map((path) => ({ request: { method: "GET", url: path.slice(1) } })),
          }),
          headers: { "content-type": "application/fhir+json" },
        },
      })),
    },
  );
}

/** A write of one Observation, or of whatever a condition selects. */
function writePath(method: string, condition: string | undefined, id: string): string {
  if (method === "POST") return "/Observation";
  return condition === undefined ? `/Observation/${id}` : `/Observation?${condition}`;
}

it.each([
  ["another patient's records", "patient/*.cruds", anyStranger, anyRequest(fc.oneof(anyControl, anyPaging))],
  [
    "the patient's own records of other codes",
    // Two filters that no one search can express, so that the guard alone decides.
    "patient/Patient.rs patient/Observation.rs?code=urn:codes|weight patient/Observation.rs?status=preliminary",
    anyWithheld,
    // Where no search can be narrowed, a page that came out short tells that something was withheld (README of smart-auth).
    anyRequest(anyControl),
  ],
])(
  `A1, A9: two backends that differ only in %s give equal answers (WARDLINE_FUZZ_SEED=${SEED})`,
  async (_what, scope, anyHidden, asking) => {
    const hidden: [Stored[], Stored[]] = [[], []];
    const [first, second] = await Promise.all([start(0), start(1)]);
    async function start(which: 0 | 1): Promise<Edge> {
      const edge = await startEdge((policy) => ({
        ...policy,
        tiers: { apps: { windows: [{ name: "apps", limit: 1_000_000, windowSeconds: 60, by: "client" }] } },
        door: { limit: 1_000_000, windowSeconds: 60 },
        routes: policy.routes.map((route) => ({ ...route, extraParameters: ["_offset"] })),
      }));
      edge.backend.answer = searchingBackend(() => [...hidden[which].slice(0, 1), ...OWN, ...hidden[which].slice(1)]);
      return edge;
    }
    const seen = async (edge: Edge, { path, init }: { path: string; init: RequestInit }): Promise<unknown[]> => {
      const { status, text, headers } = await edge.ask(path, { ...init, claims: { scope } });
      // A sealed link holds a nonce: its length is compared, its letters and what is computed of them are not.
      const isSealed = text.includes("_sealed=");
      const shown = text.replaceAll(
        /_sealed=([A-Za-z0-9_-]+)/g,
        (_whole, sealed: string) => `_sealed=${sealed.length}`,
      );
      const etag = isSealed ? "of a sealed link" : headers.get("etag");
      return [status, shown, headers.get("www-authenticate"), etag, headers.get("content-length")];
    };
    const statuses = new Set<unknown>();
    await fc.assert(
      fc.asyncProperty(
        anyHidden,
        anyHidden,
        fc.array(asking, { minLength: 1, maxLength: 4 }),
        async (one, other, asked) => {
          hidden[0] = one;
          hidden[1] = other;
          for (const request of asked) {
            const [left, right] = await Promise.all([seen(first, request), seen(second, request)]);
            statuses.add(left[0]);
            expect(right).toEqual(left);
            expect(left[1]).not.toMatch(/Smith|"h\d"/);
          }
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
    // The property says nothing if everything is refused.
    expect([...statuses]).toEqual(expect.arrayContaining([200, 403, 404]));
  },
  60_000 + RUNS * 500,
);
