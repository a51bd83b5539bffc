import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ConfigurationError } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideDlp } from "../src/dlp/decide.ts";
import { ENTITIES, type Entity, maskDetections, namesIn, phiScanner, REQUEST_ENTITIES } from "../src/dlp/index.ts";
import { parseDlpOptions } from "../src/dlp/options.ts";
import { findInHeaders, findInUrl } from "../src/dlp/request.ts";
import { identifyingParameters } from "../src/dlp/search-parameters.ts";
import { ordinaryRequests } from "./dlp.support.ts";

const everything = phiScanner();
const entitiesIn = (text: string, hint?: string): Entity[] => everything(text, hint).map(({ entity }) => entity);

/** Texts, and the one entity they hold; beside each, corruptions that hold none. */
const ROWS: readonly (readonly [Entity, text: string, corruptions: readonly string[]])[] = [
  [
    "ssn",
    "536-22-1234",
    [
      "000-22-1234",
      "666-22-1234",
      "936-22-1234",
      "536-00-1234",
      "536-22-0000",
      "536-22.1234",
      "078-05-1120",
      "x536-22-1234",
      "536-22-12345",
      "1536-22-1234",
      "12-536-22-1234",
    ],
  ],
  ["ssn", "ssn 536221234", ["536221234", "category social-history, code 536221234", "ssn 000221234"]],
  ["ssn", "http://hl7.org/fhir/sid/us-ssn|536221234", ["http://loinc.org|536221234"]],
  ["mbi", "1EG4-TE5-MK73", ["1SG4-TE5-MK73", "0EG4-TE5-MK73", "1EG4-TE5MK73", "1EG4-TE5-MK7", "1EG4-TE5-MK733"]],
  ["mbi", "medicare 1eg4te5mk73", ["build 1eg4te5mk73"]],
  ["npi", "1234567893", ["1234567890", "3234567893", "12345678930", "1111111112"]],
  [
    "card",
    "4111 1111 1111 1111",
    ["4111 1111 1111 1112", "4111 1111-1111 1111", "1.4111111111111111", "0000000000000000"],
  ],
  ["card", "credit 6759649826438453", ["credit 6759649826438454"]],
  ["mrn", "MRN: 00483921", ["order 00483921", "MRN: unknown"]],
  ["mrn", "patient id 483921", ["build id 483921"]],
  ["email", "a.b+c@clinic.example.org", ["a.b at clinic.example.org", "@clinic", "a@b", "hello-world"]],
  ["phone", "(415) 555-0132", ["415-5555-0132", "2024-03-15", "1.415.555.01322"]],
  ["phone", "+49 30 1234567", ["+49 30", "00:00+0530"]],
  ["phone", "fax 030 1234567", ["ratio 030 1234567"]],
  [
    "ip",
    "192.0.2.7",
    ["Chrome/120.0.0.0", 'v="8.0.0.0"', "256.0.2.7", "urn:oid:1.2.3.4", "1.2.3.4.5", "2.16.840.1.113883"],
  ],
  ["ip", "2001:db8::1", ["12:30:45", "aa:bb:cc", "MyClass::toString", "2001::25de::cade"]],
  ["device-id", "00:1B:44:11:3A:B7", ["00:1B:44-11:3A:B7", "00:1B:44:11:3A", "00:1B:44:11:3A:B7:00"]],
  ["device-id", "(01)00844588003288(17)141120(10)7654321D", ["(01)00844588003289(17)141120"]],
  ["device-id", "serial number SN-448122", ["order SN-448122"]],
  ["birth-date", "born 1970-02-28", ["seen 1970-02-28", "born yesterday"]],
  ["birth-date", "date of birth: 2/28/1970", ["date of visit: 2/28/1970"]],
  ["address", "12 Oak Street, Apt 4", ["12 oak trees", "Oak Street"]],
  ["address", "Springfield, IL 62704", ["XX 62704", "IL 6270"]],
  ["address", "221B Baker Street", ["221BB Baker Street", "221B baker street"]],
  ["address", "14 Elm Tree Close", ["14 days to close", "Elm Tree Close"]],
  ["address", "London NW1 6XE", ["NW1 6XEA", "QW1 6XE", "NW1 6CE", "NW1-6XE", "NW1 XE6", "xNW1 6XE"]],
  ["address", "Ottawa K1A 0B1", ["D1A 0B1", "K1A 0O1", "K1A 0B", "K1A 0B11", "K1A.0B1", "W1A 0B1"]],
  ["address", "1234, rue Sainte-Catherine", ["1234, rue", "rue Sainte-Catherine", "1234 rueful Days"]],
  ["address", "Lindenstraße 12a, 10115 Berlin", ["Straße 12", "Lindenstraße", "lindenstraße 12"]],
  ["address", "Hauptstr. 5", ["Hauptstr. x", "Str. 5", "Registr. 5a5"]],
  ["address", "Goethe-Allee 7", ["Allee 7", "goethe-allee 7"]],
  ["address", "D-10115 Berlin", ["10115 Berlin", "D-1011 Berlin", "D-10115 berlin", "AD-10115 Berlin"]],
];

