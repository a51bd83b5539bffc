import { existsSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { ask, listen } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { findJsonTextFault } from "../src/express/json-text.ts";
import { parseLossless } from "../src/express/lossless.ts";
import { Pieces } from "../src/express/pieces.ts";
import type { BodyLimits, RequestBody } from "../src/express.ts";
import { readBody } from "../src/express.ts";

const FORM = "application/x-www-form-urlencoded";

type Outcome = { status: number; code?: string; body?: RequestBody };

async function serve(limits: BodyLimits): Promise<{ url: string; outcomes: Outcome[] }> {
  const outcomes: Outcome[] = [];
  const read = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const decision = await readBody(req, limits);
    outcomes.push(
      decision.kind === "permit"
        ? { status: 200, body: decision.grant }
        : { status: decision.problem.status, code: decision.problem.code },
    );
    res.end();
  };
  const url = await listen((req: IncomingMessage, res: ServerResponse) => void read(req, res));
  return { url, outcomes };
}

async function send(
  body: string | Buffer,
  headers: Record<string, string> = {},
  limits: BodyLimits = { limitBytes: 10_000 },
): Promise<Outcome> {
  const { url, outcomes } = await serve(limits);
  await ask(url, { method: "POST", headers: { "content-type": "application/fhir+json", ...headers }, body }).catch(
    () => undefined,
  );
  await expect.poll(() => outcomes.length).toBe(1);
  return outcomes[0] as Outcome;
}

