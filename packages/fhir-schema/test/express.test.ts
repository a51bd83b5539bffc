import { gzipSync } from "node:zlib";
import { parseInteraction } from "@wardline/fhir-r4";
import { contextOf, requireControls } from "@wardline/policy-types/express";
import { ask, EXPRESS, listen, type Question } from "@wardline-tools/test-kit";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { describe, expect, it, vi } from "vitest";
import { type FhirSchemaOptions, fhirSchema, type SchemaReport, validateResource } from "../src/index.ts";
import { profile } from "./profiles/support/profile.ts";

const FHIR = { "content-type": "application/fhir+json" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const PATIENT = { resourceType: "Patient", id: "1", active: true, birthDate: "1970-01-01" };

describe.each(EXPRESS)("fhirSchema on %s", (_name, express) => {
  interface Edge {
    readonly url: string;
    readonly seen: () => readonly Request[];
  }

  async function serve(
    options: FhirSchemaOptions = {},
    handler: (req: Request, res: Response) => void = (_req, res) => void res.json({ resourceType: "Patient" }),
    ...before: RequestHandler[]
  ): Promise<Edge> {
    const app = express();
    const seen: Request[] = [];
    app.use("/fhir", ...before, fhirSchema(options), requireControls(["fhir-schema"]), (req, res) => {
      seen.push(req);
      handler(req, res);
    });
    return { url: `${await listen(app)}/fhir`, seen: () => seen };
  }

  async function refused(edge: Edge, path: string, question: Question, status: number, code: string): Promise<string> {
    const answer = await ask(edge.url + path, question);
    expect([answer.status, answer.code]).toEqual([status, `fhir-schema/${code}`]);
    expect(answer.headers["content-type"]).toBe("application/fhir+json; charset=utf-8");
    expect(edge.seen()).toEqual([]);
    expect(validateResource(JSON.parse(answer.text), { type: "OperationOutcome" })).toEqual([]);
    return answer.text;
  }

  const passes = async (edge: Edge, path: string, question?: Question): Promise<void> => {
    const answer = await ask(edge.url + path, question);
    expect([answer.status, answer.text]).toEqual([200, '{"resourceType":"Patient"}']);
  };
  const send = (method: string, body: unknown, headers: Record<string, string> = FHIR): Question => ({
    method,
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

  describe("what passes", () => {
    it.each<[string, string, Question?]>([
      ["a read", "/Patient/1"],
      ["a read in a format", "/Patient/1?_format=json&_summary=true"],
      ["a search", "/Observation?patient=1&category=laboratory&date=ge2020-01-01&_count=50"],
      ["a HEAD of a search", "/Patient?name=a", { method: "GET", headers: { accept: "application/fhir+json" } }],
      ["a POST search", "/Patient/_search", send("POST", "name=a&birthdate=2020", FORM)],
      ["an empty POST search", "/Patient/_search?name=a", { method: "POST" }],
      ["a create", "/Patient", send("POST", { resourceType: "Patient", active: true })],
      ["a create as JSON", "/Patient", send("POST", PATIENT, { "content-type": "application/json; charset=utf-8" })],
      [
        "a create in R4",
        "/Patient",
        send("POST", PATIENT, { "content-type": "application/fhir+json; fhirVersion=4.0" }),
      ],
      ["an update", "/Patient/1", send("PUT", PATIENT)],
      ["a conditional update", "/Patient?identifier=a|b", send("PUT", { resourceType: "Patient" })],
      ["a delete", "/Patient/1", { method: "DELETE" }],
      [
        "a JSON Patch",
        "/Patient/1",
        send("PATCH", [{ op: "remove", path: "/active" }], { "content-type": "application/json-patch+json" }),
      ],
      [
        "a FHIRPath Patch",
        "/Patient/1",
        send("PATCH", {
          resourceType: "Parameters",
          parameter: [
            {
              name: "operation",
              part: [
                { name: "type", valueCode: "delete" },
                { name: "path", valueString: "Patient.active" },
              ],
            },
          ],
        }),
      ],
      ["an operation", "/Patient/1/$everything?start=2020"],
      [
        "an operation's resource that may be wrong",
        "/Patient/$validate",
        send("POST", { resourceType: "Patient", nonsense: 1 }),
      ],
      ["the capabilities", "/metadata?mode=full"],
      ["a raw Binary", "/Binary/1", { headers: { accept: "application/pdf" } }],
      [
        "a batch",
        "/",
        send("POST", {
          resourceType: "Bundle",
          type: "batch",
          entry: [
            { request: { method: "GET", url: "Patient?name=a" } },
            { resource: PATIENT, request: { method: "PUT", url: "Patient/1" } },
          ],
        }),
      ],
      ["a history", "/Patient/1/_history?_since=2020-01-01T00:00:00Z"],
    ])("%s", async (_what, path, question) => passes(await serve(), path, question));
  });

  describe("what is refused, before the handler runs", () => {
    const gzipBomb = gzipSync(JSON.stringify({ resourceType: "Patient", id: "1".repeat(500_000) }));
    const json = (text: string): Question => send("POST", text);

    it.each<[string, string, Question, number, string]>([
      ["an unknown URL", "/Patient/1/2/3", {}, 400, "interaction-unknown"],
      ["an unknown type", "/Nobody/1", {}, 400, "interaction-unknown"],
      ["another spelling of a type (S6)", "/patient/1", {}, 400, "interaction-unknown"],
      ["an encoded slash (S6)", "/Patient%2f1", {}, 400, "interaction-unknown"],
      [
        "a method override",
        "/Patient",
        { ...send("POST", PATIENT), headers: { ...FHIR, "x-http-method-override": "PUT" } },
        400,
        "interaction-unknown",
      ],
      ["an unknown parameter", "/Patient?surname=Smith", {}, 400, "query-invalid"],
      [
        "an unknown parameter in a form (A12)",
        "/Patient/_search",
        send("POST", "surname=Smith", FORM),
        400,
        "query-invalid",
      ],
      [
        "one parameter in URL and form (A12)",
        "/Patient/_search?_count=1",
        send("POST", "_count=2", FORM),
        400,
        "query-invalid",
      ],
      ["a bad condition", "/Patient?surname=Smith", send("PUT", { resourceType: "Patient" }), 400, "query-invalid"],
      [
        "a bad If-None-Exist",
        "/Patient",
        { ...send("POST", PATIENT), headers: { ...FHIR, "if-none-exist": "surname=Smith" } },
        400,
        "query-invalid",
      ],
      [
        "a bad summary beside If-None-Exist",
        "/Patient?_summary=all",
        { ...send("POST", PATIENT), headers: { ...FHIR, "if-none-exist": "name=a" } },
        400,
        "query-invalid",
      ],
      ["a bad summary of a read", "/Patient/1?_summary=all", {}, 400, "query-invalid"],
      ["a page too large", "/Patient?_count=5000", {}, 400, "query-invalid"],
      ["a page too large, of an operation", "/Patient/1/$everything?_count=5000", {}, 400, "operation-invalid"],
      ["a bad operation input", "/Patient/1/$everything?begin=2020", {}, 400, "operation-invalid"],
      [
        "a bad operation body",
        "/Patient/$match",
        send("POST", { resourceType: "Parameters" }),
        400,
        "operation-invalid",
      ],
      [
        "an element nobody has",
        "/Patient",
        send("POST", { resourceType: "Patient", surname: "Smith" }),
        400,
        "resource-invalid",
      ],
      [
        "another type than the URL's",
        "/Patient",
        send("POST", { resourceType: "Group", type: "person", actual: true }),
        400,
        "resource-invalid",
      ],
      ["another id than the URL's", "/Patient/2", send("PUT", PATIENT), 400, "resource-invalid"],
      ["no id in an update", "/Patient/2", send("PUT", { resourceType: "Patient" }), 400, "resource-invalid"],
      ["a list", "/Patient", send("POST", []), 400, "resource-invalid"],
      [
        "an integer with a fraction",
        "/Patient",
        json('{"resourceType":"Patient","multipleBirthInteger":1.0}'),
        400,
        "resource-invalid",
      ],
      [
        "a JSON Patch of nothing",
        "/Patient/1",
        send("PATCH", [], { "content-type": "application/json-patch+json" }),
        400,
        "patch-invalid",
      ],
      [
        "a FHIRPath Patch of another type",
        "/Patient/1",
        send("PATCH", {
          resourceType: "Parameters",
          parameter: [
            {
              name: "operation",
              part: [
                { name: "type", valueCode: "delete" },
                { name: "path", valueString: "Group.active" },
              ],
            },
          ],
        }),
        400,
        "patch-invalid",
      ],
      ["no body in a create", "/Patient", { method: "POST" }, 400, "body-missing"],
      ["no body in a patch", "/Patient/1", { method: "PATCH", headers: FHIR }, 400, "body-missing"],
      [
        "a body in a read",
        "/Patient/1",
        { ...send("GET", "{}"), headers: { "content-length": "2" } },
        400,
        "body-unexpected",
      ],
      [
        "a body in a delete",
        "/Patient/1",
        { ...send("DELETE", "{}"), headers: { "content-length": "2" } },
        400,
        "body-unexpected",
      ],
      [
        "XML",
        "/Patient",
        send("POST", "<Patient/>", { "content-type": "application/fhir+xml" }),
        415,
        "media-type-unsupported",
      ],
      ["no media type", "/Patient", send("POST", PATIENT, {}), 415, "media-type-unsupported"],
      ["a form in a create", "/Patient", send("POST", "a=b", FORM), 415, "media-type-unsupported"],
      ["JSON in a search", "/Patient/_search", send("POST", {}), 415, "media-type-unsupported"],
      [
        "a JSON Patch in a create",
        "/Patient",
        send("POST", [], { "content-type": "application/json-patch+json" }),
        415,
        "media-type-unsupported",
      ],
      [
        "a merge patch",
        "/Patient/1",
        send("PATCH", {}, { "content-type": "application/merge-patch+json" }),
        415,
        "media-type-unsupported",
      ],
      [
        "another version of FHIR",
        "/Patient",
        send("POST", PATIENT, { "content-type": "application/fhir+json; fhirVersion=3.0" }),
        415,
        "media-type-unsupported",
      ],
      [
        "two media types",
        "/Patient",
        {
          method: "POST",
          headers: [
            "host",
            "x",
            "content-length",
            "2",
            "content-type",
            "application/fhir+json",
            "content-type",
            "text/plain",
          ],
          body: "{}",
        },
        415,
        "media-type-unsupported",
      ],
      ["XML wanted", "/Patient/1", { headers: { accept: "application/fhir+xml" } }, 406, "not-acceptable"],
      ["XML wanted by _format", "/Patient/1?_format=xml", { headers: { accept: "*/*" } }, 406, "not-acceptable"],
      ["HTML wanted", "/Patient?name=a", { headers: { accept: "text/html" } }, 406, "not-acceptable"],
      ["JSON not wanted", "/Patient/1", { headers: { accept: "application/fhir+json;q=0" } }, 406, "not-acceptable"],
      [
        "R5 wanted",
        "/Patient/1",
        { headers: { accept: "application/fhir+json; fhirVersion=5.0" } },
        406,
        "not-acceptable",
      ],
      [
        "a bomb",
        "/Patient",
        { method: "POST", headers: { ...FHIR, "content-encoding": "gzip" }, body: gzipBomb },
        413,
        "body-inflates",
      ],
      [
        "a number beyond range",
        "/Observation",
        json('{"resourceType":"Observation","valueQuantity":{"value":1e999}}'),
        400,
        "body-refused",
      ],
      ["a number that vanishes", "/Observation", json('{"valueQuantity":{"value":1e-999}}'), 400, "body-refused"],
      [
        "a constructor",
        "/Patient",
        json('{"resourceType":"Patient","constructor":{"prototype":{}}}'),
        400,
        "body-refused",
      ],
      [
        "half a surrogate pair",
        "/Patient",
        json('{"resourceType":"Patient","language":"\\ud800"}'),
        400,
        "body-refused",
      ],
      [
        "an endless list",
        "/Patient",
        json(`{"resourceType":"Patient","name":[${"{},".repeat(10_001)}{}]}`),
        400,
        "body-refused",
      ],
    ])("%s", async (_what, path, question, status, code) => {
      await refused(await serve(), path, question, status, code);
    });

    it.each<[string, string | Buffer, number, string]>([
      ["a name twice", '{"resourceType":"Patient","id":"1","id":"2"}', 400, "policy-types/body-malformed"],
      ["__proto__", '{"resourceType":"Patient","__proto__":{}}', 400, "policy-types/body-malformed"],
      ["a byte order mark", `\ufeff${JSON.stringify(PATIENT)}`, 400, "policy-types/body-malformed"],
      ["trailing data", `${JSON.stringify(PATIENT)}{}`, 400, "policy-types/body-malformed"],
      ["invalid UTF-8", Buffer.from([0x22, 0xff, 0x22]), 400, "policy-types/body-malformed"],
      ["too deep", `${"[".repeat(101)}${"]".repeat(101)}`, 400, "policy-types/body-malformed"],
      ["too long", `"${"x".repeat(1024 * 1024)}"`, 413, "policy-types/body-too-long"],
    ])("%s", async (_what, body, status, code) => {
      const edge = await serve();
      const answer = await ask(`${edge.url}/Patient`, { method: "POST", headers: FHIR, body });
      expect([answer.status, answer.code]).toEqual([status, code]);
      expect(edge.seen()).toEqual([]);
    });

    it("another charset", async () => {
      const edge = await serve();
      const headers = { "content-type": "application/fhir+json; charset=utf-16" };
      const answer = await ask(`${edge.url}/Patient`, send("POST", PATIENT, headers));
      expect([answer.status, answer.code]).toEqual([415, "policy-types/charset-unsupported"]);
    });

    it("tells every finding at once, with its place and without a value (S15)", async () => {
      const resource = { resourceType: "Patient", birthDate: "Zq7-not-a-date", Zq7: 1, name: [{ given: ["Zq7", ""] }] };
      const path = "/Patient?Zq7=1&birthdate=Zq7";
      const text = await refused(await serve(), path, send("PUT", resource), 400, "query-invalid");
      expect(text).not.toContain("Zq7");
      const { issue } = JSON.parse(text) as { issue: { severity: string; expression?: string[] }[] };
      const places = issue.flatMap(({ expression }) => expression ?? []);
      expect(places).toEqual(expect.arrayContaining(["birthdate", "Patient.birthDate"]));
      expect(issue.length).toBeGreaterThan(2);
    });
  });

  it.each<[string, string, Question, string]>([
    ["an unknown parameter", "/Patient?surname=x", {}, "MSG_PARAM_UNKNOWN"],
    ["a value", "/Patient?birthdate=x", {}, "MSG_PARAM_INVALID"],
    ["a modifier", "/Patient?birthdate:exact=2020", {}, "MSG_PARAM_MODIFIER_INVALID"],
    ["a chain", "/Observation?patient.surname=x", {}, "MSG_PARAM_CHAINED"],
    ["a repeat", "/Patient?_count=1&_count=2", {}, "MSG_PARAM_NO_REPEAT"],
    ["an order", "/Patient?_sort=surname", {}, "MSG_SORT_UNKNOWN"],
    ["another id", "/Patient/2", send("PUT", PATIENT), "MSG_RESOURCE_ID_MISMATCH"],
    ["another type", "/Group", send("POST", PATIENT), "MSG_RESOURCE_TYPE_MISMATCH"],
    ["no id", "/Patient/2", send("PUT", { resourceType: "Patient" }), "MSG_RESOURCE_ID_MISSING"],
    ["a media type", "/Patient", send("POST", "x", { "content-type": "text/plain" }), "MSG_BAD_FORMAT"],
    ["an answer's media type", "/Patient/1", { headers: { accept: "text/html" } }, "MSG_BAD_FORMAT"],
    ["an URL", "/Patient/1/2/3", {}, "MSG_UNKNOWN_OPERATION"],
    ["a body", "/Patient", send("POST", '{"constructor":1}'), "MSG_CANT_PARSE_CONTENT"],
    ["no body", "/Patient", { method: "POST" }, "MSG_RESOURCE_REQUIRED"],
  ])("%s is told in HL7's code for it as well", async (_what, path, question, code) => {
    const { text } = await ask((await serve()).url + path, question);
    const { issue } = JSON.parse(text) as { issue: { details: { coding: { system: string; code: string }[] } }[] };
    expect(issue[0]?.details.coding).toEqual([
      expect.objectContaining({ system: "urn:wardline:error-code" }),
      { system: "http://terminology.hl7.org/CodeSystem/operation-outcome", code },
    ]);
  });

  describe("a batch (A11)", () => {
    const batch = (...entry: object[]) =>
      send("POST", JSON.stringify({ resourceType: "Bundle", type: "batch", entry }).replace('"FRACTION"', "1.0"));
    const request = (method: string, url: string, more: object = {}) => ({ request: { method, url, ...more } });

    it.each<[string, object, string, string]>([
      ["a search that is none", request("GET", "Patient?surname=x"), "query-invalid", "Bundle.entry[0].request.url"],
      [
        "a condition that is none",
        { resource: { resourceType: "Patient" }, ...request("PUT", "Patient?surname=x") },
        "query-invalid",
        "Bundle.entry[0].request.url",
      ],
      [
        "a condition of a create that is none",
        { resource: { resourceType: "Patient" }, ...request("POST", "Patient", { ifNoneExist: "surname=x" }) },
        "query-invalid",
        "Bundle.entry[0].request.url",
      ],
      [
        "an integer with a fraction",
        { resource: { resourceType: "Patient", multipleBirthInteger: "FRACTION" }, ...request("POST", "Patient") },
        "resource-invalid",
        "Bundle.entry[0].resource.multipleBirth",
      ],
      ["an unknown URL", request("GET", "Nobody/1"), "resource-invalid", "Bundle.entry[0].request"],
      [
        "another type",
        { resource: { resourceType: "Patient" }, ...request("POST", "Observation") },
        "resource-invalid",
        "Bundle.entry[0].resource",
      ],
      [
        "another id",
        { resource: PATIENT, ...request("PUT", "Patient/2") },
        "resource-invalid",
        "Bundle.entry[0].resource.id",
      ],
      ["no resource to write", request("POST", "Patient"), "resource-invalid", "Bundle.entry[0].resource"],
      [
        "a resource to read with",
        { resource: PATIENT, ...request("GET", "Patient/1") },
        "resource-invalid",
        "Bundle.entry[0].resource",
      ],
      [
        "a malformed resource",
        { resource: { resourceType: "Patient", active: "yes" }, ...request("POST", "Patient") },
        "resource-invalid",
        "Bundle.entry[0].resource.active",
      ],
      [
        "a patch that is none",
        { resource: { resourceType: "Parameters" }, ...request("PATCH", "Patient/1") },
        "patch-invalid",
        "Bundle.entry[0].resource.parameter",
      ],
      [
        "inputs an operation has not",
        {
          resource: { resourceType: "Parameters", parameter: [{ name: "x", valueString: "y" }] },
          ...request("POST", "Patient/$meta-add"),
        },
        "operation-invalid",
        "Bundle.entry[0].resource.parameter[0].name",
      ],
    ])("refuses %s", async (_what, entry, code, expression) => {
      const text = await refused(await serve(), "/", batch(entry), 400, code);
      expect(text).toContain(`"${expression}"`);
    });
  });

  describe("options", () => {
    it("a closed list of types", async () => {
      const edge = await serve({ types: ["Patient"] });
      for (const path of [
        "/Observation?code=1",
        "/Observation/1",
        "/?_type=Patient,Observation",
        "/?_id=1",
        "/_history",
        "/Observation/$lastn",
      ]) {
        await refused(edge, path, {}, 404, "type-not-served");
      }
      const entry = [{ request: { method: "GET", url: "Observation/1" } }];
      await refused(edge, "/", send("POST", { resourceType: "Bundle", type: "batch", entry }), 404, "type-not-served");
      await passes(edge, "/Patient?name=a");
      await passes(edge, "/metadata");
    });

    it("parameters beyond R4", async () => {
      const edge = await serve({ extraParameters: ["asserted-date", "_getpages"] });
      await passes(edge, "/Condition?asserted-date=2020");
      await passes(edge, "/?_getpages=a-b");
    });

    it("report modes tell and let pass", async () => {
      const onReport = vi.fn<(report: SchemaReport) => void>();
      const edge = await serve({ queries: "report", resources: "report", onReport });
      await passes(edge, "/Patient?surname=a", { headers: { "x-request-id": "r-1" } });
      await passes(edge, "/Patient", send("POST", { resourceType: "Patient", surname: "Smith" }));
      const [[first], [second]] = onReport.mock.calls as [[SchemaReport], [SchemaReport]];
      expect(first).toMatchObject({
        of: "request",
        kind: "query",
        interaction: "search-type",
        type: "Patient",
        requestId: "r-1",
      });
      expect(second).toMatchObject({ of: "request", kind: "resource", interaction: "create" });
      expect(JSON.stringify(onReport.mock.calls)).not.toContain("Smith");
    });

    it("what R4's examples leave out passes and is told, or is refused; nothing beside it is overlooked", async () => {
      const unlinked = { resourceType: "Questionnaire", status: "draft", item: [{ type: "display" }] };
      const onReport = vi.fn<(report: SchemaReport) => void>();
      const edge = await serve({ onReport });
      await passes(edge, "/Questionnaire", send("POST", unlinked));
      const entry = [{ resource: unlinked, request: { method: "POST", url: "Questionnaire" } }];
      await passes(edge, "/", send("POST", { resourceType: "Bundle", type: "batch", entry }));
      const tell = (at: string) => ({
        kind: "resource",
        issues: [expect.objectContaining({ severity: "warning", expression: `${at}.item[0].linkId` })],
      });
      expect(onReport.mock.calls).toEqual([
        [expect.objectContaining(tell("Questionnaire"))],
        [expect.objectContaining(tell("Bundle.entry[0].resource"))],
      ]);
      const again = await serve({ onReport });
      const wrongEntry = [...entry, { resource: unlinked, request: { method: "POST", url: "Patient" } }];
      for (const [path, body] of [
        ["/Questionnaire/1", { ...unlinked, id: "2" }],
        [
          "/Questionnaire/1",
          '{"resourceType":"Questionnaire","id":"1","status":"draft","item":[{"type":"display","maxLength":1.0}]}',
        ],
        ["/", { resourceType: "Bundle", type: "batch", entry: wrongEntry }],
      ] as const) {
        await refused(again, path, send(path === "/" ? "POST" : "PUT", body), 400, "resource-invalid");
      }
      expect(onReport).toHaveBeenCalledTimes(2);
      const strict = await serve({ exampleFaults: "refuse" });
      await refused(strict, "/Questionnaire", send("POST", unlinked), 400, "resource-invalid");
    });

    it("operations by the definitions given, alone and in a batch", async () => {
      const definition = {
        resourceType: "OperationDefinition",
        code: "recall",
        system: false,
        type: true,
        instance: false,
        affectsState: true,
        resource: ["Device"],
        parameter: [{ name: "lot", use: "in", min: 1, max: "1", type: "string" }],
      };
      const edge = await serve({ operationDefinitions: [definition] });
      const lot = { resourceType: "Parameters", parameter: [{ name: "lot", valueString: "x" }] };
      const wrong = { resourceType: "Parameters", parameter: [{ name: "lots", valueString: "x" }] };
      await refused(edge, "/Device/$recall", send("POST", wrong), 400, "operation-invalid");
      await refused(edge, "/Patient/$recall", send("POST", lot), 400, "operation-invalid");
      await refused(edge, "/Device/$recall?lot=x", {}, 400, "operation-invalid");
      const entry = [{ resource: wrong, request: { method: "POST", url: "Device/$recall" } }];
      const batch = { resourceType: "Bundle", type: "batch", entry };
      await refused(edge, "/", send("POST", batch), 400, "operation-invalid");
      await passes(edge, "/Device/$recall", send("POST", lot));
    });

    it("what is no interaction is refused in every mode", async () => {
      const edge = await serve({ queries: "off", resources: "off" });
      await refused(edge, "/Patient/1/2/3", {}, 400, "interaction-unknown");
      await refused(edge, "/Patient", { method: "PUT" }, 400, "interaction-unknown");
    });

    it("off leaves alone", async () => {
      const edge = await serve({ queries: "off", resources: "off" });
      await passes(edge, "/Patient?surname=a");
      await passes(edge, "/Patient", send("POST", "<Patient/>", { "content-type": "application/fhir+xml" }));
      await passes(edge, "/", send("POST", { resourceType: "Bundle", type: "batch", nonsense: 1 }));
      await passes(edge, "/Patient/_search", send("POST", "surname=a", FORM));
    });

    it("responses are reported, and sent as they are", async () => {
      const onReport = vi.fn<(report: SchemaReport) => void>();
      const text = '{"resourceType":"Patient", "surname":"Smith", "extension":[{"url":"u","valueDecimal":2.00}]}';
      const edge = await serve(
        { responses: "report", onReport },
        (_req, res) => void res.type("application/fhir+json").end(text),
      );
      const answer = await ask(`${edge.url}/Patient/1`);
      expect([answer.status, answer.text]).toEqual([200, text]);
      expect(onReport.mock.calls[0]?.[0]).toMatchObject({ of: "response", kind: "resource", interaction: "read" });
      expect(JSON.stringify(onReport.mock.calls)).not.toContain("Smith");
    });

    it("a listener that throws decides nothing", async () => {
      const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
      const onReport = () => {
        throw new Error("listener");
      };
      await passes(await serve({ queries: "report", onReport }), "/Patient?surname=a");
      expect(warning).toHaveBeenCalled();
      warning.mockRestore();
    });

    it.each<[string, string, Question?]>([
      ["a read", "/Patient/1"],
      ["a create", "/Patient", send("POST", PATIENT)],
    ])("what fails behind %s fails once, as an error", async (_what, path, question) => {
      const failures: unknown[] = [];
      const failing = () => {
        throw new Error("handler");
      };
      const app = express();
      app.use("/fhir", fhirSchema(), failing);
      app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
        failures.push(error);
        res.status(500).end();
      });
      expect((await ask(`${await listen(app)}/fhir${path}`, question)).status).toBe(500);
      expect(failures).toEqual([new Error("handler")]);
    });

    it("an answer without a check is not held (nothing is registered when responses are off)", async () => {
      const edge = await serve();
      await passes(edge, "/Patient/1");
      expect(edge.seen().map((req) => contextOf(req).transforms)).toEqual([[]]);
    });
  });

  describe("profiles", () => {
    const url = "https://example.org/StructureDefinition/named";
    const structureDefinitions = [profile("Patient", [{ id: "Patient.name", min: 1 }], { url })];
    const unnamed = { resourceType: "Patient", active: true };
    const named = { ...unnamed, name: [{ family: "Smith" }] };

    it("that a type requires are met, or the answer is 422", async () => {
      const edge = await serve({ profiles: { structureDefinitions, required: { Patient: [url] } } });
      await refused(edge, "/Patient", send("POST", unnamed), 422, "profile-not-met");
      await refused(edge, "/Patient/1", send("PUT", { ...unnamed, id: "1" }), 422, "profile-not-met");
      await refused(edge, "/Patient", send("POST", { ...unnamed, active: 1 }), 400, "resource-invalid");
      const entry = [{ resource: unnamed, request: { method: "POST", url: "Patient" } }];
      const text = await refused(
        edge,
        "/",
        send("POST", { resourceType: "Bundle", type: "batch", entry }),
        422,
        "profile-not-met",
      );
      expect(text).toContain("Bundle.entry[0].resource");
      await passes(edge, "/Patient", send("POST", named));
    });

    it("that a resource claims are met", async () => {
      const edge = await serve({ profiles: { structureDefinitions } });
      const claiming = { ...unnamed, meta: { profile: [url] } };
      await refused(edge, "/Patient", send("POST", claiming), 422, "profile-not-met");
      await passes(edge, "/Patient", send("POST", unnamed));
    });

    it("absent must-support elements and advice are reported, and refuse nothing", async () => {
      const onReport = vi.fn<(report: SchemaReport) => void>();
      const supported = profile("Patient", [{ id: "Patient.name", mustSupport: true }], { url });
      const profiles = { structureDefinitions: [supported], required: { Patient: [url] } };
      const edge = await serve({ profiles, onReport });
      await passes(edge, "/Patient", send("POST", named));
      expect(onReport).not.toHaveBeenCalled();
      await passes(edge, "/Patient", send("POST", unnamed));
      expect(onReport.mock.calls).toEqual([
        [
          expect.objectContaining({
            kind: "profile",
            issues: [expect.objectContaining({ severity: "information", expression: "Patient.name" })],
          }),
        ],
      ]);
    });

    it("are judged beside what R4's examples leave out", async () => {
      const strict = profile("Questionnaire", [{ id: "Questionnaire.title", min: 1 }], { url });
      const edge = await serve({ profiles: { structureDefinitions: [strict], required: { Questionnaire: [url] } } });
      const unlinked = { resourceType: "Questionnaire", status: "draft", item: [{ type: "display" }] };
      await refused(edge, "/Questionnaire", send("POST", unlinked), 422, "profile-not-met");
      await passes(edge, "/Questionnaire", send("POST", { ...unlinked, title: "x" }));
    });

    it("are told at the start when they cannot be right", () => {
      expect(() => fhirSchema({ profiles: { structureDefinitions: [{}] }, maxCount: 0 })).toThrow(
        /maxCount.*profiles/s,
      );
    });
  });

  describe("lenient handling", () => {
    const LENIENT = { prefer: "return=minimal, handling=lenient" };

    it("is heeded only where the policy allows it", async () => {
      await refused(await serve(), "/Patient?surname=a", { headers: LENIENT }, 400, "query-invalid");
    });

    it("leaves unknown parameters out of what is forwarded, and says so", async () => {
      const echo = (req: Request, res: Response) =>
        void res.json({ url: req.url, query: req.query, rewritten: contextOf(req).rewritten });
      const edge = await serve({ allowLenient: true }, echo);
      const answer = await ask(`${edge.url}/Patient?sur%6eame=a&name=b%20c&surname=d`, { headers: LENIENT });
      expect(answer.headers["preference-applied"]).toBe("handling=lenient");
      expect(JSON.parse(answer.text)).toEqual({
        url: "/Patient?name=b%20c",
        query: { name: "b c" },
        rewritten: { url: "/Patient?name=b%20c" },
      });
      const strict = await ask(`${edge.url}/Patient?surname=a`);
      expect(strict.status).toBe(400);
    });

    it("in a form too", async () => {
      const echo = (req: Request, res: Response) =>
        void res.json({ body: req.body as unknown, rewritten: contextOf(req).rewritten });
      const edge = await serve({ allowLenient: true }, echo);
      const answer = await ask(
        `${edge.url}/Patient/_search`,
        send("POST", "surname=a&name=b&name=c", { ...FORM, ...LENIENT }),
      );
      expect(JSON.parse(answer.text)).toEqual({ body: { name: ["b", "c"] }, rewritten: { form: "name=b&name=c" } });
    });

    it("never where something is written by it", async () => {
      const edge = await serve({ allowLenient: true });
      const question = { ...send("PUT", { resourceType: "Patient" }), headers: { ...FHIR, ...LENIENT } };
      await refused(edge, "/Patient?identifier=1&surname=a", question, 400, "query-invalid");
    });
  });

  describe("beside other controls", () => {
    it("judges what an earlier control has named, as the client asked it", async () => {
      const earlier: RequestHandler = (req, _res, next) => {
        contextOf(req).interaction = parseInteraction({ method: "GET", path: "/Patient", query: "surname=a" });
        req.url = "/Patient?_id=1";
        next();
      };
      await refused(await serve({}, undefined, earlier), "/Patient?surname=a", {}, 400, "query-invalid");
    });

    it("refuses a URL that was changed before, when nobody has judged it (S6)", async () => {
      const earlier: RequestHandler = (req, _res, next) => {
        req.url = "/Patient/2";
        next();
      };
      await refused(await serve({}, undefined, earlier), "/Patient/1", {}, 400, "interaction-unknown");
    });

    it("takes the body that a parser has read", async () => {
      const parser = express.json({ type: "application/fhir+json" });
      const edge = await serve({}, undefined, parser);
      await refused(edge, "/Patient", send("POST", { resourceType: "Patient", surname: "x" }), 400, "resource-invalid");
      await refused(edge, "/Patient", send("POST", '{"resourceType":"Patient","prototype":1}'), 400, "body-refused");
      await passes(edge, "/Patient", send("POST", PATIENT));
    });

    it("hands the body over: parsed for handlers, as received for proxies", async () => {
      const text = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":2.00}}';
      const echo = (req: Request, res: Response) => {
        const { resourceType } = req.body as { resourceType: string };
        res.json([resourceType, contextOf(req).body?.bytes?.toString(), contextOf(req).rewritten === undefined]);
      };
      const answer = await ask(`${(await serve({}, echo)).url}/Observation`, send("POST", text));
      expect(JSON.parse(answer.text)).toEqual(["Observation", text, true]);
    });

    it("records its decision, names without values", async () => {
      const decisions: unknown[] = [];
      const edge = await serve({}, undefined, (req, res, next) => {
        res.once("close", () => decisions.push(...contextOf(req).decisions));
        next();
      });
      await ask(`${edge.url}/Patient?surname=Smith`);
      await vi.waitFor(() => expect(decisions).toHaveLength(1));
      expect(decisions[0]).toEqual({
        control: "fhir-schema",
        kind: "deny",
        because: ["query: The search has a parameter that is not defined for this type."],
        code: "fhir-schema/query-invalid",
      });
    });
  });
});
