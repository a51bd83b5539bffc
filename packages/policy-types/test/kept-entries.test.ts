import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeAroundEntries } from "../src/express/kept-entries.ts";
import { parseLossless } from "../src/express/lossless.ts";
import type { Json } from "../src/express/transform.ts";

type JsonObject = Record<string, Json>;

/** The head anew, the entries as they were read. */
function withoutTotal(body: Json): JsonObject {
  const { total: _, entry, ...head } = body as JsonObject;
  return { ...head, link: [{ relation: "self", url: "https://fhir.example/Observation" }], ...(entry && { entry }) };
}

const ENTRIES = '[{"resource" : {"value":7.10,"text":"é\\u0041"}}, {"resource":{"value":1e2}}]';

describe("a Bundle whose head alone is changed", () => {
  it("is written around its entries as they came, spaces, escapes and decimals included", () => {
    const { body, rewrite } = parseLossless(`{"resourceType":"Bundle","total":2,"entry":${ENTRIES} }\n`);

    expect(rewrite(withoutTotal(body))).toBe(
      `{"resourceType":"Bundle","link":[{"relation":"self","url":"https://fhir.example/Observation"}],"entry":${ENTRIES} }`,
    );
  });

  it("may be nothing but its entries", () => {
    const { body, rewrite } = parseLossless(`{"total":2,"entry":${ENTRIES}}`);
    const { entry } = body as JsonObject;

    expect(rewrite({ entry } as JsonObject)).toBe(`{"entry":${ENTRIES}}`);
  });

  it.each([
    ["its entries are other ones", (body: JsonObject) => ({ ...body, entry: [...(body["entry"] as Json[])] })],
    ["an entry is missing", (body: JsonObject) => ({ ...body, entry: (body["entry"] as Json[]).slice(1) })],
    ["there is no entry left", (body: JsonObject) => ({ resourceType: body["resourceType"] as Json })],
    ["its entries are no longer last", ({ entry, ...head }: JsonObject) => ({ entry, ...head }) as JsonObject],
    ["it is a list", ({ entry }: JsonObject) => entry as Json],
    ["it is a text", () => "entry"],
  ])("is written whole where %s", (_, change) => {
    const text = `{"resourceType":"Bundle","total":2,"entry":${ENTRIES}}`;
    const { body, rewrite, stringify } = parseLossless(text);
    const changed = change(body as JsonObject);

    expect(writeAroundEntries(changed, body, text)).toBeUndefined();
    expect(rewrite(changed)).toBe(stringify(changed));
  });

  it.each([
    ["another member comes behind the entries", `{"entry":[1],"total":2}`],
    ["a member whose name is a number does", `{"total":2,"entry":[1],"7":[1]}`],
    ["a space stands behind the name", `{"total":2,"entry" :[1]}`],
    ["the first name of this kind is one of something within", `{"link":[{"entry":[2]}],"total":2,"entry":[1]}`],
    ["it is that of a name with a quote in it", `{"a\\"entry":[2],"total":2,"entry":[1]}`],
    ["it is that of such a name, which comes last", `{"entry":[1],"total":2,"a\\"entry":[2]}`],
    ["the head is longer than any", `{"link":"${"x".repeat(40_000)}","total":2,"entry":[1]}`],
    ["the entries are no list", `{"total":2,"entry":{"a":[1]}}`],
  ])("is written whole where %s", (_, text) => {
    const { body, rewrite, stringify } = parseLossless(text);
    const { entry, total: __, ...head } = body as JsonObject;
    const changed = { ...head, entry } as JsonObject;

    expect(writeAroundEntries(changed, body, text)).toBeUndefined();
    expect(rewrite(changed)).toBe(stringify(changed));
  });

  it.each([
    ["the entries themselves", `{"total":2,"entry":[{"id":"hidden"}],"entry":[{"id":"judged"}]}`],
    ["something in them", `{"total":2,"entry":[{"id":"hidden","id":"judged"}]}`],
    ["something in them, in other spelling", `{"total":2,"entry":[{"i\\u0064":"hidden","id":"judged"}]}`],
  ])("S12: says only what was judged where the text names %s twice", (_, text) => {
    const { body, rewrite } = parseLossless(text);
    const { entry } = body as JsonObject;

    expect(rewrite({ entry } as JsonObject)).toBe('{"entry":[{"id":"judged"}]}');
  });

  it("is read by others as what was judged, however the text is made", () => {
    const space = fc.constantFrom("", "", " ", "\n ");
    const name = fc.constantFrom("entry", "total", "link", "7", '"entry', 'entry"', "entry\\", "__proto__", "é");
    const leaf = fc.constantFrom("1", "1.50", '"entry"', '":"', '"\\"entry\\":[3]"', "null", "{}", "[]", '"}"', '"]}"');
    const { object } = fc.letrec<{ object: string; value: string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, depthIdentifier: "value" },
        leaf,
        fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
        tie("object"),
      ),
      object: fc
        .array(fc.tuple(space, name, space, tie("value")), { maxLength: 4 })
        .map((members) => members.map(([a, own, b, value]) => `${a}${JSON.stringify(own)}${b}:${value}`))
        .map((members) => `{${members.join(",")}}`),
    }));
    let around = 0;
    fc.assert(
      fc.property(object, (text) => {
        const { body, rewrite } = parseLossless(text);
        const { entry, total: _, ...head } = body as JsonObject;
        const changed = (entry === undefined ? head : { ...head, entry }) as JsonObject;
        if (writeAroundEntries(changed, body, text) !== undefined) around++;

        expect(JSON.parse(rewrite(changed))).toEqual(JSON.parse(JSON.stringify(changed)));
      }),
      { numRuns: 5000 },
    );
    expect(around).toBeGreaterThan(20);
  });
});
