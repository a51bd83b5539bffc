import express from "express";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Stored } from "./support/fhir-store.ts";
import type { Question } from "./support/servers.ts";
import { about, createStoreEdge, linkOf, observation, type StoreEdge } from "./support/store-edge.ts";

/** What must never reach the caller: it stands in every hidden record, beside a name that the caller asks for. */
const SECRET = "zq-hidden";
const STRANGER = "Chalmers";
const RUNS = Number(process.env["WARDLINE_FUZZ_RUNS"] ?? 300);
/** Of each run; four or five on average, each with the pages behind it. */
const REQUESTS = 8;
const SEED = Number(process.env["WARDLINE_FUZZ_SEED"] ?? Date.now() % 2 ** 31);

const CODES = ["weight", "hiv", "glucose"];
const row = (resourceType: string, id: string, more: object): Stored => ({ resourceType, id, ...more }) as Stored;
const OWN: readonly Stored[] = [
  row("Patient", "p1", { name: [{ family: "Own" }] }),
  observation("o1", "p1", "weight"),
  observation("o2", "p1", "weight", { status: "preliminary" }),
  observation("o3", "p1", "hiv", { status: "preliminary", performer: [{ reference: "Practitioner/d1" }] }),
  observation("o4", "p1", "weight", { hasMember: [{ reference: "Observation/o1" }] }),
  row("Condition", "c1", { subject: about("p1") }),
  row("Practitioner", "d1", { name: [{ family: "Doctor" }] }),
  row("Binary", "b1", { contentType: "text/plain", data: "eA==", securityContext: about("p1") }),
  row("Binary", "b2", { contentType: "text/plain", data: "eA==" }),
  row("DocumentReference", "r1", { subject: about("p1"), content: [{ attachment: { url: "Binary/b2" } }] }),
];

/** Another patient with anything at all. */
const anyStranger = fc
  .array(
    fc.tuple(
      fc.constantFrom("Observation", "Condition", "Binary", "DocumentReference"),
      fc.constantFrom(...CODES),
      fc.boolean(),
    ),
    { maxLength: 5 },
  )
  .map((rows): Stored[] => [
    row("Patient", "p2", { name: [{ family: STRANGER, given: [SECRET] }] }),
    ...rows.map(([type, code, linked], at): Stored => {
      const text = { text: SECRET, coding: [{ system: "urn:c", code }] };
      const performer = [{ reference: linked ? "Patient/p1" : "Practitioner/d1" }];
      if (type === "Binary")
        return row(type, `h${at}`, { data: "eA==", contentType: SECRET, securityContext: about("p2") });
      if (type === "DocumentReference") {
        return row(type, `h${at}`, {
          subject: about("p2"),
          description: SECRET,
          content: [{ attachment: { url: `Binary/h${at}` } }],
        });
      }
      return observation(`h${at}`, "p2", code, {
        resourceType: type,
        code: text,
        ...(type === "Observation" ? { performer } : {}),
      });
    }),
  ]);

/** The patient's own records that no clause covers. */
const anyWithheld = fc
  .array(fc.tuple(fc.constantFrom("hiv", "glucose"), fc.constantFrom("final", "amended")), { maxLength: 5 })
  .map((rows) =>
    rows.map(([code, status], at) => observation(`h${at}`, "p1", code, { status, note: [{ text: SECRET }] })),
  );