describe("detectors", () => {
  for (const [entity, text, corruptions] of ROWS) {
    it(`${entity}: found in "${text}", not in its ${corruptions.length} corruptions`, () => {
      const only = phiScanner({ entities: [entity] });
      for (const corruption of corruptions) expect(only(corruption), corruption).toEqual([]);
      expect(only(text)).toHaveLength(1);
      expect(entitiesIn(text)).toContain(entity);
    });
  }

  it("a number before or after, with another separator, changes nothing; with the same one it is a longer number", () => {
    for (const [entity, text] of [
      ["ssn", "536-22-1234"],
      ["card", "4111-1111-1111-1111"],
      ["phone", "415-555-0132"],
      ["npi", "1234-567-893"],
    ] as const) {
      const only = phiScanner({ entities: [entity] });
      for (const around of [`0 ${text} 7`, `a, ${text}, b`, `1/${text}`]) {
        if (entity !== "phone" || !around.startsWith("1/")) expect(only(around), around).toHaveLength(1);
      }
      for (const longer of [`5-${text}`, `${text}-5`]) expect(only(longer), longer).toEqual([]);
    }
  });

  it("the name a text goes by is as good as a word beside it", () => {
    for (const [hint, text, entity] of [
      ["ssn", "536221234", "ssn"],
      ["birthdate", "1970-02-28", "birth-date"],
      ["telecom", "030 1234567", "phone"],
      ["mrn", "483921", "mrn"],
      ["X-Card-Number", "6759649826438453", "card"],
    ] as const) {
      expect(entitiesIn(text), text).toEqual([]);
      expect(entitiesIn(text, hint), hint).toEqual([entity]);
    }
  });

  it("names are found when they are known: together, alone, in any case, without accents", () => {
    const patient = {
      resourceType: "Bundle",
      entry: [
        {
          resource: { resourceType: "Patient", name: [{ family: "Müller", given: ["Zoë", "A."], text: "Zoë Müller" }] },
        },
      ],
    };
    expect(namesIn({ resourceType: "Practitioner", name: [{ family: "Doctor" }] })).toEqual([]);
    const scan = phiScanner({ names: namesIn(patient), entities: ["name"] });
    expect(scan("who is Zoe Muller?")).toEqual([{ entity: "name", start: 7, end: 17, confidence: 0.95 }]);
    expect(scan("MÜLLER").map(({ confidence }) => confidence)).toEqual([0.6]);
    expect(scan("Müllerin, Zo, A. B.")).toEqual([]);
    expect(phiScanner({ entities: ["name"] })("Zoë Müller")).toEqual([]);
  });

  it("what overlaps is told once, the surer first; masking leaves the rest of the text", () => {
    const text = "call 415-555-0132 or write to x@y.example, ssn 536-22-1234.";
    expect(maskDetections(text, everything(text))).toBe("call [phone] or write to [email], ssn [ssn].");
    expect(everything("ab")).toEqual([]);
  });

  it("checksums: every valid MBI, NPI and card is found, and none with its check digit changed", () => {
    const digits = (length: number) =>
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length });
    const npi = phiScanner({ entities: ["npi"] });
    const card = phiScanner({ entities: ["card"] });
    fc.assert(
      fc.property(digits(15), fc.integer({ min: 1, max: 9 }), (body, off) => {
        fc.pre(new Set(body).size > 2);
        const visa = `4${body.slice(0, 14).join("")}`;
        const check = checkDigit(visa);
        expect(card(`${visa}${check}`)).toHaveLength(1);
        expect(card(`${visa}${(check + off) % 10}`)).toEqual([]);
        const base = `1${body.slice(0, 8).join("")}`;
        fc.pre(!/^(\d)\1{8}/.test(base));
        const last = checkDigit(`80840${base}`);
        expect(npi(`${base}${last}`)).toHaveLength(1);
        expect(npi(`${base}${(last + off) % 10}`)).toEqual([]);
      }),
    );
    const letter = fc.constantFrom(..."ACDEFGHJKMNPQRTUVWXY".split(""));
    const digit = fc.constantFrom(..."0123456789".split(""));
    const either = fc.oneof(letter, digit);
    const mbi = fc.tuple(
      fc.constantFrom(..."123456789".split("")),
      letter,
      either,
      digit,
      letter,
      either,
      digit,
      letter,
      letter,
      digit,
      digit,
    );
    fc.assert(
      fc.property(mbi, fc.integer({ min: 0, max: 10 }), (places, spoiled) => {
        const scan = phiScanner({ entities: ["mbi"] });
        expect(scan(`the card says ${places.join("")}`)).toHaveLength(1);
        expect(scan(`the card says ${places.with(spoiled, "S").join("")}`)).toEqual([]);
      }),
    );
  });

  it("S10: a megabyte of what their patterns begin with holds nobody up", () => {
    const nasty = [
      "1",
      "1-",
      "1 ",
      "1.",
      "a",
      "a.",
      "a@",
      "a@b.",
      "+1",
      "(1",
      "1:",
      "::",
      "A1",
      "1 Oak ",
      "1 rue ",
      "Aa",
      "Aa-",
      "A1A 1",
      "1 A ",
      "01-",
      "Ab1-",
      "ü",
      "%",
      "(01)",
    ];
    for (const unit of nasty) {
      const text = unit.repeat(Math.ceil(200_000 / unit.length));
      expect(everything(`${text}!`, "phone ssn mrn card serial born").length).toBeGreaterThanOrEqual(0);
    }
  });
});

