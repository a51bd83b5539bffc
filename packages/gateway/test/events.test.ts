import type { AccessRecord } from "@wardline/policy-types";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseDependencies } from "../src/options.ts";

describe("S14: the line of an event, where nobody takes events", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("is one line of JSON, whatever stands in it, and tells of an error its name and code alone", () => {
    const written: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
    const hostile = 'a\n{"level":"info"}\r\u001b[2J\u2028"\\\u0000';
    const error = Object.assign(new TypeError(`Chalmers ${hostile}`), { code: "EPIPE", patient: "Chalmers" });
    const { onEvent } = parseDependencies({});
    onEvent({ level: "error", code: "gateway/stage-failed", message: hostile, facts: { requestId: hostile }, error });
    onEvent({ level: "info", code: "gateway/redis-up", message: "m", error: "Chalmers" });
    expect(written).toHaveLength(2);
    expect(written.join("")).not.toContain("Chalmers");
    for (const line of written) expect(line.split("").filter((character) => character < " ")).toEqual(["\n"]);
    const [first, second] = written.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      level: "error",
      code: "gateway/stage-failed",
      message: hostile,
      facts: { requestId: hostile },
      error: "TypeError",
      errorCode: "EPIPE",
    });
    expect(Object.keys(second ?? {})).toEqual(["at", "level", "code", "message"]);
  });
});

describe("F12: one who takes events or records and fails", () => {
  afterEach(() => void vi.restoreAllMocks());

  const fails = (): never => {
    throw new Error("the listener broke");
  };

  it("keeps nothing from going on, and no event from being told", () => {
    const written: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
    const { onEvent } = parseDependencies({ onEvent: fails });
    onEvent({ level: "error", code: "gateway/policy-refused", message: "m" });
    expect(JSON.parse(written.join(""))).toMatchObject({ code: "gateway/policy-refused" });
  });

  it("is told of, where it takes records", () => {
    const told: unknown[] = [];
    const { onRecord } = parseDependencies({ onRecord: fails, onEvent: (event) => told.push(event) });
    onRecord?.({} as AccessRecord);
    expect(told).toEqual([
      expect.objectContaining({
        level: "error",
        code: "gateway/listener-failed",
        error: new Error("the listener broke"),
      }),
    ]);
  });
});
