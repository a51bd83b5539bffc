import { type InteractionRequest, parseInteraction } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

/** `GET /Patient?name=x` as a request. */
function request(line: string): InteractionRequest {
  const [method = "", url = ""] = line.split(/ (.*)/s);
  const [path = "", ...query] = url.split("?");
  return query.length > 0 ? { method, path, query: query.join("?") } : { method, path };
}

const ask = (line: string, more: Partial<InteractionRequest> = {}) => parseInteraction({ ...request(line), ...more });
const touches = (line: string, more?: Partial<InteractionRequest>) =>
  ask(line, more).touches.map(({ type, via }) => `${via} ${type}`);

it("S9: of an operation a thousand different parameters are read, and any number of resources", () => {
  const asked = (parameter: object[]) =>
    parseInteraction({
      method: "POST",
      path: "/Measure/$submit-data",
      body: { resourceType: "Parameters", parameter },
    });
  const many = <Made>(count: number, make: (at: number) => Made): Made[] =>
    Array.from({ length: count }, (_, at) => make(at));
  expect(asked(many(5000, () => ({ name: "resource", resource: { resourceType: "Basic" } }))).code).toBe("operation");
  expect(asked(many(1000, (at) => ({ name: "a", valueInteger: at }))).code).toBe("operation");
  expect(asked(many(1001, (at) => ({ name: "a", valueInteger: at }))).code).toBe("unknown");
});

describe("what requests have in common", () => {
  it("touches of one are none of another's", () => {
    expect(touches("GET /Patient/1")).toEqual(["base Patient"]);
    expect(touches("GET /Patient?organization.name=x")).toEqual(["base Patient", "chain Organization"]);
    expect(touches("GET /Patient/2")).toEqual(["base Patient"]);
    expect(Object.isFrozen(ask("GET /Patient/1").touches)).toBe(true);
  });

  it("what is inherited is neither a header nor part of a resource", () => {
    const reference = { reference: "Organization?name=x" };
    const body = Object.assign(Object.create({ managingOrganization: reference }) as object, { active: true });
    const headers = Object.create({ "X-Any": "1" }) as Record<string, string>;
    expect(touches("POST /Patient", { body, headers })).toEqual(["base Patient"]);
    expect(touches("POST /Patient", { body: { managingOrganization: reference } })).toContain("condition Organization");
    expect(ask("POST /Patient", { headers: { "X-Any": "1" } }).code).toBe("unknown");
  });
});

