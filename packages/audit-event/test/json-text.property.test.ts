import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GrowingBytes } from "../src/growing-bytes.ts";
import { renderAuditEvents } from "../src/index.ts";
import { constant, jsonText, writeJson } from "../src/json-text.ts";
import { READ, SOURCE } from "./support/records.ts";

describe("the text of an event", () => {
  const same = (value: unknown): void => {
    expect(jsonText(value)).toBe(JSON.stringify(value));
  };

  it("is JSON.stringify's, for all JSON", () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), same), { numRuns: 1000 });
  });

  it("is JSON.stringify's, for everything else that has one", () => {
    const anything = fc.anything({ withDate: true, withMap: true, withNullPrototype: true, withTypedArray: true });
    fc.assert(fc.property(anything, same), { numRuns: 2000 });
  });

  it("escapes what has to be escaped, lone surrogates too", () => {
    const texts = fc.tuple(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
    fc.assert(
      fc.property(texts, ([type, text]) => {
        same({ type, valueString: text });
        same({ type, valueString: text, detail: [{ type: text, valueString: `${type}\uD800` }] });
      }),
    );
  });

  it("is JSON.stringify's for what has its own opinion, and for members that have no text", () => {
    const odd = {
      when: new Date(0),
      own: { toJSON: () => ({ a: 1 }), b: 2 },
      gone: { toJSON: () => undefined },
      none: undefined,
      work: () => 1,
      list: [undefined, () => 1, Symbol("s"), -0, Number.NaN],
      mixed: { type: 1, valueString: "a" },
      boxed: [Object("text"), Object(1)],
    };
    expect(jsonText(odd)).toBe(JSON.stringify(odd));
    expect(jsonText(() => 1)).toBeUndefined();
  });

  it("refuses what JSON.stringify refuses", () => {
    const endless: Record<string, unknown> = {};
    endless["again"] = { endless };
    expect(() => jsonText(endless)).toThrow(TypeError);
    expect(() => jsonText({ n: 1n })).toThrow(TypeError);
  });

  it("is put behind what is there, and leaves it as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.anything(), (before, value) => {
        const out = new GrowingBytes(0);
        out.addText(before);
        expect(writeJson(out, value)).toBe(JSON.stringify(value) !== undefined);
        expect(out.view(0).toString()).toBe(before + (JSON.stringify(value) ?? ""));
      }),
    );
  });

  it("is that of the parts that events share, which nobody can change", () => {
    const [event] = renderAuditEvents(READ, { source: Object.freeze({ ...SOURCE }) });
    expect(jsonText(event)).toBe(JSON.stringify(event));
    const part = constant({ a: { b: [1] } });
    expect(() => Object.assign(part.a, { b: [2] })).toThrow(TypeError);
    expect(() => part.a.b.push(2)).toThrow(TypeError);
  });

  it("is remembered of a part that is not ASCII, too", () => {
    const part = constant({ name: "Müller 患者 \ud800", list: [{ 'ö"': 1 }] });
    same({ first: part, again: [part, part.list] });
  });

  it.each([1, 2, 4, 40])("is the same where %d events share what is theirs in common", (count) => {
    const patients = Array.from({ length: count }, (_, n) => `p${n}`);
    const events = renderAuditEvents({ ...READ, patients, zone: "partner" }, { source: SOURCE });
    expect(events.length).toBe(2 * count);
    for (const event of events) same(event);
    const requestIds = events.map(({ entity }) => entity.at(-1)?.what?.identifier?.value);
    expect(new Set(requestIds)).toEqual(new Set([READ.requestId]));
    expect(new Set(events.map(({ id }) => id)).size).toBe(2 * count);
  });

  it("keeps the parts of one source from another", () => {
    const one = renderAuditEvents(READ, { source: Object.freeze({ observer: "a", address: "a.example.org" }) });
    const other = renderAuditEvents(READ, { source: Object.freeze({ observer: "b", site: "south" }) });
    expect(one[0]?.source).toMatchObject({ observer: { display: "a" } });
    expect(other[0]?.source).toMatchObject({ observer: { display: "b" }, site: "south" });
    expect(other[0]?.agent[1]?.network).toBeUndefined();
  });

  it("follows a source that its owner changes", () => {
    const source = { observer: "a" };
    renderAuditEvents(READ, { source });
    source.observer = "b";
    expect(renderAuditEvents(READ, { source })[0]?.source.observer.display).toBe("b");
  });

  it("writes times as Date does", () => {
    const years1To9999 = { min: -62_135_596_800_000, max: 253_402_300_794_999 };
    fc.assert(
      fc.property(fc.integer(years1To9999), fc.double({ min: 0, max: 5000, noNaN: true }), (receivedAt, latencyMs) => {
        const [event] = renderAuditEvents({ ...READ, receivedAt, latencyMs }, { source: SOURCE });
        expect(event?.period?.start).toBe(new Date(receivedAt).toISOString());
        expect(event?.recorded).toBe(new Date(receivedAt + latencyMs).toISOString());
      }),
    );
  });
});
