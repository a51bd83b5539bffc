import type { Json } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { decideLens, redactBody } from "../src/decide.ts";
import type { AccessFacts } from "../src/facts.ts";
import { createRedactor, SENSITIVE_CATEGORIES, type SensitiveRule } from "../src/index.ts";
import { type PhiRedactOptions, parseOptions } from "../src/options.ts";
import { SPY_CIPHER, spied } from "./support/values.ts";

const LOINC = "http://loinc.org";
const ICD10 = "http://hl7.org/fhir/sid/icd-10-cm";
const ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const coded = (system: string | undefined, code: string): Json => ({
  coding: [{ ...(system === undefined ? {} : { system }), code }],
});
const condition = (code: Json, more: Record<string, Json> = {}): Record<string, Json> => ({
  resourceType: "Condition",
  id: "c1",
  subject: { reference: "Patient/1" },
  code,
  ...more,
});
const observation = (code: Json, more: Record<string, Json> = {}): Record<string, Json> => ({
  resourceType: "Observation",
  id: "o1",
  status: "final",
  code,
  ...more,
});
const drop = (category: string): SensitiveRule => ({ category, fate: "drop" });
const ALL = SENSITIVE_CATEGORIES.map(({ name }) => drop(name));
const under = (sensitive: readonly SensitiveRule[], facts: Partial<AccessFacts> = {}, options: PhiRedactOptions = {}) =>
  createRedactor({ profile: "full", sensitive, ...options }, facts).redact;

