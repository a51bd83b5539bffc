import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { auditEvent } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { memoryLedger } from "./support/memory-ledger.ts";

const KEY = { id: "k1", key: new Uint8Array(32).fill(7) };
const GOOD = { ledger: memoryLedger(), source: { observer: "edge" } };

function mistakes(options: object): string[] {
  try {
    auditEvent(options as never);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`);
  }
  return [];
}

describe("auditEvent()'s options", () => {
  it("have the safe defaults, in a frozen copy", () => {
    const parsed = parseOptions(GOOD);
    expect(parsed).toMatchObject({ durability: "before-response", onFailure: "refuse", appendDeadlineMs: 2000 });
    expect(Object.isFrozen(parsed)).toBe(true);
    expect(Object.isFrozen(parsed.source)).toBe(true);
  });

  it("are all told at once", () => {
    expect(
      mistakes({
        source: { observer: "", site: "", adress: "x" },
        durability: "later",
        onFailure: "ignore",
        appendDeadlineMs: 0,
        onDegraded: 1,
        logger: {},
        onFailur: "refuse",
      }),
    ).toEqual([
      "onFailur unknown-option",
      "ledger required",
      "source.observer required",
      "source.site malformed",
      "source.adress unknown-option",
      "durability unknown-value",
      "onFailure unknown-value",
      "appendDeadlineMs out-of-range",
      "onDegraded not-a-function",
      "logger not-a-logger",
    ]);
  });

  it.each([
    ["nothing", {}, ["ledger required"]],
    ["no folder's name", { ledger: "" }, ["ledger required"]],
    ["no source", { ledger: GOOD.ledger }, []],
    [
      "what is null where an object belongs",
      { ...GOOD, identifierKey: null, logger: null },
      ["identifierKey.id malformed", "identifierKey.key too-short", "logger not-a-logger"],
    ],
    ["hashes without a key", { ...GOOD, identifiers: "hashed" }, ["identifierKey required"]],
    ["hashes in one zone without a key", { ...GOOD, identifiers: { partner: "hashed" } }, ["identifierKey required"]],
    [
      "an unknown zone",
      { ...GOOD, identifiers: { pattient: "clear" }, identifierKey: KEY },
      ["identifiers.pattient unknown-option"],
    ],
    ["an unknown form", { ...GOOD, identifiers: "plain", identifierKey: KEY }, ["identifiers unknown-value"]],
    [
      "an unknown form in a zone",
      { ...GOOD, identifiers: { device: 1 }, identifierKey: KEY },
      ["identifiers unknown-value"],
    ],
    ["a short key", { ...GOOD, identifierKey: { id: "k", key: new Uint8Array(31) } }, ["identifierKey.key too-short"]],
    [
      "a key's name that breaks a hash",
      { ...GOOD, identifierKey: { ...KEY, id: "a.b" } },
      ["identifierKey.id malformed"],
    ],
    ["a database without a reader", { ...GOOD, geolocation: {} }, ["geolocation malformed"]],
    ["a heartbeat a week", { ...GOOD, heartbeatSeconds: 604_800 }, ["heartbeatSeconds out-of-range"]],
    ["a null source", { ...GOOD, source: null }, ["source.observer required"]],
    ["a deadline past a minute", { ...GOOD, appendDeadlineMs: 60_001 }, ["appendDeadlineMs out-of-range"]],
    ["a fractional deadline", { ...GOOD, appendDeadlineMs: 1.5 }, ["appendDeadlineMs out-of-range"]],
    ["nothing wrong", GOOD, []],
  ])("with %s", (_what, options, expected) => {
    expect(mistakes(options)).toEqual(expected);
  });
});
