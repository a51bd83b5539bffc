import { findings } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideBody, decideOperation, decideParameters } from "../../src/openapi/decide.ts";
import { type ApiPath, compileOperations, type Operation } from "../../src/openapi/operations.ts";
import { linearPattern } from "../../src/openapi/patterns.ts";
import { requestTexts } from "../../src/openapi/texts.ts";
import { CLAIMS } from "./support/claims.ts";

function compile(document: object): readonly ApiPath[] {
  const found = findings();
  const paths = compileOperations(document, found);
  expect(found.issues).toEqual([]);
  return paths;
}

function operationOf(operation: object, more: object = {}): Operation {
  const [path] = compile({ openapi: "3.1.0", paths: { "/x": { post: operation } }, ...more });
  const only = path?.operations.get("POST");
  if (only === undefined) throw new Error("no operation");
  return only;
}

function judgeBody(schema: unknown, json: unknown, more: object = {}): string {
  const { body } = operationOf({ requestBody: { content: { "application/json": { schema } } } }, more);
  if (body === undefined) throw new Error("no body");
  const decision = decideBody(body, { mediaType: "application/json", json, isJson: true });
  return decision.kind === "permit" ? "permit" : decision.because.join();
}

const OLD = { openapi: "3.0.3" };

describe("schemas of bodies", () => {
  it.each<readonly [what: string, schema: unknown, json: unknown, expected: string, more?: object]>([
    ["3.0 nullable", { type: "string", nullable: true }, null, "permit", OLD],
    ["3.0 not nullable", { type: "string" }, null, "structure type", OLD],
    [
      "3.0 nullable without a type",
      { nullable: true, allOf: [{ type: "string" }] },
      null,
      "structure allOf/0/type",
      OLD,
    ],
    [
      "3.0 what stands beside a reference is ignored",
      { $ref: "#/components/x", maxLength: 1 },
      "ab",
      "permit",
      { ...OLD, components: { x: { type: "string" } } },
    ],
    [
      "3.1 what stands beside a reference holds",
      { $ref: "#/components/x", maxLength: 1 },
      "ab",
      "structure maxLength",
      { components: { x: { type: "string" } } },
    ],
    [
      "3.0 a limit that is excluded",
      { type: "number", maximum: 3, exclusiveMaximum: true },
      3,
      "structure exclusiveMaximum",
      OLD,
    ],
    ["3.1 a limit that is excluded", { exclusiveMaximum: 3 }, 3, "structure exclusiveMaximum"],
    ["3.1 a list of types", { type: ["string", "null"] }, null, "permit"],
    ["3.1 const", { const: 1 }, 2, "structure const"],
    [
      "3.1 unevaluatedProperties",
      { allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
      { b: 1 },
      "structure unevaluatedProperties",
    ],
    [
      "3.1 $defs by reference",
      { $ref: "#/components/x/$defs/y" },
      1,
      "structure",
      { components: { x: { $defs: { y: { type: "string" } } } } },
    ],
    ["a schema of a boolean", false, 1, "structure false schema"],
    ["an inherited name is not there", { required: ["constructor"] }, {}, "structure required"],
    ["a format", { format: "date" }, "2026-13-01", "structure format"],
    ["base64", { format: "byte" }, "AAA=", "permit"],
    ["base64 of which one line is", { format: "byte" }, "!\nAAAA", "structure format"],
    ["an annotation and an extension", { title: "t", "x-own": 1, example: 2 }, "x", "permit"],
    [
      "equal items in another order of names",
      { uniqueItems: true },
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      "structure uniqueItems",
    ],
    ["items that only look equal", { uniqueItems: true }, [1, "1", [1], { a: 1 }, { a: "1" }, null, "null"], "permit"],
  ])("%s", (_what, schema, json, expected, more) => {
    const verdict = judgeBody(schema, json, more as object | undefined);
    if (expected === "structure") expect(verdict).toMatch(/^structure /);
    else expect(verdict).toBe(expected);
  });

  it("judge a long list of unique items in time that grows with it (S10)", () => {
    const items = Array.from({ length: 50_000 }, (_, index) => ({ code: `c${index}`, system: "s" }));
    const before = performance.now();
    expect(judgeBody({ uniqueItems: true }, items)).toBe("permit");
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it("judge patterns that would hang a backtracking engine (S10)", () => {
    const before = performance.now();
    expect(judgeBody({ pattern: "^(a+)+$" }, `${"a".repeat(50_000)}!`)).toBe("structure pattern");
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it.each(["date-time", "duration", "uri", "uri-reference", "email", "hostname", "ipv6", "uuid", "byte", "time"])(
    "judge the format %s in time that grows with the text (S10)",
    (format) => {
      const before = performance.now();
      for (const part of ["a", "1", "a.", "a-", "1:", "%41", "P1D", "/", "AAAA", "a@"]) {
        judgeBody({ format }, `${part.repeat(20_000)}!`);
      }
      expect(performance.now() - before).toBeLessThan(5000);
    },
  );

  it("find a fault in what they cannot finish", () => {
    const schema = { $ref: "#/components/x" };
    const x = { type: "object", properties: { a: { $ref: "#/components/x" } } };
    let deep: object = {};
    for (let depth = 0; depth < 100_000; depth++) deep = { a: deep };
    expect(judgeBody(schema, deep, { components: { x } })).toMatch(/^structure/);
  });

  it("agree with the language's own engine on simple patterns", () => {
    const patterns = ["^[a-c]{2,3}$", "b+c?", "^\\d+$", "a|^b$", "\\u0061.", "^[\\w-]*$"];
    fc.assert(
      fc.property(fc.constantFrom(...patterns), fc.stringMatching(/^[abc1\-_]{0,6}$/), (pattern, text) => {
        expect(linearPattern(pattern).test(text)).toBe(new RegExp(pattern, "u").test(text));
      }),
      { numRuns: 500 },
    );
  });
});

describe("parameters", () => {
  const simple = {
    type: "object",
    properties: { a: { type: "integer" }, b: { type: "string" } },
    additionalProperties: false,
  };
  const INTEGERS = { type: "array", items: { type: "integer" } };

  it.each<readonly [what: string, parameter: object, cookie: string, expected: string]>([
    ["a list, each in a cookie", { schema: INTEGERS }, "q=1; q=2", "permit"],
    ["a list in one cookie", { explode: false, schema: INTEGERS }, "q=1,2; other=3", "permit"],
    ["a list of another type", { schema: INTEGERS }, "q=1; q=x", "deny"],
    ["an object, each in a cookie", { schema: simple }, "a=1; b=x; other=3", "permit"],
    ["an object with a cookie twice", { schema: simple }, "a=1; a=2", "deny"],
    ["an object of another type", { schema: simple }, "a=x", "deny"],
  ])("in cookies: %s", (_what, given, cookie, expected) => {
    const operation = operationOf({ parameters: [{ in: "cookie", name: "q", ...given }] });
    expect(decideParameters(operation, requestTexts(new Map(), "", ["Cookie", cookie]), 20).kind).toBe(expected);
  });

  it.each<readonly [what: string, parameter: object, query: string, expected: string]>([
    ["a boolean", { schema: { type: "boolean" } }, "q=true", "permit"],
    ["a boolean in other letters", { schema: { type: "boolean" } }, "q=True", "deny"],
    ["null where it may be", { schema: { type: ["integer", "null"] } }, "q=null", "permit"],
    ["a number of either type", { schema: { anyOf: [{ type: "integer" }, { enum: ["all"] }] } }, "q=all", "permit"],
    ["a number of the other type", { schema: { anyOf: [{ type: "integer" }, { enum: ["all"] }] } }, "q=3", "permit"],
    ["a text of digits", { schema: { type: "string", maxLength: 3 } }, "q=0012", "deny"],
    ["a number beyond all numbers", { schema: { type: "integer" } }, `q=${"9".repeat(400)}`, "deny"],
    ["a plus for a space", { schema: { enum: ["a b"] } }, "q=a+b", "permit"],
    [
      "a list of lists of commas",
      { explode: false, schema: { type: "array", items: { type: "integer" } } },
      "q=1,2,3",
      "permit",
    ],
    [
      "a list with an empty item",
      { explode: false, schema: { type: "array", items: { type: "integer" } } },
      "q=1,,3",
      "deny",
    ],
    [
      "a list written twice",
      { explode: false, schema: { type: "array", items: { type: "integer" } } },
      "q=1&q=2",
      "deny",
    ],
    ["an object in one text", { explode: false, schema: simple }, "q=a,1,b,x", "permit"],
    ["an object in one text, with another name", { explode: false, schema: simple }, "q=a,1,c,x", "deny"],
    ["an object in one text, without a value", { explode: false, schema: simple }, "q=a", "deny"],
    ["an object in one text, with a name twice", { explode: false, schema: simple }, "q=a,1,a,2", "deny"],
    ["an object of its own parameters", { schema: simple }, "a=1&b=x", "permit"],
    ["a deep object", { style: "deepObject", schema: simple }, "q[a]=1&q%5Bb%5D=x", "permit"],
    ["a deep object with an unknown property", { style: "deepObject", schema: simple }, "q[a]=1&q[c]=x", "deny"],
    ["a deep object with a property twice", { style: "deepObject", schema: simple }, "q[a]=1&q[a]=2", "deny"],
    ["a deep object with a property of another type", { style: "deepObject", schema: simple }, "q[a]=x", "deny"],
    ["a deep object of a prototype", { style: "deepObject", schema: simple }, "q[__proto__]=1", "deny"],
    ["a deep object deeper than one step", { style: "deepObject", schema: simple }, "q[a][b]=1", "deny"],
    ["a deep object's bare name", { style: "deepObject", schema: simple }, "q=1", "deny"],
    ["a deep object that is required and absent", { style: "deepObject", required: true, schema: simple }, "", "deny"],
    ["a list with pipes", { style: "pipeDelimited", explode: false, schema: INTEGERS }, "q=1|2%7C3", "permit"],
    ["a list with pipes, with commas", { style: "pipeDelimited", explode: false, schema: INTEGERS }, "q=1,2", "deny"],
    [
      "a list with pipes, written twice",
      { style: "pipeDelimited", explode: false, schema: INTEGERS },
      "q=1&q=2",
      "deny",
    ],
    ["a list with spaces", { style: "spaceDelimited", explode: false, schema: INTEGERS }, "q=1%202+3", "permit"],
    [
      "a list with spaces, with an empty item",
      { style: "spaceDelimited", explode: false, schema: INTEGERS },
      "q=1++3",
      "deny",
    ],
    ["an object's own name", { schema: simple }, "q=1", "deny"],
    ["a prototype's name", { explode: false, schema: simple }, "q=__proto__,1", "deny"],
    ["a control character", { schema: {} }, "q=%0a", "deny"],
    ["text beyond ASCII", { schema: {} }, "q=\u00e9", "deny"],
    ["an equals sign in a value", { schema: { enum: ["a=b"] } }, "q=a=b", "permit"],
    ["a name without a value", { required: true, schema: { enum: ["x"] } }, "q", "deny"],
  ])("%s", (_what, given, query, expected) => {
    const operation = operationOf({ parameters: [{ in: "query", name: "q", ...given }] });
    expect(decideParameters(operation, requestTexts(new Map(), query, []), 20).kind).toBe(expected);
  });

  it("tells as many faults as it may", () => {
    const operation = operationOf({
      parameters: ["a", "b", "c"].map((name) => ({ in: "query", name, required: true, schema: {} })),
    });
    const decision = decideParameters(operation, requestTexts(new Map(), "", []), 2);
    expect(decision).toMatchObject({ kind: "deny", because: ["required a", "required b"] });
  });

  it("of an operation replace those of its path", () => {
    const limit = (maximum: number): object => ({ in: "query", name: "q", schema: { type: "integer", maximum } });
    const [path] = compile({
      openapi: "3.1.0",
      paths: { "/x": { parameters: [limit(1)], get: { parameters: [limit(9)] } } },
    });
    const get = path?.operations.get("GET") as Operation;
    expect(decideParameters(get, requestTexts(new Map(), "q=5", []), 20).kind).toBe("permit");
  });
});

const paths = compile(CLAIMS);

describe("paths", () => {
  it.each([
    ["/claims/summary", "GET /claims/summary"],
    ["/claims/c1", "GET /claims/{claim}"],
    ["/reports/r-1.json", "GET /reports/r-{number}.json"],
    ["/claims/c%201", "GET /claims/{claim}"],
    ["/reports/r-.json", "operation-unknown"],
    ["/reports/1.json", "operation-unknown"],
    ["/claims/c%001", "operation-parameters"],
    ["/claims/c%0a1", "operation-parameters"],
    ["/claims/%7f", "operation-parameters"],
    ["/claims/c\\1", "operation-parameters"],
    ["claims", "operation-parameters"],
    ["http://h.example/claims", "operation-parameters"],
    ["*", "operation-parameters"],
  ])("%s is %s", (path, expected) => {
    const decision = decideOperation(paths, { path, originalPath: path, method: "GET" });
    expect(decision.kind === "permit" ? decision.grant.operation.name : decision.problem.code.slice(12)).toBe(expected);
  });

  it("are judged as received, whatever a router has dropped of them", () => {
    const facts = { path: "/claims/c1", originalPath: "/api//claims/c1", method: "GET" };
    expect(decideOperation(paths, facts)).toMatchObject({ kind: "deny", problem: { status: 400 } });
  });

  it("with a literal that is spelled encoded are found as the backend would find them", () => {
    const [...list] = compile({
      openapi: "3.1.0",
      paths: {
        "/u/@me": { get: {} },
        "/u/{id}": { get: { parameters: [{ in: "path", name: "id", required: true, schema: {} }] } },
      },
    });
    const facts = { path: "/u/%40me", originalPath: "/u/%40me", method: "GET" };
    expect(decideOperation(list, facts)).toMatchObject({ kind: "permit", because: ["GET /u/@me"] });
  });
});

describe("whatever is sent", () => {
  it("a path that is not declared, or is spelled otherwise, never finds an operation", () => {
    const piece = fc.constantFrom(
      "claims",
      "Claims",
      "c1",
      "..",
      ".",
      "",
      "%2e",
      "%2F",
      "summary",
      "%63",
      "reports",
      "r-1.json",
      ";",
      "\\",
      "%00",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
        const path = `/${pieces.join("/")}`;
        const decision = decideOperation(paths, { path, originalPath: path, method: "GET" });
        const declared = /^\/(?:claims(?:\/(?:claims|Claims|c1|summary|reports|r-1\.json))?|reports\/r-1\.json)$/.test(
          path,
        );
        expect([path, decision.kind === "permit"]).toEqual([path, declared]);
      }),
      { numRuns: 500 },
    );
  });

  it("parameters are judged without a throw, and nothing of them is told (S15)", () => {
    const piece = fc.constantFrom(
      "limit",
      "status",
      "near",
      "from",
      "__proto__",
      "=",
      "&",
      "%",
      "s3cret",
      ",",
      "1",
      "%2c",
      "+",
      "[]",
    );
    const list = paths.find(({ template }) => template === "/claims")?.operations.get("GET") as Operation;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const decision = decideParameters(list, requestTexts(new Map(), pieces.join(""), ["X-Tenant", "t"]), 20);
        expect(JSON.stringify(decision)).not.toContain("s3cret");
      }),
      { numRuns: 500 },
    );
  });
});