describe("URL forms of R4", () => {
  it.each([
    ["GET /Patient/1", { code: "read", type: "Patient", id: "1" }],
    ["HEAD /Patient/1", { code: "read", type: "Patient", id: "1" }],
    ["GET /Patient/1?_format=json&_summary=true&_elements=name&_pretty=true", { code: "read", id: "1" }],
    ["GET /Patient/1/_history/2", { code: "vread", type: "Patient", id: "1", versionId: "2" }],
    ["PUT /Patient/1", { code: "update", type: "Patient", id: "1" }],
    ["PUT /Patient?identifier=a|b", { code: "update", type: "Patient" }],
    ["PATCH /Patient/1", { code: "patch", type: "Patient", id: "1" }],
    ["PATCH /Patient?identifier=a", { code: "patch", type: "Patient" }],
    ["DELETE /Patient/1", { code: "delete", type: "Patient", id: "1" }],
    ["DELETE /Patient?identifier=a", { code: "delete", type: "Patient" }],
    ["DELETE /Patient/?identifier=a", { code: "delete", type: "Patient", path: "/Patient" }],
    ["POST /Patient", { code: "create", type: "Patient" }],
    ["GET /Patient?name=x", { code: "search-type", type: "Patient" }],
    ["HEAD /Patient", { code: "search-type", type: "Patient" }],
    ["POST /Patient/_search?name=x", { code: "search-type", type: "Patient" }],
    ["GET ?_type=Patient,Observation", { code: "search-system" }],
    ["GET /?_id=1", { code: "search-system", path: "/" }],
    ["POST /_search", { code: "search-system" }],
    [
      "GET /Patient/1/Observation?code=x",
      { code: "search-type", type: "Observation", compartment: { type: "Patient", id: "1" } },
    ],
    ["POST /Patient/1/Observation/_search", { code: "search-type", compartment: { type: "Patient", id: "1" } }],
    ["GET /Patient/1/*", { code: "search-system", compartment: { type: "Patient", id: "1" } }],
    ["GET /Encounter/1/Condition", { code: "search-type", compartment: { type: "Encounter", id: "1" } }],
    ["GET /Patient/1/_history?_since=2020-01-01T00:00:00Z", { code: "history-instance", type: "Patient", id: "1" }],
    ["GET /Patient/_history?_count=10", { code: "history-type", type: "Patient" }],
    ["GET /_history", { code: "history-system" }],
    ["GET /metadata", { code: "capabilities", touches: [] }],
    ["GET /metadata?mode=normative&_format=json", { code: "capabilities" }],
    ["GET /$versions", { code: "operation", operation: { name: "versions", level: "system" } }],
    ["POST /Patient/$match", { code: "operation", type: "Patient", operation: { name: "match", level: "type" } }],
    [
      "GET /Patient/1/$everything?start=2020",
      { code: "operation", id: "1", operation: { name: "everything", level: "instance" } },
    ],
    [
      "POST /Patient/1/_history/2/$meta-add",
      { code: "operation", versionId: "2", operation: { name: "meta-add", level: "instance" } },
    ],
  ])("%s", (line, expected) => {
    const interaction = ask(line);
    expect(interaction).toMatchObject(expected);
    expect(interaction.unknownBecause).toBeUndefined();
  });

  it.each([
    ["get /Patient/1", "the method is none of FHIR's"],
    ["OPTIONS /Patient/1", "the method is none of FHIR's"],
    ["TRACE /", "the method is none of FHIR's"],
    ["POST /Patient/1", "R4 has no such URL for this method"],
    ["POST /metadata", "R4 has no such URL for this method"],
    ["PUT /", "R4 has no such URL for this method"],
    ["PUT /Patient", "R4 has no such URL for this method"],
    ["DELETE /Patient", "R4 has no such URL for this method"],
    ["DELETE /Patient/1/_history", "R4 has no such URL for this method"],
    ["PUT /Patient/1/_history/2", "R4 has no such URL for this method"],
    ["DELETE /Patient/1/$everything", "R4 has no such URL for this method"],
    ["GET /Patient/?name=x", "the path ends with a slash"],
    ["PUT /Patient/?name=x", "the path ends with a slash"],
    ["DELETE /Patient?_format=json", "the condition selects nothing"],
    ["DELETE /Patient?identifier=", "the condition selects nothing"],
    ["DELETE /Patient?&", "the condition selects nothing"],
    ["PUT /Patient?%zz=1", "the query cannot be decoded"],
    ["GET /Patient/1?_include=Patient:link", "the interaction takes no such parameters"],
    ["PUT /Patient/1?identifier=a", "the interaction takes no such parameters"],
    ["POST /Patient?identifier=a", "the interaction takes no such parameters"],
    ["GET /metadata?name=x", "the interaction takes no such parameters"],
    ["GET /Patient?name=%E9", "the query cannot be decoded"],
    ["GET /Patient?name=%", "the query cannot be decoded"],
    ["GET /Patient?name=a%00", "the query cannot be decoded"],
    ["GET /Patient?name=a#b", "the query cannot be decoded"],
    [`GET /Patient?${"name=x&".repeat(1001)}`, "the query cannot be decoded"],
    ["POST /", "the body is no Bundle"],
  ])("%s is unknown: %s", (line, because) => {
    expect(ask(line)).toMatchObject({
      code: "unknown",
      unknownBecause: because,
      touches: [{ type: "*", via: "base" }],
    });
  });

  it.each(["x-http-method-override", "x-http-method", "x-method-override"])("A12: %s makes it unknown", (name) => {
    expect(ask("POST /Patient", { headers: { [name]: "DELETE" } }).unknownBecause).toBe(
      "a header overrides the method",
    );
    expect(ask("POST /Patient", { headers: { [name]: "" } }).code).toBe("unknown");
    expect(ask("POST /Patient", { headers: { [name]: undefined } }).code).toBe("create");
  });
});

