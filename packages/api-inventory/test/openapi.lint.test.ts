import { createConfig, lintFromString } from "@redocly/openapi-core";
import { expect, it } from "vitest";
import { openApiDocument } from "../src/index.ts";
import { FHIR, ROUTE } from "./support/records.ts";

const GOING = {
  ...FHIR,
  id: "going",
  path: "/old",
  deprecated: "2026-01-01",
  retired: "2027-01-01",
  successor: "/fhir",
};
const WHOLE = { ...FHIR, id: "whole", path: "/r4", operations: ["everything", "export", "submit"] };
const OPTIONS = {
  entries: [FHIR, ROUTE, GOING, WHOLE],
  title: "Records",
  version: "1.0",
  origin: "https://fhir.hospital.test",
  now: new Date("2026-06-01"),
};

/** Redocly's recommended rules. The licence is the operator's; parts all documents share may be unused in one. */
async function lint(document: object): Promise<readonly string[]> {
  const config = await createConfig({
    extends: ["recommended"],
    rules: { "info-license": "off", "no-unused-components": "off" },
  });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  return [...new Set(problems.map(({ severity, ruleId, message }) => `${severity} ${ruleId}: ${message}`))];
}

it("the linter is awake: what no operation declares, and a path parameter nobody names, are found", async () => {
  const document = openApiDocument(OPTIONS);
  const get = { operationId: "x", summary: "x", responses: {}, security: [{ nothing: [] }] };
  const found = await lint({ ...document, paths: { "/{id}": { get } } });
  expect(found.some((text) => text.startsWith("error security-defined"))).toBe(true);
  expect(found.some((text) => text.startsWith("error path-parameters-defined"))).toBe(true);
});

it("OpenAPI 3.1: the document passes a linter's recommended rules, with and without oauth", async () => {
  expect(await lint(openApiDocument(OPTIONS))).toEqual([]);
  const oauth = {
    tokenEndpoint: "https://id.hospital.test/token",
    authorizationEndpoint: "https://id.hospital.test/auth",
  };
  expect(await lint(openApiDocument({ ...OPTIONS, oauth, description: "Who may ask for what." }))).toEqual([]);
});
