import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { type PhiRedactOptions, phiRedact } from "../src/index.ts";

const ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";
const DRINKING = {
  resourceType: "Condition",
  id: "su",
  subject: { reference: "Patient/a" },
  code: { coding: [{ system: "http://hl7.org/fhir/sid/icd-10-cm", code: "F10.20" }] },
};
const ASTHMA = {
  ...DRINKING,
  id: "as",
  code: { coding: [{ system: "http://hl7.org/fhir/sid/icd-10-cm", code: "J45.909" }] },
};
const bundle = (...resources: object[]): object => ({
  resourceType: "Bundle",
  type: "searchset",
  entry: resources.map((resource) => ({ resource })),
});

const labelsOf = (resource: unknown): readonly string[] =>
  ((resource as { meta?: { security?: { system: string; code: string }[] } }).meta?.security ?? []).map(
    ({ system, code }) => `${system}|${code}`,
  );

describe.each(EXPRESS)("42 CFR 2.32: what leaves by consent, %s", (_name, express) => {
  async function answer(body: object | string, options: Partial<PhiRedactOptions> = {}) {
    const app = express();
    app.use(
      phiRedact({ profile: "42cfr-part2", consent: () => ({ permits: (patient) => patient === "a" }), ...options }),
    );
    app.use((_req, res) => {
      const type = typeof body === "string" ? "application/fhir+ndjson" : "application/fhir+json";
      res.setHeader("Content-Type", type);
      res.end(typeof body === "string" ? body : JSON.stringify(body));
    });
    return ask(`${await listen(app)}/Condition/su`);
  }

  it("carries the notice as a header, and labels that forbid to pass it on", async () => {
    const { status, headers, text } = await answer(DRINKING);
    expect([status, headers["x-part2-notice"]]).toEqual([200, NOTICE]);
    expect(labelsOf(JSON.parse(text))).toEqual([`${ACT_CODE}|42CFRPart2`, `${ACT_CODE}|NORDSCLCD`]);
    expect(text).toContain("F10.20");
  });

  it("in a Bundle only the records of the programme are labelled", async () => {
    const { headers, text } = await answer(bundle(ASTHMA, DRINKING));
    const { entry } = JSON.parse(text) as { entry: { resource: object }[] };
    expect(headers["x-part2-notice"]).toBe(NOTICE);
    expect(entry.map(({ resource }) => labelsOf(resource).length)).toEqual([0, 2]);
  });

  it("labels that are there are not said twice, and others stay", async () => {
    const security = [
      { system: ACT_CODE, code: "NORDSCLCD" },
      { system: ACT_CODE, code: "SUD" },
    ];
    const { text } = await answer({ ...DRINKING, meta: { versionId: "1", security } });
    expect(labelsOf(JSON.parse(text))).toEqual([`${ACT_CODE}|NORDSCLCD`, `${ACT_CODE}|SUD`, `${ACT_CODE}|42CFRPart2`]);
    const again = await answer(JSON.parse(text) as object);
    expect(JSON.parse(again.text)).toEqual(JSON.parse(text));
  });

  it("the lines of an export carry it before anybody knows what is in them", async () => {
    const { headers, text } = await answer(`${JSON.stringify(ASTHMA)}\n${JSON.stringify(DRINKING)}\n`);
    const lines = text.trim().split("\n");
    expect(headers["x-part2-notice"]).toBe(NOTICE);
    expect(lines.map((line) => labelsOf(JSON.parse(line)).length)).toEqual([0, 2]);
  });

  it.each<[string, object, Partial<PhiRedactOptions>]>([
    ["nothing of a programme is in it", ASTHMA, {}],
    [
      "nobody consented, so nothing of it leaves",
      bundle(ASTHMA, DRINKING),
      { consent: () => ({ permits: () => false }) },
    ],
    [
      "another profile lets it leave",
      DRINKING,
      { profile: "full", sensitive: [{ category: "substance-use", fate: "drop", unless: [{ consent: true }] }] },
    ],
  ])("no notice where %s", async (_what, body, options) => {
    const { status, headers, text } = await answer(body, options);
    expect([status, headers["x-part2-notice"], text.includes("NORDSCLCD")]).toEqual([200, undefined, false]);
  });
});
