import { existsSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { ask, listen } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { readFhirBody } from "../src/body.ts";
import { lookThroughJson } from "../src/json-faults.ts";
import { bodyRefused } from "../src/problems.ts";

const SETTINGS = { requestBodyBytes: 1024 * 1024, maxInflation: 100, maxDepth: 100, maxArrayLength: 10_000 };
const folder = new URL("../../../../shared/vectors/json-parsing/", import.meta.url);
const read = <Row>(name: string): readonly Row[] => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Row[];

let origin = "";
beforeEach(async () => {
  origin = await listen((req: IncomingMessage, res: ServerResponse) => {
    readFhirBody(req, SETTINGS).then(
      (decision) => res.end(decision.kind === "permit" ? "permit" : decision.problem.code),
      () => res.end("thrown"),
    );
  });
});

async function verdictOf(body: Buffer | string, headers: Record<string, string> = {}): Promise<string> {
  const sent = {
    "content-type": "application/fhir+json",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  };
  return (await ask(origin, { method: "POST", headers: sent, body })).text;
}

it("S9: a body judged as it was read is judged as its text is", async () => {
  const settings = { ...SETTINGS, maxDepth: 3, maxArrayLength: 3 };
  const asked = await listen((req: IncomingMessage, res: ServerResponse) => {
    readFhirBody(req, settings).then(
      (decision) =>
        res.end(decision.kind === "permit" ? String(decision.grant.numberText !== undefined) : decision.problem.code),
      () => res.end("thrown"),
    );
  });
  const pieces = ["{}", "[]", "[[1]]", "[1,2,3]", "[1,2,3,4]", '{"a":[1]}', '{"a":{"b":1}}', '{"toString":1}'];
  const numbers = ["1", "1.5", "2.00", "1e2", "1e+21", "1e999", "[1.0]", '{"a":3E0}', "-0", "1".repeat(65)];
  const strings = ['"\\u0041"', '"\\ud800"', '"\\\\ud800"', '{"\\u0063onstructor":1}', '":1.0"', '"constructor"'];
  const anyPiece = fc.constantFrom(...pieces, ...numbers, ...strings);
  await fc.assert(
    fc.asyncProperty(fc.array(anyPiece, { maxLength: 3 }), async (values) => {
      const text = `{${values.map((value, at) => `"m${at}" : ${value}`).join(",")}}`;
      const { fault, wholeInOtherForm } = lookThroughJson(Buffer.from(text), settings);
      const answer = await ask(asked, {
        method: "POST",
        headers: { "content-type": "application/fhir+json" },
        body: text,
      });
      const expected = fault === undefined ? String(wholeInOtherForm) : bodyRefused(fault).code;
      expect([text, answer.text]).toEqual([text, expected]);
    }),
    { numRuns: 400 },
  );
});

describe("compressed bodies (S9)", () => {
  const typical = JSON.stringify(
    Array.from({ length: 200 }, (_, n) => ({ resourceType: "Observation", id: `o${n}`, value: n ** 2 })),
  );
  const bomb = JSON.stringify("1".repeat(900_000));

  it.each(["gzip", "x-gzip", "GZIP"])("%s: what FHIR compresses to passes, a bomb does not", async (coding) => {
    const headers = { "content-encoding": coding };
    expect(await verdictOf(gzipSync(typical), headers)).toBe("permit");
    expect(await verdictOf(gzipSync(bomb), headers)).toBe("fhir-schema/body-inflates");
  });

  it("nothing is counted where nothing was compressed", async () => {
    expect(await verdictOf(bomb)).toBe("permit");
    expect(await verdictOf(bomb, { "content-encoding": "identity" })).toBe("permit");
  });

  it("a chunked bomb is counted too", async () => {
    const headers = {
      "content-type": "application/fhir+json",
      "content-encoding": "gzip",
      "transfer-encoding": "chunked",
    };
    const answer = await ask(origin, { method: "POST", headers, body: gzipSync(bomb) });
    expect(answer.text).toBe("fhir-schema/body-inflates");
  });
});

describe.skipIf(!existsSync(folder))("shared vectors (skipped where they are not here)", { timeout: 60_000 }, () => {
  interface Text {
    readonly id: string;
    readonly input: { readonly base64: string };
    readonly expect: "accept" | "reject" | "implementation-defined";
  }

  /** Where this reader and RFC 8259 part, with the reason. */
  const EXPLAINED: ReadonlyMap<string, string> = new Map([
    // An empty body is no body; the interaction says whether it needs one.
    ["json-parsing/n_structure_no_data.json", "permit"],
  ]);
  /** What RFC 8259 leaves to the reader: refused, but for a number whose text is kept. */
  const LEFT_TO_US: ReadonlyMap<string, string> = new Map([["json-parsing/i_number_too_big_pos_int.json", "permit"]]);

  it("RFC 8259: what must be accepted is, what must be rejected is, what is left to the reader is refused", async () => {
    const seen: string[] = [];
    for (const { id, input, expect: wanted } of read<Text>("parsing.json")) {
      const verdict = await verdictOf(Buffer.from(input.base64, "base64"));
      const refused = verdict !== "permit";
      if (EXPLAINED.has(id)) expect(verdict, id).toBe(EXPLAINED.get(id));
      else if (wanted === "implementation-defined")
        expect(verdict === (LEFT_TO_US.get(id) ?? verdict) && (refused || LEFT_TO_US.has(id)), `${id} ${verdict}`).toBe(
          true,
        );
      else expect(refused, `${id} ${verdict}`).toBe(wanted === "reject");
      seen.push(id);
    }
    expect(seen.length).toBeGreaterThan(150);
  });

  it("a name that occurs twice is refused, and nothing else of the set is", async () => {
    interface Names {
      readonly id: string;
      readonly input: { readonly text: string };
      readonly expect: { readonly duplicateNames: readonly string[] };
    }
    for (const { id, input, expect: wanted } of read<Names>("duplicate-names.json")) {
      expect((await verdictOf(input.text)) !== "permit", id).toBe(wanted.duplicateNames.length > 0);
    }
  });

  it("names of JavaScript's own objects are refused, and no others", async () => {
    interface Names {
      readonly id: string;
      readonly input: { readonly text: string };
      readonly expect: { readonly specialNames: readonly string[] };
    }
    for (const { id, input, expect: wanted } of read<Names>("prototype-names.json")) {
      expect((await verdictOf(input.text)) !== "permit", id).toBe(wanted.specialNames.length > 0);
    }
  });
});
