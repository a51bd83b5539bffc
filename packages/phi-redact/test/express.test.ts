import { Readable } from "node:stream";
import { type AccessRecord, DependencyError } from "@wardline/policy-types";
import { afterAnswer, contextOf } from "@wardline/policy-types/express";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it } from "vitest";
import { type PhiRedactOptions, phiRedact } from "../src/index.ts";
import { PSEUDONYMS, SPY_CIPHER } from "./support/values.ts";

const FHIR = "application/fhir+json";
const SECRET = "zq-secret";
const patient = {
  resourceType: "Patient",
  id: "1",
  text: { status: "generated", div: `<div>${SECRET}</div>` },
  name: [{ family: "Chalmers" }],
};
const reports = { resourceType: "Basic", id: "b", code: { text: "x" } };

describe.each(EXPRESS)("%s", (_name, express) => {
  /** A FHIR base whose handler answers as told; what it was asked, and the record of the last request. */
  async function edge(
    options: PhiRedactOptions,
    handler: (req: Request, res: Response) => void,
    before?: (req: Request) => void,
  ) {
    const app = express();
    const seen: { runs: number; record: AccessRecord | undefined } = { runs: 0, record: undefined };
    app.use((req, res, next) => {
      afterAnswer(res, (record) => {
        seen.record = record;
      });
      before?.(req);
      next();
    });
    app.use("/fhir", phiRedact(options));
    app.use("/fhir", (req, res) => {
      seen.runs += 1;
      handler(req, res);
    });
    return { url: `${await listen(app)}/fhir`, seen };
  }
  const json = (body: unknown) => (_req: Request, res: Response) => void res.type(FHIR).json(body);

  it("S13: res.json, res.send, res.write and a stream are all redacted", async () => {
    const text = JSON.stringify(patient);
    const ways: readonly ((req: Request, res: Response) => void)[] = [
      json(patient),
      (_req, res) => void res.type(FHIR).send(text),
      (_req, res) => {
        res.setHeader("Content-Type", FHIR);
        res.write(text.slice(0, 40));
        res.end(text.slice(40));
      },
      (_req, res) => {
        res.setHeader("Content-Type", FHIR);
        Readable.from([text.slice(0, 9), text.slice(9)]).pipe(res);
      },
    ];
    for (const way of ways) {
      const { url } = await edge({ profile: "minimum-necessary", intermediary: "edge.example" }, way);
      const answer = await ask(`${url}/Patient/1`);
      expect(answer.status).toBe(200);
      expect(answer.text).toContain("Chalmers");
      expect(answer.text).not.toContain(SECRET);
      expect(answer.headers["x-intermediary"]).toBe("edge.example");
    }
  });

  it("records what it decided, and why", async () => {
    const { url, seen } = await edge({ profile: "minimum-necessary" }, json(patient));
    await ask(`${url}/Patient/1`);
    await expect
      .poll(() => seen.record?.decisions)
      .toContainEqual({
        control: "phi-redact",
        kind: "permit",
        because: ["profile minimum-necessary"],
      });
  });

  it("decimals keep their precision (R4 json.html)", async () => {
    const text =
      '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":2.00},"note":[{"text":"n"}],"component":[{"code":{},"valueQuantity":{"value":1.10e1}}]}';
    const { url } = await edge({ profile: "minimum-necessary" }, (_req, res) => void res.type(FHIR).send(text));
    const answer = await ask(`${url}/Observation/1`);
    expect(answer.text).toContain('"value":2.00');
    expect(answer.text).toContain('"value":1.10e1');
    expect(answer.text).not.toContain("note");
  });

  it("NDJSON goes line by line, and what may not leave is no line", async () => {
    const lines = [
      patient,
      {
        ...reports,
        meta: { security: [{ system: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", code: "V" }] },
      },
      reports,
    ];
    const { url } = await edge(
      { profile: "minimum-necessary", sensitive: [{ category: "restricted", fate: "drop" }] },
      (_req, res) => {
        res.setHeader("Content-Type", "application/fhir+ndjson");
        res.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      },
    );
    const answer = await ask(`${url}/Patient`);
    const out = answer.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: string });
    expect(out.map(({ id }) => id)).toEqual(["1", "b"]);
    expect(answer.text).not.toContain(SECRET);
  });

  it("batch and history answers are redacted entry by entry", async () => {
    const { url } = await edge(
      { profile: "minimum-necessary" },
      json({
        resourceType: "Bundle",
        type: "batch-response",
        entry: [{ response: { status: "200" }, resource: patient }],
      }),
    );
    const body = JSON.stringify({
      resourceType: "Bundle",
      type: "batch",
      entry: [{ request: { method: "GET", url: "Patient/1" } }],
    });
    const answer = await ask(url, { method: "POST", headers: { "Content-Type": FHIR }, body });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain("Chalmers");
    expect(answer.text).not.toContain(SECRET);
  });

  it.each<[string, PhiRedactOptions, (req: Request, res: Response) => void, number, string]>([
    ["S12: not FHIR", { profile: "full" }, json({ name: SECRET }), 502, "phi-redact/answer-unjudgeable"],
    [
      "S12: a type R4 does not have",
      { profile: "full" },
      json({ resourceType: "Chart", name: SECRET }),
      502,
      "phi-redact/answer-unjudgeable",
    ],
    ["S12: text", { profile: "full" }, (_req, res) => void res.send(SECRET), 502, "phi-redact/answer-unjudgeable"],
    [
      "S12: XML",
      { profile: "full" },
      (_req, res) => void res.type("application/fhir+xml").send(SECRET),
      502,
      "phi-redact/answer-unjudgeable",
    ],
    [
      "S12: a rule that fails",
      {
        profile: { name: "x", rules: [{ path: "Patient.name", action: "encrypt" }] },
        cipher: {
          ...SPY_CIPHER,
          encryptField: () => {
            throw new Error(SECRET);
          },
        },
      },
      json(patient),
      502,
      "phi-redact/answer-unjudgeable",
    ],
    [
      "S15: an error page",
      { profile: "full" },
      (_req, res) => void res.status(404).send(SECRET),
      404,
      "phi-redact/error-withheld",
    ],
    [
      "S15: an error in JSON",
      { profile: "full" },
      (_req, res) => void res.status(400).json({ error: SECRET }),
      400,
      "phi-redact/error-withheld",
    ],
    [
      "A9: a resource that may not leave",
      { profile: "full", sensitive: [{ category: "restricted", fate: "drop" }] },
      json({
        ...patient,
        meta: { security: [{ system: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", code: "V" }] },
      }),
      404,
      "phi-redact/not-available",
    ],
  ])("%s is not sent", async (_name2, options, handler, status, code) => {
    const { url, seen } = await edge(options, handler);
    const answer = await ask(`${url}/Patient/1`);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(answer.text).not.toContain(SECRET);
    await expect
      .poll(() => seen.record?.decisions)
      .toContainEqual(expect.objectContaining({ control: "phi-redact", kind: "deny", code }));
  });

  describe("A9: what is withheld, what is absent and what was deleted look alike where resources are withheld", () => {
    const sensitive = [{ category: "restricted", fate: "drop" }] as const;
    const security = [{ system: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", code: "V" }];
    const withheld = { ...patient, meta: { security } };
    const outcome = { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "not-found" }] };
    const told = (status: number, body?: object) => (_req: Request, res: Response) =>
      void (body === undefined ? res.status(status).end() : res.status(status).type(FHIR).json(body));
    const bundle = (type: string, entry: readonly object[]) => ({ resourceType: "Bundle", type, entry });
    const page = (_req: Request, res: Response) => void res.status(404).type("html").send("<p>nothing</p>");
    const looks = async (handler: (req: Request, res: Response) => void, path: string, profile: PhiRedactOptions) => {
      const { url } = await edge(profile, handler);
      const { status, text } = await ask(`${url}${path}`);
      return [status, text];
    };

    it.each<[string, string, object]>([
      ["read", "/Patient/1", withheld],
      ["vread", "/Patient/1/_history/2", withheld],
      ["history", "/Patient/1/_history", bundle("history", [{ resource: withheld }])],
    ])("on a %s", async (_what, path, body) => {
      const profile: PhiRedactOptions = { profile: "full", sensitive };
      const expected = await looks(told(200, body), path, profile);
      expect(expected[0]).toBe(404);
      for (const absent of [told(404, outcome), told(410, outcome), told(404), page]) {
        expect(await looks(absent, path, profile)).toEqual(expected);
      }
      const open = await looks(told(410, outcome), path, { profile: "full" });
      expect(open).toEqual([410, JSON.stringify(outcome)]);
    });

    it("in a batch", async () => {
      const answered = bundle("batch-response", [
        { resource: withheld, response: { status: "200 OK", etag: 'W/"1"' } },
        { response: { status: "404 Not Found", outcome } },
        { response: { status: "410", lastModified: "2026-01-02T03:04:05Z" } },
        { response: { status: "204" } },
      ]);
      const { url } = await edge({ profile: "full", sensitive }, json(answered));
      const body = JSON.stringify(bundle("batch", [{ request: { method: "GET", url: "Patient/1" } }]));
      const answer = await ask(url, { method: "POST", headers: { "Content-Type": FHIR }, body });
      const { entry } = JSON.parse(answer.text) as { entry: object[] };
      expect(entry).toEqual([
        ...Array<object>(3).fill({ response: { status: "404" } }),
        { response: { status: "204" } },
      ]);
    });
  });

  describe("S12: parts of resources, which show no category, are asked of no handler where categories are withheld", () => {
    const sensitive = [{ category: "hiv", fate: "drop" }] as const;
    const batch = (url: string, method = "GET") => ({
      resourceType: "Bundle",
      type: "batch",
      entry: [{ request: { method, url } }],
    });
    const elements = { resourceType: "Parameters", parameter: [{ name: "_elements", valueString: "note" }] };

    it.each<[string, string, unknown?]>([
      ["_elements of a read", "/Condition/1?_elements=note"],
      ["_elements of a search", "/Condition?_elements=note"],
      ["_elements of an operation", "/Patient/1/$everything?_elements:exclude=Condition.code"],
      ["_elements in a body", "/Patient/1/$everything", elements],
      ["_elements in a batch", "/", batch("Condition?_elements=note")],
      ["HEAD in a batch, whose answer shows nothing at all", "/", batch("Condition/1", "HEAD")],
      ["_elements in a form", "/Condition/_search", "code=x&_elements=note"],
      ["a text summary", "/Condition/1?_summary=text"],
      ["a summary spelled otherwise", "/Condition?%5fsummary=true"],
    ])("%s", async (_what, path, body) => {
      const { url, seen } = await edge({ profile: "full", sensitive }, json(reports));
      const isForm = typeof body === "string";
      const sent = isForm ? body : JSON.stringify(body);
      const type = isForm ? "application/x-www-form-urlencoded" : FHIR;
      const question =
        body === undefined ? {} : { method: "POST", headers: { "Content-Type": type }, body: sent as string };
      const answer = await ask(`${url}${path}`, question);
      expect([answer.status, answer.code, seen.runs]).toEqual([403, "phi-redact/parts-asked", 0]);
    });

    it.each<[string, string, string, string?]>([
      ["of a read", "/Condition/1?_elements=note", "/Condition/1"],
      ["of a search", "/Condition?_elements:exclude=code&code=x&_summary=true", "/Condition?code=x"],
      ["spelled otherwise", "/Condition?%5fsummary=text&_count=5", "/Condition?_count=5"],
      ["in a form", "/Condition/_search", "/Condition/_search", "code=x&_elements=note&_summary=data"],
    ])("are left out where the handler goes by what was rewritten: %s", async (_what, path, seenPath, form) => {
      const asked: unknown[] = [];
      const options = { profile: "full", sensitive, parts: "leave-out" } as const;
      const { url } = await edge(options, (req, res) => {
        asked.push(req.url, form === undefined ? Object.keys(req.query) : (req.body as unknown));
        json(reports)(req, res);
      });
      const question =
        form === undefined
          ? {}
          : { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: form };
      const answer = await ask(`${url}${path}`, question);
      expect(answer.status).toBe(200);
      const query = [...new URLSearchParams(seenPath.split("?")[1]).keys()];
      expect(asked).toEqual([seenPath, form === undefined ? query : { code: "x" }]);
    });

    it.each<[string, unknown]>([
      ["/Patient/1/$everything", elements],
      ["/", batch("Condition?_elements=note")],
    ])("in a body are refused all the same: %s", async (path, body) => {
      const { url, seen } = await edge({ profile: "full", sensitive, parts: "leave-out" }, json(reports));
      const question = { method: "POST", headers: { "Content-Type": FHIR }, body: JSON.stringify(body) };
      const answer = await ask(`${url}${path}`, question);
      expect([answer.status, answer.code, seen.runs]).toEqual([403, "phi-redact/parts-asked", 0]);
    });

    it.each(["/Condition?_summary=false", "/Condition?_summary=count", "/Condition?code=_elements"])(
      "%s asks for whole ones",
      async (path) => {
        const { url, seen } = await edge({ profile: "full", sensitive }, json(reports));
        expect([(await ask(`${url}${path}`)).status, seen.runs]).toEqual([200, 1]);
      },
    );

    it("are given where nothing is withheld", async () => {
      const { url } = await edge({ profile: "full" }, json(reports));
      expect((await ask(`${url}/Condition/1?_elements=note`)).status).toBe(200);
    });
  });

  it("A1: a search that probes does not reach the handler", async () => {
    const { url, seen } = await edge({ profile: "minimum-necessary" }, json(patient));
    const get = await ask(`${url}/Patient?identifier=${SECRET}`);
    const body = `identifier=${SECRET}`;
    const post = await ask(`${url}/Patient/_search`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body,
    });
    for (const answer of [get, post]) {
      expect([answer.status, answer.code]).toEqual([403, "phi-redact/search-probes"]);
      expect(answer.text).not.toContain(SECRET);
    }
    expect(seen.runs).toBe(0);
  });

  it.each<[string, string, string, unknown]>([
    [
      "PUT with SUBSETTED",
      "PUT",
      "Patient/1",
      {
        ...patient,
        meta: { tag: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", code: "SUBSETTED" }] },
      },
    ],
    [
      "PUT with a redaction label",
      "PUT",
      "Patient/1",
      {
        ...patient,
        meta: { security: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", code: "MASKED" }] },
      },
    ],
    [
      "PUT with a masked element",
      "PUT",
      "Patient/1",
      {
        resourceType: "Patient",
        id: "1",
        _birthDate: {
          extension: [{ url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" }],
        },
      },
    ],
    [
      "PUT with a ciphertext",
      "PUT",
      "Patient/1",
      {
        resourceType: "Patient",
        id: "1",
        name: [{ extension: [{ url: "urn:wardline:encrypted-field", valueString: "x" }] }],
      },
    ],
    [
      "POST",
      "POST",
      "Patient",
      {
        resourceType: "Patient",
        meta: { tag: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", code: "SUBSETTED" }] },
      },
    ],
    [
      "PATCH of a whole name",
      "PATCH",
      "Patient/1",
      [
        {
          op: "add",
          path: "/name/0",
          value: {
            extension: [{ url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" }],
          },
        },
      ],
    ],
    [
      "a transaction",
      "POST",
      "",
      {
        resourceType: "Bundle",
        type: "transaction",
        entry: [
          {
            request: { method: "PUT", url: "Patient/1" },
            resource: {
              resourceType: "Patient",
              id: "1",
              meta: {
                tag: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", code: "SUBSETTED" }],
              },
            },
          },
        ],
      },
    ],
  ])("a partial resource is not written back: %s", async (_name2, method, path, body) => {
    const { url, seen } = await edge({ profile: "minimum-necessary" }, json(patient));
    const type = method === "PATCH" ? "application/json-patch+json" : FHIR;
    const answer = await ask(`${url}/${path}`, {
      method,
      headers: { "Content-Type": type },
      body: JSON.stringify(body),
    });
    expect([answer.status, answer.code, seen.runs]).toEqual([422, "phi-redact/partial-write", 0]);
    expect(answer.text).toContain("PATCH of the elements to change");
  });

  it("what the edge itself redacted is recognised when it comes back", async () => {
    const { url, seen } = await edge({ profile: "minimum-necessary" }, json(patient));
    const read = await ask(`${url}/Patient/1`);
    const answer = await ask(`${url}/Patient/1`, { method: "PUT", headers: { "Content-Type": FHIR }, body: read.text });
    expect([answer.status, answer.code, seen.runs]).toEqual([422, "phi-redact/partial-write", 1]);
  });

  it("a whole resource is written, and a body that is no JSON is not", async () => {
    const { url, seen } = await edge(
      { profile: "minimum-necessary" },
      (req, res) => void res.type(FHIR).json(req.body),
    );
    const { text: _text, ...whole } = patient;
    const put = await ask(`${url}/Patient/1`, {
      method: "PUT",
      headers: { "Content-Type": FHIR },
      body: JSON.stringify(whole),
    });
    expect([put.status, JSON.parse(put.text)]).toEqual([200, whole]);
    const xml = await ask(`${url}/Patient/1`, {
      method: "PUT",
      headers: { "Content-Type": "application/fhir+xml" },
      body: "<Patient/>",
    });
    expect([xml.status, xml.code, seen.runs]).toEqual([415, "phi-redact/body-unreadable", 1]);
  });

  it("A5: the profile follows zone, role, purpose, API type and client; no profile, no data", async () => {
    const principal = { method: "jwt", issuer: "i", subject: "s", launch: {}, scopes: [] } as const;
    const options: PhiRedactOptions = {
      profiles: [
        { when: { zones: ["device"] }, profile: "minimum-necessary/telemetry" },
        {
          when: { clients: ["scheduler"], roles: ["clerk"], purposes: ["HOPERAT"], apiTypes: ["clinical"] },
          profile: { name: "names", only: ["Patient.name"] },
        },
        { when: { purposes: ["TREAT"] }, profile: "full" },
      ],
    };
    const as = async (facts: object, who: object) => {
      const { url, seen } = await edge(options, json(patient), (req) => {
        Object.assign(contextOf(req), facts, { principal: { ...principal, roles: [], purposeOfUse: [], ...who } });
      });
      const answer = await ask(`${url}/Patient/1`);
      return answer.status === 200 ? Object.keys(JSON.parse(answer.text) as object) : [answer.code, seen.runs];
    };
    expect(await as({ zone: "device" }, {})).toEqual(["phi-redact/type-withheld", 0]);
    expect(
      await as({ apiType: "clinical" }, { clientId: "scheduler", roles: ["clerk"], purposeOfUse: ["PATADMIN"] }),
    ).toEqual(["resourceType", "id", "name", "meta"]);
    expect(await as({ apiType: "clinical" }, { clientId: "scheduler", roles: [], purposeOfUse: ["PATADMIN"] })).toEqual(
      ["phi-redact/no-profile", 0],
    );
    expect(await as({}, { purposeOfUse: ["ETREAT"] })).toEqual(Object.keys(patient));
    expect(await as({}, {})).toEqual(["phi-redact/no-profile", 0]);
  });

  it.each<[string, PhiRedactOptions]>([
    [
      "the key provider is down",
      {
        profile: { name: "x", rules: [{ path: "Patient.name", action: "encrypt" }] },
        cipher: { ...SPY_CIPHER, prepare: () => Promise.reject(new DependencyError("k", "down", { retryable: true })) },
      },
    ],
    [
      "the key provider hangs (F1)",
      {
        prepareTimeoutMs: 20,
        profile: { name: "x", rules: [{ path: "Patient.name", action: "encrypt" }] },
        cipher: { ...SPY_CIPHER, prepare: () => new Promise(() => undefined) },
      },
    ],
    ["the consent registry is down (F8)", { profile: "42cfr-part2", consent: () => Promise.reject(new Error("down")) }],
    [
      "the consent registry throws",
      {
        profile: "42cfr-part2",
        consent: () => {
          throw new Error("down");
        },
      },
    ],
  ])("%s: 503, and the handler does not run", async (_name2, options) => {
    const { url, seen } = await edge(options, json(patient));
    const answer = await ask(`${url}/Patient/1`);
    expect([answer.status, answer.code, answer.headers["retry-after"], seen.runs]).toEqual([
      503,
      "phi-redact/preparation-failed",
      "5",
      0,
    ]);
  });

  it("replaced ids do not come back in headers", async () => {
    const profile = { name: "x", rules: [{ path: "Resource.id", action: "pseudonymise" as const }] };
    const { url } = await edge({ profile, pseudonyms: PSEUDONYMS }, (_req, res) => {
      res.set({ Location: "/fhir/Patient/1/_history/1", "Content-Location": "/fhir/Patient/1" });
      res.type(FHIR).json(patient);
    });
    const answer = await ask(`${url}/Patient/1`);
    expect(answer.headers["location"] ?? answer.headers["content-location"]).toBeUndefined();
    expect((JSON.parse(answer.text) as { id: string }).id).toMatch(/^v1\.k1\./);
  });

  it.each([
    ["in a string in a string", JSON.stringify(JSON.stringify({ email: SECRET })), String.raw`"{\"email\":\"****\"}"`],
    ["behind which a masked one stands", `{"email":"${SECRET}", "email":"****"}`, '{"email":"****"}'],
    ["that no rule names, as it is", '{ "x": [ 1.50, "a:", "\\":" ] }', '{ "x": [ 1.50, "a:", "\\":" ] }'],
  ])("S11: plain JSON in a string is seen %s", async (_where, note, after) => {
    const json = [{ path: "$..email", action: "mask" as const }];
    const { url } = await edge({ json }, (_req, res) => void res.json({ note }));
    expect(JSON.parse((await ask(`${url}/anything`)).text)).toEqual({ note: after });
  });

  it("S11: a date that was removed does not come back in a header", async () => {
    const answered = async (profile: "safe-harbor" | "full"): Promise<unknown> => {
      const { url } = await edge({ profile }, (_req, res) => {
        res.set("Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT").type(FHIR).json(patient);
      });
      return (await ask(`${url}/Patient/1`)).headers["last-modified"];
    };
    expect([await answered("safe-harbor"), await answered("full")]).toEqual([
      undefined,
      "Wed, 01 Jan 2020 00:00:00 GMT",
    ]);
  });

  it("plain JSON has rules of its own, at any depth, in any case, and in strings", async () => {
    const body = {
      SSN: SECRET,
      people: [{ email: SECRET, note: JSON.stringify({ deep: [{ Email: SECRET }] }) }],
      kept: 1,
    };
    const { url } = await edge(
      {
        json: [
          { path: "$.ssn", action: "remove" },
          { path: "$..email", action: "mask" },
        ],
      },
      (_req, res) => void res.json(body),
    );
    const answer = await ask(`${url}/anything`);
    expect(JSON.parse(answer.text)).toEqual({
      people: [{ email: "****", note: '{"deep":[{"Email":"****"}]}' }],
      kept: 1,
    });
    const { url: broken } = await edge(
      { json: [{ path: "$.ssn", action: "remove" }] },
      (_req, res) => void res.send(SECRET),
    );
    expect((await ask(`${broken}/anything`)).status).toBe(502);
  });
});