describe("what is sensitive, by label or by code (standards 5.2, 5.3)", () => {
  it.each<[string, Record<string, Json>]>([
    ["a sensitivity label", condition({}, { meta: { security: [{ system: ACT, code: "HIV" }] } })],
    ["a narrower label", condition({}, { meta: { security: [{ system: ACT, code: "OPIOIDUD" }] } })],
    ["a broader label", condition({}, { meta: { security: [{ system: ACT, code: "SPI" }] } })],
    ["42 CFR part 2", condition({}, { meta: { security: [{ system: ACT, code: "42CFRPart2" }] } })],
    ["restricted", condition({}, { meta: { security: [{ system: LEVEL, code: "R" }] } })],
    ["very restricted", condition({}, { meta: { security: [{ system: LEVEL, code: "V" }] } })],
    ["a level nobody knows", condition({}, { meta: { security: [{ system: LEVEL, code: "HIV" }] } })],
    [
      "an inline label",
      condition(
        {},
        {
          onsetString: "x",
          _onsetString: {
            extension: [
              {
                url: "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label",
                valueCoding: { system: ACT, code: "PSY" },
              },
            ],
          },
        },
      ),
    ],
    ["S11: a label without a system", condition({}, { meta: { security: [{ code: "ETH" }] } })],
    ["S11: a level without a system", condition({}, { meta: { security: [{ code: "R" }] } })],
    ["S11: a label with space around it", condition({}, { meta: { security: [{ system: ACT, code: "ETH " }] } })],
    [
      "S11: a level by its name in R3",
      condition({}, { meta: { security: [{ system: "http://hl7.org/fhir/v3/Confidentiality", code: "V" }] } }),
    ],
    [
      "S11: a label by its OID",
      condition({}, { meta: { security: [{ system: "urn:oid:2.16.840.1.113883.5.4", code: "HIV" }] } }),
    ],
    [
      "S11: a document's label without a system",
      { resourceType: "DocumentReference", id: "d", status: "current", securityLabel: [coded(undefined, "R")] },
    ],
    [
      "S11: a Composition's confidentiality",
      { resourceType: "Composition", id: "c", status: "final", confidentiality: "R", title: "x" },
    ],
    ["an ICD-10 code", condition(coded(ICD10, "B20"))],
    ["an ICD-10 code with a dot, in lower case", condition(coded(ICD10, "f11.20"))],
    ["a code without a system", condition(coded(undefined, "F11.20"))],
    ["a LOINC code", observation(coded(LOINC, "75622-1"))],
    ["a code in a component", observation(coded(LOINC, "1-1"), { component: [{ code: coded(LOINC, "69737-5") }] })],
    [
      "a code in what is contained",
      {
        resourceType: "MedicationRequest",
        id: "m",
        contained: [{ resourceType: "Medication", code: coded("http://www.nlm.nih.gov/research/umls/rxnorm", "6813") }],
      },
    ],
    ["a genetic report", observation(coded(LOINC, "51969-4"))],
    ["a SNOMED code", condition(coded("http://snomed.info/sct", "57797005"))],
  ])("%s", (_name, resource) => expect(under(ALL)(resource)).toBeUndefined());

  it.each<[string, Record<string, Json>]>([
    ["diabetes", condition(coded(ICD10, "E11.9"))],
    ["a Composition that is not restricted", { resourceType: "Composition", id: "c", confidentiality: "N" }],
    ["normal", condition({}, { meta: { security: [{ system: LEVEL, code: "N" }] } })],
    ["moderate, which is below normal", condition({}, { meta: { security: [{ system: LEVEL, code: "M" }] } })],
    ["another system's code of the same letters", condition(coded("http://other.example", "F11.20"))],
  ])("not: %s", (_name, resource) => expect(under(ALL)(resource)).toBe(resource));

  describe("S11: a Bundle's own labels", () => {
    const labelled = { security: [{ system: LEVEL, code: "R" }] };
    const bundle = (type: string | undefined, more: Record<string, Json> = {}): Record<string, Json> => ({
      resourceType: "Bundle",
      ...(type === undefined ? {} : { type }),
      entry: [
        {
          resource: {
            resourceType: "Composition",
            id: "c",
            status: "final",
            title: "x",
            subject: { reference: "Patient/1" },
          },
        },
        { resource: condition(coded(ICD10, "E11.9")) },
      ],
      ...more,
    });
    const restricted = [drop("restricted")];

    it.each(["document", "message", "collection", "batch", undefined])("of type %s withhold it whole", (type) => {
      expect(under(restricted)(bundle(type, { meta: labelled }))).toBeUndefined();
      expect(under(restricted)(bundle(type))).toEqual(bundle(type));
      const stored = {
        resourceType: "Bundle",
        type: "searchset",
        entry: [{ resource: bundle(type, { meta: labelled }) }],
      };
      expect(under(restricted)(stored)).toEqual({ resourceType: "Bundle", type: "searchset" });
      expect(under([{ category: "restricted", fate: "redact" }])(bundle(type, { meta: labelled }))).toBeUndefined();
    });

    it.each(["searchset", "history", "batch-response", "transaction-response"])(
      "of type %s are the highest of what it holds, which has its own",
      (type) => expect(under(restricted)(bundle(type, { meta: labelled }))).toEqual(bundle(type, { meta: labelled })),
    );

    it("are also a document's confidentiality, and nobody else's", () => {
      const [first, ...others] = bundle("document")["entry"] as { resource: Record<string, Json> }[];
      const secret = { resource: { ...first?.resource, confidentiality: "R" } };
      expect(under(restricted)(bundle("document", { entry: [secret, ...others] }))).toBeUndefined();
      const kept = under(restricted)(bundle("collection", { entry: [secret, ...others] })) as Record<string, Json>;
      expect(kept["entry"]).toEqual(others);
    });

    it("are lifted by the consent of everybody in it", () => {
      const rule: SensitiveRule = { category: "restricted", fate: "drop", unless: [{ consent: true }] };
      const options = parseOptions({ profile: "full", sensitive: [rule] });
      const lens = decideLens(
        { zone: undefined, apiType: undefined, clientId: undefined, organisation: undefined, roles: [], purposes: [] },
        options,
      );
      if (lens.kind === "deny") throw new Error("a profile fits");
      const consenting = (who: readonly string[]) => ({ permits: (patient: string) => who.includes(patient) });
      const told = (who: readonly string[], given: Json) => redactBody(given, lens.grant, consenting(who), options);
      const document = bundle("document", { meta: labelled });
      expect(told(["1"], document)).toEqual(document);
      expect(told(["2"], document)).toBeUndefined();
      expect(told(["1"], { ...document, entry: [] })).toBeUndefined();
      const others = [
        ...(document["entry"] as Json[]),
        { resource: condition({}, { subject: { reference: "Patient/2" } }) },
      ];
      expect(told(["1"], { ...document, entry: others })).toBeUndefined();
    });
  });

  it("S11: what only points to what is withheld keeps no narrative, which may tell of it", () => {
    const narrative = (words: string) => ({
      status: "generated",
      div: `<div xmlns="http://www.w3.org/1999/xhtml">${words}</div>`,
    });
    const withheld = condition(coded(ICD10, "B20"), { id: "hidden" });
    const other = condition(coded(ICD10, "E11.9"), { id: "shown", text: narrative("Diabetes") });
    const composition = (...ids: string[]): Record<string, Json> => ({
      resourceType: "Composition",
      id: "c",
      status: "final",
      title: "Summary",
      text: narrative("HIV, Diabetes"),
      section: [
        {
          title: "Problems",
          code: { text: "problems" },
          text: narrative("HIV"),
          entry: ids.map((id) => ({ reference: `Condition/${id}` })),
        },
      ],
    });
    const bundle = (...resources: Record<string, Json>[]): Record<string, Json> => ({
      resourceType: "Bundle",
      type: "document",
      entry: resources.map((resource) => ({ resource })),
    });
    for (const rule of [drop("hiv"), { category: "hiv", fate: "redact" } as const]) {
      const text = JSON.stringify(under([rule])(bundle(composition("shown", "hidden"), withheld, other)));
      expect(text).not.toContain("HIV");
      expect(text).toContain("Problems");
      expect(text).toContain("Diabetes</div>");
    }
    // It names nothing that is withheld.
    const kept = under([drop("hiv")])(bundle(composition("shown"), withheld, other));
    expect(kept).toEqual(bundle(composition("shown"), other));
  });

  it("lists can be replaced", () => {
    const categories = [{ name: "own", labels: [], codes: [{ system: ICD10, codes: ["E11.9"] }] }];
    expect(under([drop("own")], {}, { categories })(condition(coded(ICD10, "E11.9")))).toBeUndefined();
    expect(under([drop("own")], {}, { categories })(condition(coded(ICD10, "B20")))).toBeDefined();
  });
});