describe("conditional create", () => {
  const create = (ifNoneExist: string | readonly string[]) =>
    ask("POST /Patient", { headers: { "if-none-exist": ifNoneExist } });

  it("carries its condition, and is also a search (A11)", () => {
    const interaction = create("identifier=a%7Cb");
    expect(interaction.condition?.criteria).toMatchObject([{ parameter: "identifier", values: ["a|b"], known: true }]);
    expect(interaction.touches).toEqual([
      { type: "Patient", via: "base" },
      { type: "Patient", via: "condition" },
    ]);
  });

  it("shows what its chain reaches", () => {
    expect(create("organization.name=x").touches).toContainEqual({ type: "Organization", via: "chain" });
  });

  it.each([
    ["", "the condition selects nothing"],
    ["_format=json", "the condition selects nothing"],
    ["Patient?identifier=a", "the condition cannot be decoded"],
    ["?identifier=a", "the condition cannot be decoded"],
    ["identifier=%", "the condition cannot be decoded"],
    [["identifier=a", "identifier=b"], "the condition is sent twice"],
  ])("%j is unknown: %s", (header, because) => {
    expect(create(header)).toMatchObject({ code: "unknown", unknownBecause: because });
  });

  it.each(["identifier=a?organization.name=x", "identifier=a&x?organization.name=x"])(
    "A12: %s is unknown, for a server that cuts it at the question mark asks for the name",
    (header) => {
      expect(create(header)).toMatchObject({ code: "unknown", unknownBecause: "the condition cannot be decoded" });
      expect(create(header.replace("?", "%3F"))).toMatchObject({ code: "create" });
    },
  );
});

describe("POST _search", () => {
  const form = "name=x&_include=Patient:link";

  it("merges URL and form, URL first", () => {
    const { search } = ask("POST /Patient/_search?birthdate=2000", { form });
    expect(search?.pairs).toEqual([
      ["birthdate", "2000"],
      ["name", "x"],
      ["_include", "Patient:link"],
    ]);
  });

  it("says the same as GET", () => {
    const { path: _, ...got } = ask(`GET /Patient?${form}`);
    const { path: __, ...posted } = ask("POST /Patient/_search", { form });
    expect(posted).toEqual(got);
  });

  it.each([
    ["application/json", undefined, "the body of a search is no form"],
    ["application/fhir+json", form, "the body of a search is no form"],
    ["multipart/form-data; boundary=x", form, "the body of a search is no form"],
    ["application/x-www-form-urlencoded; charset=utf-16", form, "the body of a search is no form"],
    ["application/x-www-form-urlencoded", undefined, "the form body of the search was not read"],
    ["application/x-www-form-urlencoded", "name=%", "the form body cannot be decoded"],
    [["application/x-www-form-urlencoded", "application/json"], form, "the body of a search is no form"],
  ])("with content type %j and form %j is unknown", (type, body, because) => {
    const interaction = ask("POST /Patient/_search", {
      headers: { "content-type": type },
      ...(body === undefined ? {} : { form: body }),
    });
    expect(interaction).toMatchObject({ code: "unknown", unknownBecause: because });
  });

  it.each(["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; charset=UTF-8"])(
    "accepts %s",
    (type) => {
      expect(ask("POST /Patient/_search", { headers: { "content-type": type }, form }).code).toBe("search-type");
    },
  );

  it("reads the form grammar: plus is a space, a semicolon is none of its business, empty pieces vanish", () => {
    const { search } = ask("POST /Patient/_search", { form: "&name=a+b;c&&name=d%2Bé".replace("é", "%C3%A9") });
    expect(search?.pairs).toEqual([
      ["name", "a b;c"],
      ["name", "d+é"],
    ]);
  });
});

