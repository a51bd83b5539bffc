import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { abuseMonitor, DEFAULT_THRESHOLDS, simulate } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";

function issuesOf(options: object): readonly string[] {
  try {
    abuseMonitor(options);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}

const sendCommand = () => Promise.resolve(null);
const key = new Uint8Array(16);

describe("options", () => {
  it.each([
    ["a misspelled option", { thresholdz: {} }, ["thresholdz unknown-option"]],
    ["a misspelled group", { thresholds: { bulkAcces: {} } }, ["thresholds.bulkAcces unknown-option"]],
    [
      "a misspelled threshold",
      { thresholds: { bulkAccess: { faktor: 2 } } },
      ["thresholds.bulkAccess.faktor unknown-option", "thresholds.bulkAccess.faktor out-of-range"].slice(0, 1),
    ],
    ["a threshold of zero", { thresholds: { scanner: { score: 0 } } }, ["thresholds.scanner.score out-of-range"]],
    [
      "a share above one",
      { thresholds: { tokenGuessing: { failureShare: 2 } } },
      ["thresholds.tokenGuessing.failureShare out-of-range"],
    ],
    [
      "a threshold that is no number",
      { thresholds: { scanner: { score: "9" } } },
      ["thresholds.scanner.score out-of-range"],
    ],
    [
      "a negative weight",
      { thresholds: { scanner: { weights: { x: -1 } } } },
      ["thresholds.scanner.weights out-of-range"],
    ],
    ["an unknown pattern", { responses: { bulk: { action: "block" } } }, ["responses.bulk unknown-option"]],
    ["an unknown action", { responses: { scanner: { action: "ban" } } }, ["responses.scanner.action unknown-action"]],
    ["a step-up of nobody", { responses: { scanner: { action: "step-up" } } }, ["responses.scanner.action no-user"]],
    [
      "a cost of one",
      { responses: { scanner: { action: "slow-down", cost: 1 } } },
      ["responses.scanner.cost not-above-one"],
    ],
    [
      "no time",
      { responses: { scanner: { action: "block", seconds: 0 } } },
      ["responses.scanner.seconds not-a-positive-integer"],
    ],
    [
      "an unknown severity",
      { responses: { scanner: { action: "block", from: "awful" } } },
      ["responses.scanner.from unknown-severity"],
    ],
    ["a short key", { key: new Uint8Array(8) }, ["key too-short"]],
    ["a shared store without a key", { shared: { sendCommand } }, ["key missing"]],
    ["no command", { key, shared: {} }, ["shared.sendCommand not-a-function"]],
    ["a prefix that breaks the hash tag", { key, shared: { sendCommand, prefix: "a}b" } }, ["shared.prefix malformed"]],
    ["no deadline", { key, shared: { sendCommand, deadlineMs: 0 } }, ["shared.deadlineMs not-a-positive-integer"]],
    ["an acr that breaks the header", { stepUp: { acrValues: ['a"b'] } }, ["stepUp.acrValues malformed"]],
    ["a prefix beyond IPv6", { ipv6Prefix: 129 }, ["ipv6Prefix out-of-range"]],
    ["a listener that is none", { onAlert: 1 }, ["onAlert not-a-function"]],
    ["an acr in place of a list", { stepUp: { acrValues: "mfa" } }, ["stepUp.acrValues malformed"]],
    ["a zone that is none", { reserved: { zones: ["devices"] } }, ["reserved.zones unknown-zone"]],
    ["a zone in place of a list", { reserved: { zones: "device" } }, ["reserved.zones unknown-zone"]],
    ["an API type in place of a list", { reserved: { apiTypes: "bulk-data" } }, ["reserved.apiTypes not-a-list"]],
    [
      "a word in place of true",
      { dangerouslyBlockProtectedCallers: "true" },
      ["dangerouslyBlockProtectedCallers not-a-boolean"],
    ],
    ["a key that is text", { key: "0123456789abcdef" }, ["key too-short"]],
    ["a key that is no bytes at all", { key: 7 }, ["key too-short"]],
    ["thresholds that are none", { thresholds: 5 }, ["thresholds not-an-object"]],
    ["a threshold in place of its group", { thresholds: { scanner: 5 } }, ["thresholds.scanner not-an-object"]],
    ["responses that are none", { responses: true }, ["responses not-an-object"]],
    ["a response that is null", { responses: { scanner: null } }, ["responses.scanner not-an-object"]],
    ["a logger without log", { logger: { info: () => undefined } }, ["logger not-a-logger"]],
    ["a carrier that is none", { carriers: [{ url: "https://a.example" }] }, ["carriers not-a-carrier"]],
    ["an unknown reserved word", { reserved: { zone: ["device"] } }, ["reserved.zone unknown-option"]],
  ])("refuses %s", (_name, options, expected) => {
    expect(issuesOf(options)).toEqual(expected);
  });

  it("tells all mistakes at once", () => {
    expect(issuesOf({ repeatSeconds: 0, maxCallers: -1, key: "x" })).toHaveLength(3);
  });

  it("a simulation refuses the same, and what it has no use for", async () => {
    await expect(simulate([], { thresholds: { scanner: { score: 0 } } })).rejects.toThrow(ConfigurationError);
    await expect(simulate([], { onAlert: () => undefined } as object)).rejects.toThrow(ConfigurationError);
  });

  it("changes one threshold and keeps the others, and never writes to what it was given", () => {
    const given = Object.freeze({ thresholds: Object.freeze({ scanner: Object.freeze({ score: 7 }) }) });
    const { thresholds } = parseOptions(given);
    expect(thresholds.scanner).toEqual({ ...DEFAULT_THRESHOLDS.scanner, score: 7 });
    expect(thresholds.bulkAccess).toEqual(DEFAULT_THRESHOLDS.bulkAccess);
    expect(Object.isFrozen(thresholds.scanner)).toBe(true);
  });

  it("without a key, pseudonyms of two instances have nothing to do with each other", () => {
    const name = () => abuseMonitor().pseudonymOf({ kind: "client", issuer: "https://a", name: "app" });
    expect(name()).not.toBe(name());
  });
});
