import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Json } from "@wardline/policy-types/express";
import { listenOnPort } from "@wardline-tools/test-kit";
import express from "express";
import { describe, expect, it } from "vitest";
import { inspectBody } from "../../src/hostile/body.ts";
import { inspectParameters, inspectText } from "../../src/hostile/inspect.ts";
import { hostilePolicy } from "../../src/hostile/options.ts";
import { hostileBody, perimeter } from "../../src/index.ts";

const policy = hostilePolicy({});
const SHARED = fileURLToPath(new URL("../../../../../shared/vectors/", import.meta.url));
const EXAMPLES = dirname(createRequire(import.meta.url).resolve("hl7.fhir.r4.examples/package.json"));

describe("the official R4 examples", () => {
  const files = readdirSync(EXAMPLES).filter((name) => name.endsWith(".json") && !/^(?:\.|package)/.test(name));
  const read = (name: string): Json => JSON.parse(readFileSync(join(EXAMPLES, name), "utf8")) as Json;

  it("none of 5,306 resources is refused as a body", { timeout: 60_000 }, () => {
    const refused = files.filter(
      (name) => inspectBody({ mediaType: "application/fhir+json", json: read(name) }, policy).length > 0,
    );
    console.log(`hostile input: ${refused.length} of ${files.length} official resources refused`);
    expect(refused).toEqual([]);
    expect(files.length).toBeGreaterThanOrEqual(5306);
  });

  it("of their strings, searched for, fewer than 1 in 1000 is taken for an attack", { timeout: 60_000 }, () => {
    const texts = new Set<string>();
    for (const name of files) collect(read(name), texts);
    const flagged = [...texts].filter((text) => inspectText(text, policy.rules.parameter) !== undefined);
    console.log(
      `hostile input: ${flagged.length} of ${texts.size} strings of the official resources flagged as a search value`,
    );
    expect(texts.size).toBeGreaterThan(100_000);
    expect(flagged.length / texts.size).toBeLessThan(0.001);
  });
});

describe("clinical searches", () => {
  it.each([
    ["name", "O'Brien"],
    ["name", "D'Angelo and O'Neil"],
    ["code", "http://loinc.org|8480-6,http://loinc.org|8462-4"],
    ["value-quantity", "gt5.4|http://unitsofmeasure.org|mg"],
    ["date", "ge2020-01-01T00:00:00+01:00"],
    ["identifier", "http://mrn.hospital.internal|id"],
    ["_content", "alert (oriented x3), BP 120/80; HR 72 & stable"],
    ["_text", "HbA1c -- 7.2%, select patients from the clinic and (x)"],
    ["_filter", "name co \"pet\" and (given eq 'x' or birthdate ge 2000-01-01)"],
    ["_has:Observation:patient:code", "1234-5"],
    ["subject:Patient.general-practitioner", "https://fhir.example.org/Practitioner/1"],
    ["url", "http://snomed.info/sct?fhir_vs=ecl/<<404684003 |Clinical finding|: 363698007 = << 39057004"],
    ["url", "http://snomed.info/sct?fhir_vs=ecl/(<<1 OR <<2) MINUS (<! 404684003)"],
    ["url", 'http://snomed.info/sct?fhir_vs=ecl/< 404684003 {{ term = "heart", term = "att" }}'],
    ["expression", "71388002 |Procedure| : 405815000 |Procedure device| = 122456005 |Laser device|"],
  ])("%s=%s passes", (name, value) => {
    const query = new URLSearchParams([[name, value]]).toString();
    expect(inspectParameters(query, "parameter", policy)).toEqual([]);
  });

  it.skipIf(!existsSync(SHARED))(
    "none of the recorded queries is refused (skipped where the shared vectors are absent)",
    () => {
      for (const [file, least] of [
        ["searches", 600],
        ["paging-links", 1300],
      ] as const) {
        const rows = JSON.parse(readFileSync(`${SHARED}fhir-queries/${file}.json`, "utf8")) as {
          input: { query: string };
        }[];
        const refused = rows.filter(({ input }) => inspectParameters(input.query, "parameter", policy).length > 0);
        console.log(`hostile input: ${refused.length} of ${rows.length} recorded ${file} refused`);
        expect(refused).toEqual([]);
        expect(rows.length).toBeGreaterThan(least);
      }
    },
  );
});

describe.skipIf(!existsSync(SHARED))("odd texts (skipped where the shared vectors are absent)", () => {
  it("every naughty string is accepted as a patient's name and arrives unchanged", async () => {
    const app = express();
    app.use(perimeter({ development: true }), hostileBody(), (req, res) => void res.json(req.body as object));
    const port = await listenOnPort(app);
    const rows = JSON.parse(readFileSync(`${SHARED}waf/odd-texts.json`, "utf8")) as { input: { text: string } }[];
    for (const { input } of rows) {
      const patient = { resourceType: "Patient", name: [{ family: input.text, given: [input.text] }] };
      const answer = await fetch(`http://127.0.0.1:${port}/fhir/Patient`, {
        method: "POST",
        headers: { "content-type": "application/fhir+json" },
        body: JSON.stringify(patient),
      });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual(patient);
    }
    expect(rows.length).toBeGreaterThan(200);
  });
});

function collect(value: Json, texts: Set<string>): void {
  if (typeof value === "string") {
    if (value.length <= 400 && !value.startsWith("<div")) texts.add(value);
  } else if (value !== null && typeof value === "object") {
    for (const part of Object.values(value)) collect(part, texts);
  }
}
