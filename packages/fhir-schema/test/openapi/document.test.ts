import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { openApiRoutes } from "../../src/express/open-api.ts";
import { CLAIMS } from "./support/claims.ts";

const api = (operation: object, more: object = {}): object => ({
  openapi: "3.1.0",
  paths: { "/x": { post: operation } },
  ...more,
});
const body = (schema: unknown, more: object = {}): object =>
  api({ requestBody: { content: { "application/json": { schema } } } }, more);
const parameter = (given: object): object => api({ parameters: [{ in: "query", name: "q", schema: {}, ...given }] });
const old = { openapi: "3.0.3" };

describe("openApiRoutes() refuses, when it is made,", () => {
  it.each<readonly [what: string, document: object, code: string]>([
    ["another version", { openapi: "2.0", paths: {} }, "openapi-version"],
    ["a later version", { openapi: "3.2.0", paths: {} }, "openapi-version"],
    ["no paths", { openapi: "3.1.0" }, "openapi-paths"],
    ["a path without a slash", { openapi: "3.1.0", paths: { x: {} } }, "path-template"],
    ["two parameters in a segment", { openapi: "3.1.0", paths: { "/{a}-{b}": {} } }, "path-template"],
    ["two templates of the same paths", { openapi: "3.1.0", paths: { "/a/{b}": {}, "/a/{c}": {} } }, "path-ambiguous"],
    ["a path parameter that is not declared", { openapi: "3.1.0", paths: { "/{a}": { get: {} } } }, "path-parameters"],
    ["a path parameter that is not in the path", parameter({ in: "path", required: true }), "path-parameters"],
    ["a remote reference", body({ $ref: "https://example.org/schema.json" }), "reference-not-local"],
    ["a reference to a file", body({ $ref: "common.yaml#/X" }), "reference-not-local"],
    ["a remote parameter", api({ parameters: [{ $ref: "https://example.org/p.json" }] }), "reference-not-local"],
    ["a reference to nowhere", body({ $ref: "#/components/schemas/X" }), "reference-unknown"],
    ["a reference to a prototype", body({ $ref: "#/constructor" }), "reference-unknown"],
    [
      "a reference in a circle",
      api(
        { requestBody: { $ref: "#/components/requestBodies/a" } },
        { components: { requestBodies: { a: { $ref: "#/components/requestBodies/a" } } } },
      ),
      "reference-circular",
    ],
    ["a keyword nobody judges", body({ maxLenght: 3 }), "keyword-unknown"],
    ["$data (S10)", body({ properties: { a: { maximum: { $data: "1/b" } } } }), "schema-invalid"],
    ["a dynamic reference", body({ $dynamicRef: "#x" }), "keyword-unknown"],
    ["an identifier of its own", body({ $id: "https://example.org/x" }), "keyword-unknown"],
    ["a keyword of 3.1 in 3.0", body({ const: 1 }, old), "keyword-unknown"],
    ["a keyword of 3.0 in 3.1", body({ type: "string", nullable: true }), "keyword-unknown"],
    ["an unknown format", body({ format: "phone" }), "format-unknown"],
    ["look-around (S10)", body({ pattern: "^(?=a)b" }), "pattern-not-linear"],
    ["a back-reference (S10)", body({ pattern: "(a)\\1" }), "pattern-not-linear"],
    ["look-around in a name (S10)", body({ patternProperties: { "(?!a)": {} } }), "pattern-not-linear"],
    ["a pattern that is none", body({ pattern: "(" }), "pattern-not-linear"],
    ["a type that is none", body({ type: "text" }), "schema-invalid"],
    ["a schema that is none", body("x"), "schema-invalid"],
    ["a parameter without a place", parameter({ in: "body" }), "parameter-structure"],
    ["a parameter by content", parameter({ schema: undefined, content: {} }), "parameter-content"],
    ["deepObject of a list", parameter({ style: "deepObject", schema: { type: "array" } }), "parameter-style"],
    ["deepObject in a header", parameter({ in: "header", style: "deepObject", schema: {} }), "parameter-style"],
    ["pipes of an object", parameter({ style: "pipeDelimited", schema: { type: "object" } }), "parameter-style"],
    [
      "pipes, exploded",
      parameter({ style: "pipeDelimited", explode: true, schema: { type: "array" } }),
      "parameter-style",
    ],
    ["matrix", parameter({ in: "path", required: true, style: "matrix", schema: {} }), "parameter-style"],
    ["a status that is none", api({ responses: { ok: {} } }), "response-status"],
    ["a media type that is none", api({ requestBody: { content: { json: {} } } }), "media-type"],
  ])("%s", (_what, document, code) => {
    expect(() => openApiRoutes(document)).toThrow(ConfigurationError);
    expect(() => openApiRoutes(document)).toThrow(
      expect.objectContaining({ issues: expect.arrayContaining([expect.objectContaining({ code })]) as unknown }),
    );
  });

  it.each<readonly [options: object, path: string, code: string]>([
    [{ response: "off" }, "response", "unknown-option"],
    [{ responses: "on", onReport: 1 }, "responses", "unknown-value"],
    [{ responses: "report" }, "onReport", "report-unheard"],
    [{ requestBodyBytes: 0 }, "requestBodyBytes", "out-of-range"],
    [{ maxIssues: 1.5 }, "maxIssues", "out-of-range"],
  ])("the options %j", (options, path, code) => {
    expect(() => openApiRoutes(CLAIMS, options)).toThrow(
      expect.objectContaining({ issues: expect.arrayContaining([expect.objectContaining({ path, code })]) as unknown }),
    );
  });

  it("everything at once, each at its place", () => {
    const document = body({ properties: { "a/b": { maxLenght: 1 }, c: { $ref: "x.json" } } });
    expect(() => openApiRoutes(document)).toThrow(
      expect.objectContaining({
        issues: [
          expect.objectContaining({
            path: "#/paths/~1x/post/requestBody/content/application~1json/schema/properties/a~1b/maxLenght",
          }),
          expect.objectContaining({ code: "reference-not-local" }),
        ],
      }),
    );
  });

  it("nothing of a document it can judge, and leaves the document as it was", () => {
    const before = structuredClone(CLAIMS);
    openApiRoutes(CLAIMS);
    expect(CLAIMS).toEqual(before);
  });
});
