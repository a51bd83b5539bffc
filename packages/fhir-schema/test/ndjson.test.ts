import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NdjsonLine, type NdjsonOptions, validateNdjson } from "../src/index.ts";

const PATIENT = '{"resourceType":"Patient","id":"1","multipleBirthInteger":2}';

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function judge(text: string | Buffer, options: NdjsonOptions = {}, size = 7): Promise<readonly NdjsonLine[]> {
  const lines: NdjsonLine[] = [];
  for await (const line of validateNdjson(chunksOf(Buffer.from(text), size), options)) lines.push(line);
  return lines;
}

const verdicts = (lines: readonly NdjsonLine[]) =>
  lines.map(({ line, issues }) => [line, issues.map(({ issue }) => issue)]);

describe("validateNdjson", () => {
  it("judges each line, hands over its bytes, and counts empty ones", async () => {
    const lines = await judge(`${PATIENT}\r\n\n{"resourceType":"Patient","active":"Smith"}\n${PATIENT}`);
    expect(verdicts(lines)).toEqual([
      [1, []],
      [3, [expect.any(String)]],
      [4, []],
    ]);
    expect(lines[0]?.bytes.toString()).toBe(PATIENT);
    expect(lines[1]?.issues[0]?.expression).toBe("Patient.active");
    expect(JSON.stringify(lines[1]?.issues)).not.toContain("Smith");
  });

  it("S9: holds a line in little more memory than it has bytes, in however small pieces it comes", async () => {
    const socket = Buffer.alloc(64 * 1024, "x");
    let most = 0;
    const before = process.memoryUsage().heapUsed;
    async function* dripped(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 1_000_000; at++) {
        yield socket.subarray(at % 65_536, (at % 65_536) + 1);
        if (at % 100_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed - before);
      }
      most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
    const lines: NdjsonLine[] = [];
    for await (const line of validateNdjson(dripped())) lines.push(line);
    expect(lines.map(({ bytes }) => bytes.length)).toEqual([1_000_000]);
    // A hundred bytes for each piece would be 100 MB.
    expect(most).toBeLessThan(60_000_000);
  });

  it.each<[string, string | Buffer, string]>([
    ["no JSON", "Patient", "structure"],
    ["half a JSON", '{"resourceType":', "structure"],
    ["two values", "{} {}", "structure"],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), "structure"],
    ["a byte order mark", `\ufeff${PATIENT}`, "structure"],
    ["a name twice", '{"resourceType":"Patient","id":"1","\\u0069d":"2"}', "structure"],
    ["a prototype", '{"resourceType":"Patient","__proto__":{}}', "structure"],
    ["a number beyond range", '{"resourceType":"Patient","multipleBirthInteger":1e999}', "value"],
    ["an integer with a fraction", '{"resourceType":"Patient","multipleBirthInteger":1.0}', "value"],
    ["too deep", "[".repeat(101) + "]".repeat(101), "too-costly"],
    ["too long", `"${"x".repeat(2000)}"`, "too-long"],
  ])("tells %s, and goes on", async (_what, bad, issue) => {
    const text = Buffer.concat([Buffer.from(bad), Buffer.from(`\n${PATIENT}\n`)]);
    expect(verdicts(await judge(text, { maxLineBytes: 1000 }))).toEqual([
      [1, [issue]],
      [2, []],
    ]);
  });

  it("tells what R4's examples leave out as a warning, or as an error, and judges the line further", async () => {
    const unlinked = '{"resourceType":"Questionnaire","status":"draft","item":[{"type":"display"}]}';
    const broken = unlinked.replace('"display"', '"display","maxLength":1.0');
    const severities = async (options?: NdjsonOptions) =>
      (await judge(`${unlinked}\n${broken}`, options)).map(({ issues }) => issues.map(({ severity }) => severity));
    expect(await severities()).toEqual([["warning"], ["error", "warning"]]);
    expect(await severities({ exampleFaults: "refuse" })).toEqual([["error"], ["error"]]);
  });

  it("holds the file to one type", async () => {
    expect((await judge(PATIENT, { type: "Patient" }))[0]?.issues).toEqual([]);
    expect((await judge(PATIENT, { type: "Group" }))[0]?.issues).not.toEqual([]);
  });

  it("judges by profiles what is well-formed", async () => {
    const issue = { severity: "error", issue: "invariant", detail: "x" } as const;
    const asked: unknown[] = [];
    const validator = {
      urls: [],
      skipped: [],
      validate: (_: unknown, urls: readonly string[] = []) => {
        asked.push(urls);
        return [issue];
      },
    };
    const lines = await judge(`${PATIENT}\n{}`, { profiles: { validator, required: ["http://x.org/p"] } });
    expect(lines[0]?.issues).toEqual([issue]);
    expect(asked).toEqual([["http://x.org/p"]]);
  });

  it("how the bytes were cut makes no difference", async () => {
    const text = `${PATIENT}\n{"a":1}\n\n"\u00e9\ud83d\ude00"\n${PATIENT}`;
    const whole = verdicts(await judge(text, {}, 10_000));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 100 }), async (size) => {
        expect(verdicts(await judge(text, {}, size))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it("asks for no more than the caller takes (back-pressure)", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given++;
        yield Buffer.from(`${PATIENT}\n`);
      }
    }
    const lines = validateNdjson(endless());
    await lines.next();
    await lines.next();
    expect(given).toBe(2);
    await lines.return();
  });

  it("an endless line is not kept", async () => {
    async function* long(): AsyncGenerator<Uint8Array> {
      for (let n = 0; n < 200; n++) yield Buffer.alloc(1024 * 1024, 0x20);
    }
    const lines: NdjsonLine[] = [];
    const before = process.memoryUsage().rss;
    for await (const line of validateNdjson(long(), { maxLineBytes: 1000 })) lines.push(line);
    expect(verdicts(lines)).toEqual([[1, ["too-long"]]]);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  });

  it("the source's error is the caller's", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(PATIENT);
      throw new Error("broken off");
    }
    await expect(async () => {
      for await (const line of validateNdjson(broken())) expect(line).toBe(undefined);
    }).rejects.toThrow("broken off");
  });
});