describe("ordinary requests", () => {
  const falsePositives = (
    requests: readonly { path: string; query: string; headers: Iterable<readonly [string, string]> }[],
    entities: readonly Entity[],
  ) => {
    const scan = phiScanner({ entities });
    return requests.map((request) => [
      ...findInUrl(request, scan, new Set()).filter(({ place }) => place !== "search"),
      ...findInHeaders(request, scan),
    ]);
  };

  it("of 5,000 fewer than 1 % hold anything, with what is looked for by default and with everything", () => {
    const requests = ordinaryRequests(5000);
    expect(requests.filter(({ query }) => query !== "").length).toBeGreaterThan(3000);
    for (const [what, entities] of [
      ["default", REQUEST_ENTITIES],
      ["all", ENTITIES],
    ] as const) {
      const found = falsePositives(requests, entities);
      const wrong = found.filter((each) => each.length > 0);
      const kinds = wrong.flat().map(({ entity, place }) => `${entity} in ${place}`);
      const told = [...new Set(kinds)].map((kind) => `${kind} ${kinds.filter((each) => each === kind).length}`);
      console.log(
        `${what} entities: ${wrong.length} of ${requests.length} ordinary requests flagged (${told.join(", ") || "none"})`,
      );
      expect(wrong.length / requests.length).toBeLessThan(0.01);
    }
  });

  const folder = fileURLToPath(new URL("../../../../shared/vectors/fhir-queries/", import.meta.url));
  const present = existsSync(folder);
  it.skipIf(!present)(
    `recorded searches and page links${present ? "" : " (skipped: ../shared/vectors/fhir-queries is absent)"}`,
    () => {
      const rows = ["searches", "paging-links"].flatMap(
        (file) =>
          JSON.parse(readFileSync(`${folder}${file}.json`, "utf8")) as { input: { path: string; query: string } }[],
      );
      const found = falsePositives(
        rows.map(({ input }) => ({ ...input, headers: [] })),
        REQUEST_ENTITIES,
      );
      const wrong = found.filter((each) => each.length > 0);
      console.log(`recorded: ${wrong.length} of ${rows.length} flagged`);
      expect(wrong.length / rows.length).toBeLessThan(0.01);
    },
  );
});

