import { findings, type PolicyDocument } from "@wardline/policy-types";
import { expect, it } from "vitest";
import { checkApiDocuments } from "../src/policy/api-documents-rules.ts";

it("F11: documents of zones that have no routes are refused, with what to write instead", () => {
  const found = findings();
  const routes = [{ id: "apps", path: "/fhir", zone: "patient" }];
  const apiDocuments = { title: "FHIR", version: "1", zones: ["partner"] };
  checkApiDocuments({ routes, apiDocuments } as unknown as PolicyDocument, found);
  expect(() => found.throwIfAny("policy")).toThrow(
    "apiDocuments.zones: no route lies in partner: name a zone that has routes",
  );
});