const anyId = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom("o1", "o4") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("p1", "p2", "o2", "c1", "b1", "b2", "r1", "d1", "h0", "h1", "h2", "none"),
  },
);
const anyType = fc.constantFrom(
  "Observation",
  "Observation",
  "Patient",
  "Condition",
  "Practitioner",
  "Binary",
  "DocumentReference",
);
const anyPair: fc.Arbitrary<[string, string]> = fc.oneof(
  fc.tuple(
    fc.constantFrom("code", "code:not", "_id", "status"),
    fc.oneof(fc.constantFrom(...CODES, "final", "a,b"), anyId),
  ),
  fc.tuple(
    fc.constantFrom("patient", "subject", "performer", "has-member"),
    anyId.map((id) => `Patient/${id}`),
  ),
  fc.tuple(
    fc.constantFrom("subject:Patient.family", "patient.family", "has-member.code", "location"),
    fc.constantFrom(STRANGER, "Own", "hiv"),
  ),
  fc.tuple(
    fc.constantFrom("_has:Observation:performer:code", "_has:Observation:has-member:code"),
    fc.constantFrom(...CODES),
  ),
  fc.tuple(
    fc.constantFrom("_include", "_revinclude"),
    fc.constantFrom("Observation:performer", "Observation:has-member", "*"),
  ),
  fc.tuple(
    fc.constantFrom("_count", "_total", "_sort", "_summary"),
    fc.constantFrom("1", "2", "accurate", "code", "count"),
  ),
  fc.tuple(
    fc.constantFrom("_text", "_content", "_query", "_list", "_filter", "_contained", "code:missing", "_getpages"),
    fc.constantFrom(SECRET, "code eq hiv", "true", "$current-problems", "c1"),
  ),
);
const queryOf = (pairs: readonly [string, string][]): string => new URLSearchParams([...pairs]).toString();
const anyQuery = fc.array(anyPair, { minLength: 1, maxLength: 3 }).map(queryOf);

/** A submitted Observation; it may name the other patient, a hidden record or a hidden Binary. */
const anyBody = fc
  .record({
    id: fc.option(anyId, { nil: undefined }),
    patient: fc.constantFrom("p1", "p1", "p1", "p2"),
    code: fc.constantFrom(...CODES),
    status: fc.constantFrom("final", "preliminary"),
    named: fc.option(fc.constantFrom("Observation/h0", "Binary/h0", "Binary/b2", "Observation?code=hiv"), {
      nil: undefined,
    }),
  })
  .map(({ id, patient, code, status, named }) => {
    const { id: _, ...rest } = observation("x", patient, code, { status });
    return {
      ...rest,
      ...(id === undefined ? {} : { id }),
      ...(named === undefined ? {} : { derivedFrom: [{ reference: named }] }),
    };
  });
const anyPatch = fc.array(
  fc.oneof(
    fc.record({
      op: fc.constantFrom("replace", "test", "add"),
      path: fc.constantFrom("/status", "/code", "/note"),
      value: fc.constantFrom("final", "amended"),
    }),
    fc.record({
      op: fc.constant("replace"),
      path: fc.constant("/subject/reference"),
      value: fc.constantFrom("Patient/p1", "Patient/p2"),
    }),
    fc.record({ op: fc.constant("remove"), path: fc.constantFrom("/status", "/subject") }),
  ),
  { maxLength: 3 },
);

interface Asked {
  readonly path: string;
  readonly question: Question;
}
const FHIR = { "content-type": "application/fhir+json" };
const json = (method: string, path: string, body: unknown, headers: Record<string, string> = FHIR): Asked => ({
  path,
  question: { method, headers, body: JSON.stringify(body) },
});
const anyRead: fc.Arbitrary<Asked> = fc
  .tuple(anyType, anyId, fc.option(fc.constantFrom('W/"1"', 'W/"2"', "*"), { nil: undefined }))
  .map(([type, id, tag]) => ({
    path: `/${type}/${id}`,
    question: { headers: tag === undefined ? {} : { "if-none-match": tag } },
  }));
/** Earlier versions, histories, and what asks about more than one type or record. */
const anyPast: fc.Arbitrary<Asked> = fc
  .tuple(anyType, anyId, fc.constantFrom("/_history", "/_history/1", "/_history/2"))
  .map(([type, id, past]) => ({ path: `/${type}/${id}${past}`, question: {} }));
