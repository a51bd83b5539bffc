import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findJsonFault, findJsonValueFault, type JsonLimits, lookThroughJson } from "../src/json-faults.ts";
import { cpuMilliseconds } from "./support/cpu.ts";

const LIMITS: JsonLimits = { maxDepth: 100, maxArrayLength: 100 };
const fault = (text: string, limits: JsonLimits = LIMITS) => findJsonFault(Buffer.from(text), limits);

describe("what reading JSON would hide or change (S9)", () => {
  it.each([
    "{}",
    "[]",
    '""',
    "0",
    "-0",
    "[0.0,-0.00e10,1.5e-3,100000000000000000000,2.00,0e999]",
    '{"constructors":1,"proto":2,"value":{"toStringValue":3}}',
    '["constructor","__proto__"]',
    '"\\ud83d\\ude00 \\\\ud800 \\n"',
    '{"a":"\\"constructor\\":"}',
  ])("%s passes", (text) => expect(fault(text)).toBe(undefined));

  it.each([
    ["number-form", "1e999"],
    ["number-form", "[-1E400]"],
    ["number-form", '{"a":1e-400}'],
    ["number-form", "0.0000001e-400"],
    ["number-form", "[01]"],
    ["number-form", "-01"],
    ["number-form", "[1.2.3]"],
    ["number-form", "1."],
    ["number-form", "1e"],
    ["number-form", `[${"1".repeat(65)}]`],
    ["lone-surrogate", '"\\ud800"'],
    ["lone-surrogate", '"\\uDC00"'],
    ["lone-surrogate", '"\\ud800\\ud800\\udc00"'],
    ["lone-surrogate", '"\\ud800x\\udc00"'],
    ["lone-surrogate", '{"\\ud800":1}'],
    ["lone-surrogate", '"\\\\\\ud800"'],
    ["forbidden-name", '{"constructor":1}'],
    ["forbidden-name", '{"a":[{"prototype":1}]}'],
    ["forbidden-name", '{"__proto__":1}'],
    ["forbidden-name", '{"\\u0063onstructor":1}'],
    ["forbidden-name", '{"a":1,"hasOwnProperty":1}'],
    ["forbidden-name", '{"toString":1}'],
    ["too-deep", "[".repeat(101)],
    ["too-deep", '{"a":'.repeat(101)],
    ["array-too-long", `[${"0,".repeat(100)}0]`],
    ["array-too-long", `{"a":[[${"{},".repeat(100)}{}]]}`],
  ])("%s: %s", (name, text) => expect(fault(text)).toBe(name));

  it("every name of JavaScript's own objects is one no element has, plain or with an escape; one like it passes", () => {
    for (const name of [...Object.getOwnPropertyNames(Object.prototype), "prototype"]) {
      expect(fault(`{"${name}":1}`), name).toBe("forbidden-name");
      expect(fault(`{"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}":1}`), name).toBe("forbidden-name");
      expect(fault(`{"${name.slice(0, -1)}-":1}`), name).toBe(undefined);
    }
  });

  it("a long object is no long list, and lists beside each other are not added up", () => {
    const members = Array.from({ length: 500 }, (_, n) => `"a${n}":[1,2]`).join(",");
    expect(fault(`{${members}}`)).toBe(undefined);
  });

  it("any JSON without those passes, and the read value is judged alike", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(
          !/"(?:__\w+__|constructor|prototype|toString|toLocaleString|valueOf|hasOwnProperty|isPrototypeOf|propertyIsEnumerable)"\s*:|\\ud/.test(
            text,
          ),
        );
        fc.pre(!/e-3\d\d/.test(text) || !text.includes("e-32"));
        expect(fault(text)).toBe(undefined);
        expect(findJsonValueFault(value, LIMITS)).toBe(undefined);
      }),
      { numRuns: 500 },
    );
  });

  it("any bytes are looked through in linear time without an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        findJsonFault(Buffer.from(bytes), LIMITS);
      }),
      { numRuns: 500 },
    );
    for (const piece of ["[", '"', "\\", "1", '"\\ud83d\\ude00', "\\u", '{"":', ",", "-"]) {
      const spent = cpuMilliseconds(() => {
        fault(piece.repeat(100_000), { maxDepth: 1e9, maxArrayLength: 1e9 });
        fault(`"${piece.repeat(100_000)}`, LIMITS);
      });
      expect(spent, piece).toBeLessThan(500);
    }
  });
});

describe("whole numbers in another form", () => {
  const isMet = (text: string): boolean => lookThroughJson(Buffer.from(text), LIMITS).wholeInOtherForm;

  it.each(["1.0", "[1.5,2.00]", '{"a":1e2}', '{"a":-3E+1}', "-0.0", "10e-1", '{"a":1.0,"b":1}'])("%s: met", (text) =>
    expect(isMet(text)).toBe(true),
  );

  it.each(["1", "-10", "1.5", "15e-1", "[0.25]", '"1.0"', '{"1.0":"\\"1e2"}', "{}"])("%s: none", (text) =>
    expect(isMet(text)).toBe(false),
  );

  it("they are met wherever reading turns a fraction or an exponent into a whole number", () => {
    const anyNumber = fc.stringMatching(/^-?(?:0|[1-9]\d{0,3})(?:\.\d{1,3})?(?:[eE][+-]?\d)?$/);
    const anyMember = fc.oneof(
      anyNumber,
      anyNumber,
      fc.string().map((text) => JSON.stringify(text)),
    );
    fc.assert(
      fc.property(fc.array(anyMember, { maxLength: 5 }), (members) => {
        const text = `{"a":[${members.join(", ")}]}`;
        const fraction = (one: string) => !one.startsWith('"') && /[.eE]/.test(one) && Number.isInteger(Number(one));
        fc.pre(fault(text) === undefined);
        expect(isMet(text)).toBe(members.some(fraction));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("what a parser has read", () => {
  const parse = (text: string): unknown => JSON.parse(text) as unknown;

  it.each([
    ["too-deep", `${"[".repeat(101)}${"]".repeat(101)}`],
    ["array-too-long", `[${"0,".repeat(100)}0]`],
    ["forbidden-name", '{"a":[{"__proto__":1}]}'],
    ["forbidden-name", '{"constructor":1}'],
  ])("%s", (name, text) => expect(findJsonValueFault(parse(text), LIMITS)).toBe(name));
});