describe("readBody", () => {
  it("gives bytes and value of a JSON body, plain or compressed", async () => {
    const text = '{"a": 2.00}';
    for (const [body, headers] of [
      [text, {}],
      [gzipSync(text), { "content-encoding": "gzip" }],
    ] as const) {
      const outcome = await send(body, headers);
      expect(outcome.body?.bytes?.toString()).toBe(text);
      expect(outcome.body?.json).toMatchObject({ a: 2 });
      expect(outcome.body?.stringify?.({ ...(outcome.body.json as object), b: 1 })).toBe('{"a":2.00,"b":1}');
    }
  });

  it("S9: reads a form that repeats one name as often as it can in no time", async () => {
    const form = "a&".repeat(32_000);
    const began = performance.now();
    const outcome = await send(form, { "content-type": FORM }, { limitBytes: 64_000 });
    expect(outcome.body?.form).toBe(form);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it("leaves a form as a body parser does", async () => {
    let left: unknown;
    const read = async (req: IncomingMessage & { body?: unknown }, res: ServerResponse): Promise<void> => {
      await readBody(req, { limitBytes: 100 });
      left = req.body;
      res.end();
    };
    const url = await listen((req: IncomingMessage, res: ServerResponse) => void read(req, res));
    await ask(url, { method: "POST", headers: { "content-type": FORM }, body: "a=1&b=2&a=3&__proto__=4&a=5" });
    expect(Object.entries(left as object)).toEqual([
      ["a", ["1", "3", "5"]],
      ["b", "2"],
      ["__proto__", "4"],
    ]);
  });

  it("S9: takes little more memory than a body has bytes, in however small pieces it is sent", async () => {
    const pieces = new Pieces();
    const mixed: Buffer[] = [];
    for (let at = 0; at < 30_000; at++) {
      const piece = at % 9999 === 0 ? Buffer.alloc(2000, at % 251) : Buffer.from([at % 251]);
      mixed.push(piece);
      pieces.add(piece);
    }
    expect(pieces.take().equals(Buffer.concat(mixed))).toBe(true);

    const before = process.memoryUsage().heapUsed;
    const socket = Buffer.alloc(64 * 1024);
    for (let at = 0; at < 1_000_000; at++) pieces.add(socket.subarray(at % 65_536, (at % 65_536) + 1));
    // A hundred bytes for each piece would be 100 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60_000_000);
    expect([pieces.size, pieces.take().length, pieces.size]).toEqual([1_000_000, 1_000_000, 0]);
  });

  it("gives the text of a form", async () => {
    const outcome = await send("name=a+b&name=c", { "content-type": "application/x-www-form-urlencoded" });
    expect(outcome.body).toMatchObject({ mediaType: "application/x-www-form-urlencoded", form: "name=a+b&name=c" });
  });

  it.each<[string, string | Buffer, Record<string, string>, number, string]>([
    ["a cut text", '{"a":1', {}, 400, "body-malformed"],
    ["a number that begins with zero", '{"a":01}', {}, 400, "body-malformed"],
    ["a number with two points", '{"a":2.00,"b":1.2.3}', {}, 400, "body-malformed"],
    ["a number without digits after its point", '{"a":1.,"b":2.00}', {}, 400, "body-malformed"],
    ["a number with a plus sign", '{"a":+1.50}', {}, 400, "body-malformed"],
    ["data after the value", '{"a":1}{"b":2}', {}, 400, "body-malformed"],
    ["a byte order mark", "\uFEFF{}", {}, 400, "body-malformed"],
    ["ill-formed UTF-8", Buffer.from([0x22, 0xc3, 0x28, 0x22]), {}, 400, "body-malformed"],
    ["UTF-16", Buffer.from('{"a":1}', "utf16le"), {}, 400, "body-malformed"],
    ["a repeated name", '{"id":"1","id":"2"}', {}, 400, "body-malformed"],
    ["a name repeated by escape", '{"id":"1","i\\u0064":"2"}', {}, 400, "body-malformed"],
    ["__proto__", '{"__proto__":{"a":1}}', {}, 400, "body-malformed"],
    ["an escaped __proto__", '{"a":[{"__pr\\u006fto__":1}]}', {}, 400, "body-malformed"],
    ["nesting too deep", `${"[".repeat(101)}${"]".repeat(101)}`, {}, 400, "body-malformed"],
    ["another charset", "{}", { "content-type": "application/fhir+json; charset=latin1" }, 415, "charset-unsupported"],
    ["an unknown coding", "{}", { "content-encoding": "zstd" }, 415, "content-coding-unsupported"],
    ["two codings", "{}", { "content-encoding": "gzip, gzip" }, 415, "content-coding-unsupported"],
    ["a lying coding", "{}", { "content-encoding": "gzip" }, 400, "body-malformed"],
    ["too many bytes", `"${"x".repeat(10_001)}"`, {}, 413, "body-too-long"],
    [
      "too many bytes once inflated",
      gzipSync(`"${"x".repeat(1e6)}"`),
      { "content-encoding": "gzip" },
      413,
      "body-too-long",
    ],
  ])("S9: refuses %s", async (_what, body, headers, status, code) => {
    expect(await send(body, headers)).toEqual({ status, code: `policy-types/${code}` });
  });

  it("S9: does not parse what is nested too deep", async () => {
    const parse = vi.spyOn(JSON, "parse");
    try {
      const text = "[".repeat(4_000) + "]".repeat(4_000);
      expect(await send(text)).toEqual({ status: 400, code: "policy-types/body-malformed" });
      expect(parse).not.toHaveBeenCalled();
    } finally {
      parse.mockRestore();
    }
  });

  it.each([
    "charset=utf-8; charset=shift_jis",
    'x="; charset=utf-8"; charset=shift_jis',
    'x="\\"; charset=utf-8"; charset=shift_jis',
    "charset*=utf-8''shift_jis",
    "charset=",
    "charset=utf-8, charset=shift_jis",
    'charset="utf-8',
    "x; charset=utf-8",
  ])("S6: refuses parameters in which two readers may find two charsets: %s", async (parameters) => {
    const refused = { status: 415, code: "policy-types/charset-unsupported" };
    expect(await send("{}", { "content-type": `application/fhir+json; ${parameters}` })).toEqual(refused);
  });

  it.each(["", ";", "; charset=UTF-8", ';charset="utf-8" ; fhirVersion=4.0', '; x="a;b, \\"c"; charset = utf8'])(
    "takes a JSON body whose media type has the parameters: %s",
    async (parameters) => {
      expect((await send("{}", { "content-type": `application/fhir+json${parameters}` })).status).toBe(200);
    },
  );

  it("S9: does not wait for a body that says it is too long", async () => {
    const { url, outcomes } = await serve({ limitBytes: 10 });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n{");
    await expect.poll(() => outcomes.length).toBe(1);
    expect(outcomes[0]?.status).toBe(413);
    socket.destroy();
  });

  it("refuses when the client leaves before the end", async () => {
    const { url, outcomes } = await serve({ limitBytes: 1000 });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"a":');
    setTimeout(() => socket.destroy(), 50);
    await expect.poll(() => outcomes.length).toBe(1);
    expect(outcomes[0]?.status).toBe(400);
  });
});

describe("JSON text", () => {
  const anyJson = fc.jsonValue({ maxDepth: 5 });

  it("finds no fault in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(anyJson, fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        if (text.includes("__proto__")) return;
        expect(findJsonTextFault(text, 100)).toBe(undefined);
      }),
    );
  });

  it("finds a name repeated anywhere", () => {
    fc.assert(
      fc.property(anyJson, fc.string(), anyJson, (before, name, value) => {
        fc.pre(name !== "__proto__" && !JSON.stringify([before, value]).includes("__proto__"));
        const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
        expect(findJsonTextFault(`[${JSON.stringify(before)},{${member},${member}}]`, 100)).toBe("duplicate-name");
      }),
    );
  });

  const folder = resolve(import.meta.dirname, "../../../../shared/vectors/json-parsing");
  it.each([0, 11, 12, 13, 29])("a repeat is found among thirty names, of the one at %i", (again) => {
    const names = Array.from({ length: 30 }, (_, index) => `"n\\"${index}\\\\":1`);
    expect(findJsonTextFault(`{${names.join()}}`, 100)).toBe(undefined);
    expect(findJsonTextFault(`{${[...names, names[again]].join()}}`, 100)).toBe("duplicate-name");
  });

  it.skipIf(!existsSync(folder))(
    "agrees with the published cases on repeated names (skipped without ../shared)",
    () => {
      const rows = JSON.parse(readFileSync(resolve(folder, "duplicate-names.json"), "utf8")) as {
        input: { text: string };
        expect: { duplicateNames: string[] };
      }[];
      expect(rows.length).toBeGreaterThan(0);
      for (const { input, expect: expected } of rows) {
        const fault = findJsonTextFault(input.text, 100);
        expect([input.text, fault === "duplicate-name"]).toEqual([input.text, expected.duplicateNames.length > 0]);
      }
    },
  );
});

