import type { Interaction } from "@wardline/policy-types";
import { contextOf, type Json } from "@wardline/policy-types/express";
import { EXPRESS, listen } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { phiRedact } from "../src/index.ts";
import { isManifest } from "../src/manifest.ts";

const EXPORT = { code: "operation", operation: { name: "export", level: "system" } } as Interaction;
const EVERYTHING = { code: "operation", operation: { name: "everything", level: "instance" } } as Interaction;
const FILE = { type: "Patient", url: "https://fhir.example.org/fhir/_export/j/0", count: 3 };
const MANIFEST = {
  transactionTime: "2026-01-02T03:04:05Z",
  request: "https://fhir.example.org/fhir/$export?_type=Patient",
  requiresAccessToken: true,
  output: [FILE],
  error: [],
  deleted: [{ type: "Bundle", url: "https://fhir.example.org/fhir/_export/j/1" }],
};

describe("the manifest of an export", () => {
  it("is one, with or without files", () => {
    expect(isManifest(MANIFEST, EXPORT)).toBe(true);
    expect(isManifest({ output: [] }, EXPORT)).toBe(true);
  });

  it.each<[string, Json, Interaction | undefined]>([
    ["an answer to another operation", MANIFEST, EVERYTHING],
    ["an answer to nothing known", MANIFEST, undefined],
    ["a resource", { ...MANIFEST, resourceType: "Patient" }, EXPORT],
    ["one with more to say", { ...MANIFEST, extension: { name: "Chalmers" } }, EXPORT],
    ["one without output", { transactionTime: MANIFEST.transactionTime }, EXPORT],
    ["one of another time", { ...MANIFEST, transactionTime: "Chalmers" }, EXPORT],
    ["one whose request is a text", { ...MANIFEST, request: "asked by Chalmers" }, EXPORT],
    ["one whose flag is a text", { ...MANIFEST, requiresAccessToken: "Chalmers" }, EXPORT],
    ["one whose list is none", { ...MANIFEST, output: FILE }, EXPORT],
    ["a file with more to say", { ...MANIFEST, output: [{ ...FILE, name: "Chalmers" }] }, EXPORT],
    ["a file of no type", { ...MANIFEST, output: [{ ...FILE, type: "Chalmers" }] }, EXPORT],
    ["a file without an address", { ...MANIFEST, error: [{ type: "OperationOutcome" }] }, EXPORT],
    ["a file counted in words", { ...MANIFEST, output: [{ ...FILE, count: "Chalmers" }] }, EXPORT],
    ["a resource in place of a file", { ...MANIFEST, output: [{ resourceType: "Patient", id: "1" }] }, EXPORT],
    ["no object", [MANIFEST], EXPORT],
    ["nothing", null, EXPORT],
  ])("S12: is not %s", (_what, body, interaction) => {
    expect(isManifest(body, interaction)).toBe(false);
  });

  it.each(EXPRESS)(
    "%s: leaves as it is under the narrowest profile, and what only looks like one does not",
    async (_name, express) => {
      const app = express();
      app.use((req, _res, next) => {
        contextOf(req).interaction = { ...EXPORT, path: "/$export", touches: [], entries: [] };
        next();
      });
      app.use(phiRedact({ profile: "minimum-necessary" }));
      app.get("/manifest", (_req, res) => void res.json(MANIFEST));
      app.get("/more", (_req, res) => void res.json({ ...MANIFEST, name: "Chalmers" }));
      const origin = await listen(app);
      expect(await (await fetch(`${origin}/manifest`)).json()).toEqual(MANIFEST);
      const refused = await fetch(`${origin}/more`);
      expect(refused.status).toBe(502);
      expect(await refused.text()).toContain("phi-redact/answer-unjudgeable");
    },
  );
});