describe("search parameters that identify a person", () => {
  const codes = (type: string | undefined, name: string) => [
    ...identifyingParameters(type, [[name, "x"]], new Set(["room"])).values(),
  ];
  const identifying: readonly (readonly [string | undefined, string, string])[] = [
    ["Patient", "name", "name"],
    ["Patient", "family:exact", "family"],
    ["Patient", "identifier", "identifier"],
    ["Patient", "identifier:of-type", "identifier"],
    ["Patient", "birthdate", "birthdate"],
    ["Patient", "telecom", "telecom"],
    ["Patient", "address-postalcode", "address-postalcode"],
    ["RelatedPerson", "phone", "phone"],
    ["Encounter", "identifier", "identifier"],
    ["Specimen", "accession", "accession"],
    ["Device", "udi-carrier", "udi-carrier"],
    ["Observation", "subject.name", "name"],
    ["Observation", "subject:Patient.birthdate", "birthdate"],
    ["Observation", "patient.identifier", "identifier"],
    ["Observation", "subject:identifier", "identifier"],
    ["Practitioner", "_has:RelatedPerson:patient:name", "name"],
    ["Organization", "_has:Patient:organization:family", "family"],
    ["Observation", "_content", "_content"],
    ["Patient", "_filter", "_filter"],
    ["Patient", "Name", "name"],
    ["Patient", "subject.Birthdate", "birthdate"],
    [undefined, "identifier", "identifier"],
    ["Location", "room", "room"],
  ];
  for (const [type, name, code] of identifying) {
    it(`${type ?? "(system)"}?${name}`, () => expect(codes(type, name)).toEqual([code]));
  }
  for (const [type, name] of [
    ["Practitioner", "name"],
    ["Organization", "identifier"],
    ["Organization", "address-city"],
    ["ValueSet", "name"],
    ["PractitionerRole", "practitioner.name"],
    ["Patient", "gender"],
    ["Patient", "_id"],
    ["Observation", "patient"],
    ["Observation", "code"],
    ["Observation", "date"],
    ["Encounter", "service-provider:identifier"],
    ["Patient", "general-practitioner.name:missing"],
    ["Patient", "_lastUpdated"],
    ["Patient", "_count"],
  ] as const) {
    it(`not ${type}?${name}`, () => expect(codes(type, name)).toEqual([]));
  }
});