describe("decimals keep their precision", () => {
  const anyNumber = fc
    .tuple(fc.integer({ min: -999, max: 999 }), fc.stringMatching(/^[0-9]{0,6}$/), fc.constantFrom("", "e2", "E-3"))
    .map(([whole, fraction, exponent]) => `${whole}${fraction === "" ? "" : `.${fraction}`}${exponent}`);

  it("in every object that was copied, changed or left alone", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), anyNumber), { maxLength: 8 }), (members) => {
        const own = [...new Map(members)];
        const text = `{"x":{${own.map(([name, number]) => `"${name}":${number}`).join(",")}}}`;
        const { body, stringify } = parseLossless(text);
        const { x } = body as { x: object };
        expect(stringify({ x: { ...x } })).toBe(text);
        // A number that no member can be: one that the text writes in one way only is written so wherever it stands.
        expect(stringify({ y: { ...x, added: 123456789 } } as never)).toBe(
          `{"y":{${[...own, ["added", "123456789"]].map(([name, number]) => `"${name}":${number}`).join(",")}}}`.replace(
            /("added":123456789),?(?=.*"added":123456789)/,
            "",
          ),
        );
      }),
    );
  });

  it("reads exactly the texts that JSON.parse reads", () => {
    const pieces = fc.constantFrom(
      "[",
      "]",
      ",",
      "{",
      "}",
      ":",
      '"a"',
      "1",
      "0",
      ".",
      "e",
      "-",
      "+",
      "2.00",
      "01",
      " ",
      "1e400",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        const text = parts.join("");
        const attempt = (read: () => unknown): unknown => {
          try {
            return JSON.stringify(read());
          } catch {
            return "refused";
          }
        };
        expect(attempt(() => parseLossless(text).body)).toBe(attempt(() => JSON.parse(text) as unknown));
      }),
      { numRuns: 3000 },
    );
  });

  it("and a number that was changed is written as the new value", () => {
    const { body, stringify } = parseLossless('{"value":2.00,"n":3}');
    expect(stringify({ ...(body as object), value: 5 } as never)).toBe('{"value":5,"n":3}');
  });

  it("a string that looks like a marked number stays a string", () => {
    const text = '{"s":"\\u0000:2.00","t":"2.00","v":1.0}';
    const { body, stringify } = parseLossless(text);
    expect(stringify({ ...(body as object) } as never)).toBe(text);
  });
});