describe("unless role, purpose and consent allow (A5)", () => {
  const hiv = condition(coded(ICD10, "B20"));
  const rule: SensitiveRule = {
    category: "hiv",
    fate: "drop",
    unless: [{ roles: ["physician"], purposes: ["TREAT"] }],
  };

  it.each<[string, Partial<AccessFacts>, boolean]>([
    ["role and purpose", { roles: ["physician"], purposes: ["TREAT"] }, true],
    ["a narrower purpose", { roles: ["physician"], purposes: ["BTG"] }, true],
    ["the role alone", { roles: ["physician"] }, false],
    ["the purpose alone", { purposes: ["TREAT"] }, false],
    ["a broader purpose", { roles: ["physician"], purposes: ["HOPERAT"] }, false],
    ["nothing", {}, false],
  ])("%s", (_name, facts, may) => expect(under([rule], facts)(hiv) !== undefined).toBe(may));

  it("a condition without parts is met by nobody", () => {
    expect(under([{ ...rule, unless: [{}] }], { roles: ["physician"] })(hiv)).toBeUndefined();
  });

  function withConsent(permits: (patient: string, category: string) => boolean, resource: Json): Json | undefined {
    const options = parseOptions({
      profile: "full",
      sensitive: [{ category: "hiv", fate: "drop", unless: [{ consent: true }] }],
    });
    const facts = {
      zone: undefined,
      apiType: undefined,
      clientId: undefined,
      organisation: undefined,
      roles: [],
      purposes: [],
    };
    const lens = decideLens(facts, options);
    if (lens.kind === "deny") throw new Error("no lens");
    return redactBody(resource, lens.grant, { permits }, options);
  }

  it("consent of the patient the resource is about", () => {
    expect(withConsent((patient, category) => patient === "1" && category === "hiv", hiv)).toBe(hiv);
    expect(withConsent((patient) => patient === "2", hiv)).toBeUndefined();
  });

  it("consent of nobody, or of one of two, is none", () => {
    const { subject: _subject, ...nobodys } = hiv;
    expect(withConsent(() => true, nobodys)).toBeUndefined();
    const two = { ...hiv, asserter: { reference: "Patient/2" } };
    expect(withConsent((patient) => patient === "1", two)).toBeUndefined();
    expect(withConsent(() => true, two)).toBe(two);
  });
});

describe("fates", () => {
  const hiv = condition(coded(ICD10, "B20"), {
    meta: { security: [{ system: ACT, code: "HIV" }] },
    note: [{ text: "since 1999" }],
  });

  it("redact leaves a shell that does not tell the category", () => {
    const after = under([{ category: "hiv", fate: "redact" }])(hiv);
    expect(JSON.stringify(after)).not.toMatch(/HIV|B20|1999|Patient\/1/);
    expect(after).toMatchObject({ resourceType: "Condition", id: "c1", meta: { tag: [{ code: "SUBSETTED" }] } });
  });

  it("encrypt seals every element", () => {
    const after = under([{ category: "hiv", fate: "encrypt" }], {}, { cipher: SPY_CIPHER })(hiv) as Record<
      string,
      Json
    >;
    expect(JSON.stringify(after)).not.toMatch(/HIV|B20|1999|Patient\/1/);
    expect(spied(after["code"])).toEqual([
      hiv["code"],
      { resourceType: "Condition", id: "c1", path: "Condition.code" },
    ]);
  });

  it("the strictest of several counts", () => {
    expect(under([{ category: "hiv", fate: "redact" }, drop("hiv")])(hiv)).toBeUndefined();
  });
});

