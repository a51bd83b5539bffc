import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { fhirSchema } from "../src/index.ts";

/** Bounded fuzzing over the real middleware: it answers, quickly, and never with a 500. */
const [[, express]] = EXPRESS;
const RUNS = { numRuns: 100 };
/** Wall-clock bounds leave room for a machine that is busy with other things. */
const SLOW_MS = 5000;

describe("whatever comes", { timeout: 60_000 }, () => {
  let origin = "";
  beforeEach(async () => {
    const app = express();
    app.use("/fhir", fhirSchema(), (_req, res) => void res.json({ resourceType: "Patient" }));
    origin = `${await listen(app)}/fhir`;
  });

  async function answers(path: string, question: Parameters<typeof ask>[1]): Promise<void> {
    const started = performance.now();
    const { status, text } = await ask(origin + path, question);
    expect(performance.now() - started).toBeLessThan(SLOW_MS);
    expect([200, 400, 406, 413, 415]).toContain(status);
    expect(text).not.toContain("Zq7");
    expect(text).not.toMatch(/Error|at .*\.ts|node_modules/);
  }

  const names = fc.oneof(
    fc.constantFrom(
      "name",
      "birthdate",
      "_has:Observation:patient:code",
      "general-practitioner:Practitioner.name",
      "_count",
      "_sort",
      "_include",
      "_filter",
      "identifier:of-type",
    ),
    fc.string({ unit: "grapheme" }),
  );
  const values = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.constantFrom("Zq7", "eq2020", "a|b|c|d", "\\", ",,,", "$"),
  );

  it("in a query", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(names, values), { maxLength: 8 }), async (pairs) => {
        const query = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
        await answers(`/Patient?${query}`, {});
        const headers = { "content-type": "application/x-www-form-urlencoded" };
        await answers("/Patient/_search", { method: "POST", headers, body: query });
      }),
      RUNS,
    );
  });

  it("in a body", async () => {
    const headers = { "content-type": "application/fhir+json" };
    const whole = Buffer.from(
      '{"resourceType":"Patient","id":"1","name":[{"given":["Zq7"]}],"multipleBirthInteger":2.0}',
    );
    const corrupted = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      });
    const any = fc.oneof(
      corrupted,
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(
        any,
        fc.constantFrom("POST /Patient", "PUT /Patient/1", "PATCH /Patient/1", "POST /", "POST /Patient/$match"),
        async (body, target) => {
          const [method = "", path = ""] = target.split(" ");
          await answers(path, { method, headers, body });
        },
      ),
      RUNS,
    );
  });

  it("in a batch's entries", async () => {
    const headers = { "content-type": "application/fhir+json" };
    const request = fc.record(
      { method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "get", ""), url: fc.string() },
      { requiredKeys: [] },
    );
    const entry = fc.record({ request, resource: fc.jsonValue() }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 5 }), async (entries) => {
        await answers("/", {
          method: "POST",
          headers,
          body: JSON.stringify({ resourceType: "Bundle", type: "batch", entry: entries }),
        });
      }),
      RUNS,
    );
  });

  it("in the headers", async () => {
    const header = fc.string({ maxLength: 60 }).map((text) => text.replace(/[^\t\x20-\x7e]/g, "?"));
    await fc.assert(
      fc.asyncProperty(header, header, header, async (accept, type, prefer) => {
        const headers = { accept, "content-type": type, prefer };
        await answers("/Patient", { method: "POST", headers, body: "{}" });
      }),
      RUNS,
    );
  });
});

function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return "%";
  }
}