const anyWide: fc.Arbitrary<Asked> = fc.oneof(
  anyId.map((id): Asked => ({ path: `/Patient/${id}/*`, question: {} })),
  anyQuery.map((query): Asked => ({ path: `/?_type=Observation,Condition&${query}`, question: {} })),
  anyType.map((type): Asked => ({ path: `/${type}/_history`, question: {} })),
);
const anySearch: fc.Arbitrary<Asked> = fc.oneof(
  fc.tuple(anyType, anyQuery).map(([type, query]) => ({ path: `/${type}?${query}`, question: {} })),
  fc.tuple(anyId, anyQuery).map(([id, query]) => ({ path: `/Patient/${id}/Observation?${query}`, question: {} })),
  fc.tuple(anyType, anyQuery).map(([type, body]) => ({
    path: `/${type}/_search`,
    question: { method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded" } },
  })),
);
/** The condition of a write: mostly one that something hidden would meet. */
const anyCondition = fc.oneof(
  fc.constantFrom(...CODES).map((code) => `code=${code}`),
  anyId.map((id) => `_id=${id}`),
  anyQuery,
);
const anyWrite: fc.Arbitrary<Asked> = fc.oneof(
  anyBody.map((body) => json("POST", "/Observation", body)),
  fc
    .tuple(anyBody, anyCondition)
    .map(([body, text]) => json("POST", "/Observation", body, { ...FHIR, "if-none-exist": text })),
  fc.tuple(anyBody, anyId).map(([body, id]) => json("PUT", `/Observation/${id}`, { ...body, id })),
  fc
    .tuple(anyBody, anyId)
    .map(([body, id]) => json("PUT", `/Observation/${id}`, { ...body, id }, { ...FHIR, "if-match": 'W/"1"' })),
  fc.tuple(anyBody, anyCondition).map(([body, text]) => json("PUT", `/Observation?${text}`, body)),
  fc
    .tuple(
      anyPatch,
      fc.oneof(
        anyId.map((id) => `/${id}`),
        anyCondition.map((text) => `?${text}`),
      ),
    )
    .map(([patch, where]) =>
      json("PATCH", `/Observation${where}`, patch, { "content-type": "application/json-patch+json" }),
    ),
  fc
    .oneof(
      anyId.map((id) => `/${id}`),
      anyCondition.map((text) => `?${text}`),
    )
    .map((where) => ({ path: `/Observation${where}`, question: { method: "DELETE" } })),
);
const anyBatch: fc.Arbitrary<Asked> = fc
  .tuple(
    fc.constantFrom("batch", "transaction"),
    fc.array(fc.oneof(anyRead, anySearch, anyWrite), { minLength: 1, maxLength: 3 }),
  )
  .map(([type, asked]) => {
    const entry = asked
      .filter(({ path }) => !path.endsWith("_search"))
      .map(({ path, question: { method = "GET", body, headers } }) => {
        const condition = headers?.["if-none-exist"];
        const resource = body === undefined || method === "PATCH" ? undefined : (JSON.parse(body.toString()) as object);
        return {
          ...(resource === undefined ? {} : { resource }),
          request: { method, url: path.slice(1), ...(condition === undefined ? {} : { ifNoneExist: condition }) },
        };
      });
    return json("POST", "/", { resourceType: "Bundle", type, entry });
  });
const anyFhirPathPatch: fc.Arbitrary<Asked> = fc
  .tuple(
    anyId,
    fc.constantFrom(
      "Observation.status",
      "Observation.note.where(text='x').text",
      "Observation.subject.reference",
      "Observation.code.coding.where(code='hiv').code",
    ),
    fc.constantFrom("replace", "delete"),
    fc.constantFrom("amended", "Patient/p2"),
  )
  .map(([id, path, type, value]) => {
    const part = Object.entries({ type, path, value }).map(([name, valueString]) => ({ name, valueString }));
    return json("PATCH", `/Observation/${id}`, {
      resourceType: "Parameters",
      parameter: [{ name: "operation", part }],
    });
  });
/** The server answers an operation with more than the caller may see. */
const anyOperation: fc.Arbitrary<Asked> = fc.oneof(
  // Of all ids a single one is answered.
  fc.oneof(fc.constant("p1"), anyId).map((id): Asked => ({ path: `/Patient/${id}/$everything`, question: {} })),
  anyBody.map((body) => json("POST", "/Observation/$submit", body)),
  fc.tuple(anyBody, anyBody).map(([one, other]) =>
    json("POST", "/Observation/$submit", {
      resourceType: "Bundle",
      type: "collection",
      entry: [{ resource: one }, { resource: other }],
    }),
  ),
);
/** What else it takes for several pages comes together too seldom by itself. */
const anyPage = fc
  .tuple(fc.constantFrom("1", "2"), fc.constantFrom("", "&code=urn:c|weight", "&status=final"))
  .map(([count, more]): Asked => ({ path: `/Observation?_count=${count}${more}`, question: {} }));

const anyRequest = fc.oneof(
  { weight: 1, arbitrary: anyPage },
  { weight: 2, arbitrary: anyRead },
  { weight: 4, arbitrary: anySearch },
  { weight: 5, arbitrary: anyWrite },
  { weight: 2, arbitrary: anyBatch },
  { weight: 1, arbitrary: anyPast },
  { weight: 1, arbitrary: anyWide },
  { weight: 1, arbitrary: anyFhirPathPatch },
  { weight: 1, arbitrary: anyOperation },
);

const COMPARED = [
  "www-authenticate",
  "etag",
  "content-length",
  "location",
  "last-modified",
  "retry-after",
  "x-progress",
];
const PAGES = 4;

/** The answer to a request and to the pages that follow it, as a client can tell them apart. */
async function seen(edge: StoreEdge, scope: string, { path, question }: Asked): Promise<unknown[]> {
  const shown: unknown[] = [];
  let next: string | undefined = path;
  for (let page = 0; next !== undefined && page < PAGES; page++) {
    const answer = await edge.as(scope, next, page === 0 ? question : {});
    const { status, text, headers } = answer;
    // A seal is new each time, and with it the hash of the body; its length is compared with that of the body.
    const isSealed = text.includes("_sealed=");
    const compared = COMPARED.map((name) => (isSealed && name === "etag" ? undefined : headers[name]));
    shown.push([status, text.replaceAll(/_sealed=[A-Za-z0-9_-]+/g, "_sealed"), compared]);
    next = status === 200 && text.startsWith('{"resourceType":"Bundle"') ? linkOf(text) : undefined;
  }
  return shown;
}

const PATIENT_APP = "patient/*.cruds";
/** Filters that no one search can say. */
const GRANULAR =
  "patient/Patient.rs patient/Practitioner.r patient/Observation.cruds?code=urn:c|weight patient/Observation.rs?status=preliminary";

/** What was answered how often, over all of it. */
const tally = new Map<string, number>();
const count = (key: string): void => void tally.set(key, (tally.get(key) ?? 0) + 1);

it.each([
  ["another patient's records", PATIENT_APP, anyStranger],
  ["the patient's own records that no clause covers", GRANULAR, anyWithheld],
])(
  `A1, A3, A9, A11, A13: stores that differ only in %s give equal answers (WARDLINE_FUZZ_SEED=${SEED})`,
  async (_what, scope, anyHidden) => {
    const options = { operations: ["everything", "submit"], memberOperations: { submit: "c" } } as const;
    const [first, second] = await Promise.all([
      createStoreEdge(express, [], options),
      createStoreEdge(express, [], options),
    ]);
    if (first === undefined || second === undefined) throw new Error("no edges");
    await fc.assert(
      fc.asyncProperty(
        anyHidden,
        anyHidden,
        fc.array(anyRequest, { minLength: 1, maxLength: REQUESTS }),
        async (one, other, asked) => {
          first.store.reset([...one.slice(0, 2), ...OWN, ...one.slice(2)]);
          second.store.reset([...other.slice(0, 1), ...OWN, ...other.slice(1)]);
          for (const request of asked) {
            const [left, right] = await Promise.all([seen(first, scope, request), seen(second, scope, request)]);
            expect(right).toEqual(left);
            // A search repeats what was asked in its self link: the caller's own word tells nothing.
            if (!JSON.stringify(request).includes(SECRET)) expect(JSON.stringify(left)).not.toContain(SECRET);
            const [[status]] = left as [[number]];
            const key = `${request.question.method ?? "GET"} ${status}${(left ?? []).length > 1 ? " paged" : ""}`;
            count(key);
            const [door] = /\$\w+|_history/.exec(request.path) ?? [];
            if (door !== undefined) count(`${door} ${status}`);
          }
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
  },
  60_000 + RUNS * 500,
);

it.skipIf(RUNS < 300)("which says something, because not everything was refused", () => {
  const happened = [
    "GET 200",
    "GET 200 paged",
    "GET 404",
    "POST 201",
    "PUT 200",
    "PUT 404",
    "PATCH 200",
    "DELETE 204",
    "DELETE 404",
    "_history 200",
    "_history 404",
    "$everything 200",
    "$everything 404",
    "$submit 200",
    "$submit 403",
  ];
  expect(happened.filter((key) => !tally.has(key))).toEqual([]);
  const requests = [...tally].filter(([key]) => /^[A-Z]/.test(key)).reduce((sum, [, times]) => sum + times, 0);
  expect(requests).toBeGreaterThan(2000);
});