describe("Bundles", () => {
  const searchset = (...resources: readonly Record<string, Json>[]): Json => ({
    resourceType: "Bundle",
    type: "searchset",
    total: resources.length,
    entry: resources.map((resource) => ({ fullUrl: `urn:x:${JSON.stringify(resource["id"]).slice(1, -1)}`, resource })),
  });
  const types = (bundle: Json | undefined): readonly unknown[] =>
    ((bundle as { entry?: { resource?: { id?: string } }[] }).entry ?? []).map(({ resource }) => resource?.id);
  const sensitive = observation(coded(LOINC, "75622-1"), { id: "hiv" });

  it("the total goes, whether or not something was withheld (A9)", () => {
    const plain = searchset(observation(coded(LOINC, "1-1")));
    expect(under(ALL)(plain)).not.toHaveProperty("total");
    expect(under(ALL)({ resourceType: "Bundle", type: "searchset", total: 3 })).not.toHaveProperty("total");
  });

  it.each<[string, Record<string, Json>]>([
    [
      "a report of a withheld result",
      {
        resourceType: "DiagnosticReport",
        id: "r",
        status: "final",
        code: {},
        result: [{ reference: "Observation/hiv" }],
      },
    ],
    [
      "by an absolute, versioned reference",
      {
        resourceType: "DiagnosticReport",
        id: "r",
        status: "final",
        code: {},
        result: [{ reference: "https://f.example/Observation/hiv/_history/3" }],
      },
    ],
    [
      "by full URL",
      { resourceType: "DiagnosticReport", id: "r", status: "final", code: {}, result: [{ reference: "urn:x:hiv" }] },
    ],
  ])("%s is withheld with it", (_name, report) => {
    expect(types(under(ALL)(searchset(observation(coded(LOINC, "1-1")), report, sensitive)))).toEqual(["o1"]);
  });

  it("whatever refers to that, too", () => {
    const chain = [
      { resourceType: "Task", id: "t", status: "draft", intent: "plan", focus: { reference: "DiagnosticReport/r" } },
      {
        resourceType: "DiagnosticReport",
        id: "r",
        status: "final",
        code: {},
        result: [{ reference: "Observation/hiv" }],
      },
      sensitive,
    ];
    expect(types(under(ALL)(searchset(...chain)))).toEqual([]);
  });

  it("an encounter only loses the reference", () => {
    const encounter = {
      resourceType: "Encounter",
      id: "e",
      status: "finished",
      class: { code: "AMB" },
      reasonReference: [{ reference: "Observation/hiv" }],
    };
    const after = under(ALL)(searchset(encounter, sensitive));
    expect(types(after)).toEqual(["e"]);
    expect(JSON.stringify(after)).not.toContain("Observation/hiv");
  });

  it("answers to a batch keep their places, and look as if there were nothing", () => {
    const bundle = {
      resourceType: "Bundle",
      type: "batch-response",
      entry: [{ resource: sensitive, response: { status: "200" } }, { response: { status: "204" } }],
    };
    expect(under(ALL)(bundle)).toMatchObject({
      entry: [{ response: { status: "404" } }, { response: { status: "204" } }],
    });
  });

  it("42cfr-part2 withholds substance use without being told", () => {
    const { redact } = createRedactor({ profile: "42cfr-part2" });
    expect(types(redact(searchset(condition(coded(ICD10, "F11.20")), observation(coded(LOINC, "1-1")))))).toEqual([
      "o1",
    ]);
  });

  it("a long chain is followed in time that grows with it", () => {
    const links = Array.from({ length: 5000 }, (_, index) => ({
      resourceType: "Task",
      id: `t${index}`,
      status: "draft",
      intent: "plan",
      focus: { reference: index === 0 ? "Observation/hiv" : `Task/t${index - 1}` },
    }));
    expect(types(under(ALL)(searchset(...links.reverse(), sensitive)))).toEqual([]);
  });
});

it("A9: a member called __proto__ brings no total back, and no resource past the rules", () => {
  const { redact } = createRedactor({ profile: "full", sensitive: [{ category: "hiv", fate: "drop" }] });
  const body = JSON.parse(
    '{"resourceType":"Bundle","type":"searchset","__proto__":{"total":7,"entry":[{"resource":{"resourceType":"Condition","subject":{"reference":"Patient/1"},"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"B20"}]}}}]},"total":7,"link":[{"relation":"self","url":"http://x/Condition?zz=1"}]}',
  ) as Json;
  const after = JSON.stringify(redact(body));
  expect([after.includes("total"), after.includes("B20"), after.includes("__proto__")]).toEqual([false, false, false]);
});