describe("what an interaction touches", () => {
  it.each([
    ["GET /Patient/1", ["base Patient"]],
    ["GET /", ["base *"]],
    ["GET ?_type=Patient,Observation&_type=Patient", ["base Patient", "base Observation"]],
    ["GET ?_type=Patient,Foo", ["base *", "type-filter *"]],
    ["GET /Patient?_type=Observation", ["base Patient", "type-filter *"]],
    ["GET /_history", ["base *"]],
    ["GET /Patient/1/_history?_list=3", ["base Patient", "chain List"]],
    ["GET /Patient/1/Observation", ["base Observation", "compartment Patient"]],
    ["GET /Patient/1/*", ["base *", "compartment Patient"]],
    ["GET /Patient/1/*?_type=Observation", ["base Observation", "compartment Patient"]],
    ["DELETE /Patient?organization.name=x", ["base Patient", "condition Patient", "chain Organization"]],
    ["GET /Patient/1/$everything", ["operation Patient", "operation *"]],
    ["GET /Patient/1/$everything?_type=Observation", ["operation Patient", "operation *"]],
    ["GET /$export", ["operation *"]],
    ["GET /$export?_type=Patient,Observation", ["operation Patient", "operation Observation"]],
    ["GET /Group/1/$export?_type=Patient", ["operation Group", "operation Patient"]],
    ["GET /$export?_type=Foo", ["operation *"]],
    ["GET /Patient/$match", ["operation Patient"]],
    ["GET /Organization/$match", ["operation Organization", "operation *"]],
    ["GET /ValueSet/$expand?url=http://x&filter=a.b", ["operation ValueSet"]],
    ["GET /Observation/$lastn?patient.name=x", ["operation Observation", "chain Patient"]],
    ["GET /Patient/1/$my-own", ["operation Patient", "operation *"]],
    [
      "GET /$export?_type=Patient&_typeFilter=Observation?code=a,b,Patient?organization.name=x",
      ["operation Patient", "type-filter Observation", "type-filter Patient", "chain Organization"],
    ],
    ["GET /$export?_type=Patient&_typeFilter=Observation", ["operation Patient", "type-filter *"]],
    [
      "GET /$export?_type=Patient&_typeFilter=Observation?_typeFilter=Patient?a",
      ["operation Patient", "type-filter *"],
    ],
  ])("%s", (line, expected) => {
    expect(touches(line)).toEqual(expected);
  });

  it("finds the searches hidden in conditional references of a submitted resource (A11)", () => {
    const body = {
      resourceType: "Observation",
      subject: { reference: "Patient?organization.name=x" },
      contained: [{ performer: [{ reference: "Practitioner?identifier=1" }, { reference: "Nonsense?x=1" }] }],
    };
    expect(new Set(touches("POST /Observation", { body }))).toEqual(
      new Set(["base Observation", "condition Patient", "chain Organization", "condition Practitioner", "condition *"]),
    );
    expect(touches("PUT /Observation/1", { body: { subject: { reference: "Patient?identifier=%" } } })).toEqual([
      "base Observation",
      "condition *",
    ]);
  });

  it.each([
    "/Patient?identifier=x",
    "Patient/?identifier=x",
    "https://elsewhere.example/fhir/Patient?identifier=x",
    "Observation/1/Patient?identifier=x",
    "patient?identifier=x",
  ])("A12: %s is a search to some servers, and may reach anything", (reference) => {
    const expected = ["base Observation", "condition *"];
    expect(touches("POST /Observation", { body: { subject: { reference } } })).toEqual(expected);
    for (const body of [
      [{ op: "add", path: "/subject", value: { reference } }],
      [{ op: "replace", path: "/subject/reference", value: reference }],
      { resourceType: "Parameters", parameter: [{ part: [{ name: "value", valueString: reference }] }] },
    ]) {
      expect(touches("PATCH /Observation/1", { body })).toEqual(expected);
    }
  });

  it("A12: an operation's parameters reach as far in a body as in the URL", () => {
    const reached = (...parameter: object[]) =>
      touches("POST /Observation/$lastn", { body: { resourceType: "Parameters", parameter } });
    expect(reached({ name: "patient.name", valueString: "x" })).toEqual(["operation Observation", "chain Patient"]);
    expect(reached({ name: "_revinclude", valueUri: "Provenance:target" })).toEqual([
      "operation Observation",
      "revinclude Provenance",
    ]);
    expect(reached({ name: "_filter", valueString: "x" })).toEqual(["operation Observation", "chain *"]);
    expect(reached({ name: "max", valueInteger: 1 }, { name: "code", valueCoding: { code: "x" } }, {})).toEqual([
      "operation Observation",
    ]);
    expect(reached({ name: "x", resource: { subject: { reference: "Patient?identifier=x" } } })).toEqual([
      "operation Observation",
      "condition Patient",
    ]);
    expect(
      ask("POST /Observation/$lastn", { body: { resourceType: "Parameters", parameter: "x" } }),
    ).not.toHaveProperty("search");
  });

  it("finds the searches that a patch brings in (A11), and takes no other text for one", () => {
    const patch = (value: unknown) => touches("PATCH /Observation/1", { body: [{ op: "add", path: "/x", value }] });
    expect(patch("Patient?identifier=x")).toEqual(["base Observation", "condition Patient"]);
    for (const text of [
      "Is this a Patient?",
      "https://files.example/wado?study=1",
      "Patient/1",
      { text: "Why? Patient" },
    ]) {
      expect(patch(text)).toEqual(["base Observation"]);
    }
  });
});

describe("history parameters", () => {
  it("each at most once, others not known", () => {
    const { search } = ask("GET /Patient/_history?_count=5&_since=2020&_since=2021&_at=2020&name=x");
    expect(search?.control).toEqual([{ name: "_count", value: "5" }]);
    expect(search?.criteria.map(({ raw, known }) => [raw, known])).toEqual([
      ["_since", true],
      ["_since", false],
      ["_at", true],
      ["name", false],
    ]);
  });
});
