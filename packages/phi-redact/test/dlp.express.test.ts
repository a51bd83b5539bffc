import { contextOf } from "@wardline/policy-types/express";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { type DlpFinding, type DlpOptions, exchangePhi } from "../src/dlp/index.ts";
import { dlp } from "../src/express/dlp.ts";

describe.each(EXPRESS)("dlp() on %s", (_name, express) => {
  async function serve(options: DlpOptions = {}, answer: unknown = { resourceType: "Bundle" }) {
    const told: DlpFinding[] = [];
    const seen: { url: string; decisions: unknown; names: readonly string[]; texts: readonly string[] }[] = [];
    const app = express();
    app.use("/fhir", dlp({ onFindings: (findings) => void told.push(...findings), ...options }), (req, res) => {
      seen.push({
        url: req.url,
        decisions: contextOf(req).decisions,
        names: options.exchange?.names() ?? [],
        texts: options.exchange?.texts() ?? [],
      });
      res.json(answer);
    });
    return { url: `${await listen(app)}/fhir`, told, seen };
  }

  it("refuses an identifier in the URL: 400, an OperationOutcome, and the route does not run", async () => {
    const { url, told, seen } = await serve();
    for (const target of ["/Patient/536-22-1234", "/Observation?code=536-22-1234", "/x?a=mail%40clinic.example.org"]) {
      const answer = await ask(`${url}${target}`);
      expect(answer).toMatchObject({ status: 400, code: "phi-redact/phi-in-url" });
      expect(answer.headers["content-type"]).toContain("application/fhir+json");
      expect(answer.text).not.toMatch(/536-22|clinic/);
    }
    expect(seen).toEqual([]);
    expect(told).toEqual([
      { place: "path", entity: "ssn", confidence: 0.85 },
      { place: "query", name: "code", entity: "ssn", confidence: 0.85 },
      { place: "query", entity: "email", confidence: 0.9 },
    ]);
  });

  it("tells how to ask instead: the same search passes as POST _search, its URL searched as well", async () => {
    const { url, seen } = await serve();
    const refused = await ask(`${url}/Patient?name=Smith&birthdate=1970-02-28`);
    expect(refused).toMatchObject({ status: 400, code: "phi-redact/search-needs-post" });
    const outcome = JSON.parse(refused.text) as { issue: { expression: string[]; details: { text: string } }[] };
    expect(outcome.issue[0]?.expression).toEqual(["name", "birthdate"]);
    expect(outcome.issue[0]?.details.text).toContain("POST [base]/[type]/_search");
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const body = "name=Smith&birthdate=1970-02-28";
    expect(await ask(`${url}/Patient/_search`, { method: "POST", headers: form, body })).toMatchObject({ status: 200 });
    expect(await ask(`${url}/Patient/_search?name=Smith`, { method: "POST", headers: form, body: "" })).toMatchObject({
      status: 400,
    });
    expect(await ask(`${url}/Patient?name=Smith`, { method: "HEAD" })).toMatchObject({ status: 400 });
    expect(await ask(`${url}/Patient?identifier=x`, { method: "DELETE" })).toMatchObject({ status: 200 });
    expect(seen).toHaveLength(2);
  });

  it("lets ordinary requests pass and says so in its decision", async () => {
    const { url, told, seen } = await serve();
    expect(await ask(`${url}/Observation?patient=Patient/1&code=http://loinc.org%7C8867-4`)).toMatchObject({
      status: 200,
    });
    expect(seen[0]?.decisions).toEqual([{ control: "dlp", kind: "permit", because: ["nothing found"] }]);
    expect(told).toEqual([]);
  });

  it("headers: told by default, refused when asked to, credentials never looked at", async () => {
    const headers = { "X-Note": "ssn 536-22-1234", Cookie: "ssn=536-22-1234", Authorization: "Bearer 536-22-1234" };
    const telling = await serve();
    expect(await ask(`${telling.url}/Patient/1`, { headers })).toMatchObject({ status: 200 });
    expect(telling.told).toEqual([{ place: "header", entity: "ssn", confidence: 0.95 }]);
    const refusing = await serve({ headers: "refuse" });
    expect(await ask(`${refusing.url}/Patient/1`, { headers })).toMatchObject({
      status: 400,
      code: "phi-redact/phi-in-header",
    });
    const silent = await serve({ headers: "off" });
    expect(await ask(`${silent.url}/Patient/1`, { headers })).toMatchObject({ status: 200 });
    expect(silent.told).toEqual([]);
  });

  it("bodies: told with the names of the answer, which may stand in the URL; both pass unchanged", async () => {
    const patient = { resourceType: "Patient", name: [{ family: "Mustermann", given: ["Erika"] }] };
    const exchange = exchangePhi();
    const { url, told, seen } = await serve({ bodies: "report", exchange }, patient);
    const body = { resourceType: "Patient", name: [{ family: "Beispiel" }], telecom: [{ value: "x@y.example" }] };
    const answer = await ask(`${url}/Patient/erika-mustermann`, {
      method: "PUT",
      headers: { "Content-Type": "application/fhir+json" },
      body: JSON.stringify(body),
    });
    expect(JSON.parse(answer.text)).toEqual(patient);
    expect(seen[0]?.names).toEqual(["Beispiel"]);
    await expect
      .poll(() => told)
      .toEqual([
        { place: "body", entity: "email", confidence: 0.9 },
        { place: "path", entity: "name", confidence: 0.95 },
      ]);
    const broken = await ask(`${url}/Patient`, {
      method: "POST",
      headers: { "Content-Type": "application/fhir+json" },
      body: "{",
    });
    expect(broken.status).toBe(400);
    const large = await serve({ bodies: "report", bodyLimitBytes: 10 });
    const tooLarge = { method: "POST", headers: { "Content-Type": "application/fhir+json" }, body: '{"a":"bcdefghi"}' };
    expect(await ask(`${large.url}/Patient`, tooLarge)).toMatchObject({ status: 413 });
  });

  it("redact-in-log: passes, and what was found is known to the log during this request only", async () => {
    const exchange = exchangePhi();
    const { url, seen } = await serve({ query: "redact-in-log", searches: "redact-in-log", exchange });
    expect(await ask(`${url}/Patient?name=Smith&note=536-22-1234`)).toMatchObject({ status: 200 });
    expect(await ask(`${url}/Patient/1`)).toMatchObject({ status: 200 });
    expect(seen.map(({ texts }) => texts)).toEqual([["Smith", "536-22-1234"], []]);
    expect(exchange.texts()).toEqual([]);
  });

  it("what is switched off is neither told nor among the reasons", async () => {
    const { url, told, seen } = await serve({ path: "off", query: "off", searches: "off" });
    expect(await ask(`${url}/Patient/536-22-1234?name=Smith&note=536-22-1234`)).toMatchObject({ status: 200 });
    expect(told).toEqual([]);
    expect(seen[0]?.decisions).toEqual([{ control: "dlp", kind: "permit", because: ["nothing found"] }]);
  });

  it("a listener that throws changes nothing", async () => {
    const { url } = await serve({
      onFindings: () => {
        throw new Error("listener");
      },
    });
    expect(await ask(`${url}/Patient?name=Smith`)).toMatchObject({ status: 400 });
    expect(await ask(`${url}/Patient?gender=male`, { headers: { "X-Note": "536-22-1234" } })).toMatchObject({
      status: 200,
    });
  });
});