describe("a decision", () => {
  const scan = phiScanner({ entities: REQUEST_ENTITIES });
  const policy = parseDlpOptions({});
  const decide = (url: string, options: Parameters<typeof parseDlpOptions>[0] = {}, searchable = true) => {
    const [path = "", query = ""] = url.split("?");
    return decideDlp(findInUrl({ path, query }, scan, policy.identifyingParameters), parseDlpOptions(options), {
      searchable,
    });
  };

  for (const url of [
    "/Patient/536-22-1234",
    "/lookup/ssn/536221234",
    "/Patient/536%2D22%2D1234",
    "/Patient/536%252D22%252D1234",
    "/Observation?code=536-22-1234",
    "/Observation?536-22-1234",
    "/Observation?code=a%ff536-22-1234",
    "/Observation?note=mail+to+x%40y.example",
  ]) {
    it(`refuses ${url} with 400, naming the kind and not the value`, () => {
      const decision = decide(url);
      expect(decision).toMatchObject({ kind: "deny", problem: { code: "phi-redact/phi-in-url", status: 400 } });
      expect(JSON.stringify(decision)).not.toMatch(/536|y\.example/);
      expect(decide(url, { path: "report", query: "off" })).toMatchObject({ kind: "permit" });
    });
  }

  it("refuses a search that names a person, with the codes of the parameters and how to ask instead", () => {
    const decision = decide("/Patient?name=Smith&birthdate=1970-02-28&gender=male");
    expect(decision).toMatchObject({
      kind: "deny",
      problem: {
        code: "phi-redact/search-needs-post",
        status: 400,
        issue: "security",
        expression: ["name", "birthdate"],
        detail: expect.stringContaining("_search") as string,
      },
      because: ["search by name in the URL", "search by birthdate in the URL"],
    });
    expect(JSON.stringify(decision)).not.toMatch(/Smith|1970/);
    expect(decide("/Patient?name=Smith", { searches: "report" })).toMatchObject({ kind: "permit" });
    expect(decide("/Patient?name=Smith", {}, false)).toMatchObject({ kind: "permit" });
    expect(decide("/Patient?name=")).toMatchObject({ kind: "permit" });
    expect(decide("/Patient?gender=male&_count=5")).toEqual({
      kind: "permit",
      grant: undefined,
      because: ["nothing found"],
    });
  });

  it("names nothing that only the client knows", () => {
    const found = findInUrl({ path: "/x", query: "Erika-Mustermann=536-22-1234" }, scan, new Set());
    expect(found).toMatchObject([{ place: "query", entity: "ssn" }]);
    expect(found[0]).not.toHaveProperty("name");
    const inHeader = findInHeaders({ headers: [["X-Erika", "536-22-1234"]] }, scan);
    expect(inHeader).toMatchObject([{ place: "header", entity: "ssn" }]);
    expect(inHeader[0]).not.toHaveProperty("name");
  });

  it("credentials are not looked at", () => {
    const headers = ["Authorization", "Cookie", "DPoP", "X-Forwarded-Client-Cert"].map(
      (name) => [name, "536-22-1234"] as const,
    );
    expect(findInHeaders({ headers }, scan)).toEqual([]);
  });
});

describe("options", () => {
  it("are all checked at once", () => {
    const wrong = {
      path: "deny",
      searchs: "off",
      entities: ["ssnn"],
      minConfidence: 2,
      headers: "redact-in-log",
      bodyLimitBytes: -1,
    };
    try {
      parseDlpOptions(wrong as never);
      expect.unreachable();
    } catch (error) {
      expect((error as ConfigurationError).issues.map(({ path }) => path)).toEqual([
        "searchs",
        "path",
        "exchange",
        "entities[0]",
        "minConfidence",
        "bodyLimitBytes",
      ]);
    }
  });

  it.each([
    ["identifyingParameters", "name"],
    ["entities", "ssn"],
    ["minConfidence", "0.9"],
    ["bodyLimitBytes", "1024"],
    ["onFindings", "log"],
  ])("are not read from text: %s", (name, value) => {
    expect(() => parseDlpOptions({ [name]: value } as never)).toThrow(`${name}:`);
  });
});

function checkDigit(digits: string): number {
  let sum = 0;
  for (const [index, digit] of digits.split("").reverse().entries()) {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return (10 - (sum % 10)) % 10;
}
