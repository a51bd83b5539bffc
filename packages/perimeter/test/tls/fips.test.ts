import { execFileSync } from "node:child_process";
import { getFips } from "node:crypto";
import { describe, expect, it } from "vitest";
import { assertFips, type FipsProbe, fipsState } from "../../src/index.ts";

const unsupported = (): never => {
  throw new Error("unsupported");
};
const probe = (flag: number, works: readonly string[]): FipsProbe => ({
  getFips: () => flag,
  digest: (algorithm) => void (works.includes(algorithm) || unsupported()),
});

describe("FIPS", () => {
  it.each<[string, FipsProbe, object]>([
    ["a provider that works", probe(1, ["sha256"]), { kind: "active" }],
    ["not enabled", probe(0, ["sha256", "md5"]), { kind: "inactive", because: "not-enabled" }],
    ["enabled without a provider", probe(1, []), { kind: "inactive", because: "provider-missing" }],
    ["enabled in name only", probe(1, ["sha256", "md5"]), { kind: "inactive", because: "unapproved-available" }],
  ])("%s", (_what, given, state) => {
    expect(fipsState(given)).toEqual(state);
    if ((state as { kind: string }).kind === "active") expect(() => assertFips(given)).not.toThrow();
    else expect(() => assertFips(given)).toThrow(expect.objectContaining({ code: "fips-inactive" }) as Error);
  });

  // What a Node that was told to use FIPS says of itself, and what it can compute then.
  const CHILD = `
    const crypto = require("node:crypto");
    try { crypto.setFips(true); } catch {}
    const works = ["sha256", "md5"].filter((name) => { try { crypto.createHash(name).update("").digest(); return true; } catch { return false; } });
    console.log(JSON.stringify({ flag: crypto.getFips(), works }));`;

  it("a process that was told to use FIPS is believed only if its provider works and refuses MD5", () => {
    const told = JSON.parse(execFileSync(process.execPath, ["-e", CHILD], { encoding: "utf8" })) as {
      readonly flag: number;
      readonly works: readonly string[];
    };
    const hasProvider = told.flag === 1 && told.works.includes("sha256") && !told.works.includes("md5");
    expect(fipsState(probe(told.flag, told.works)).kind).toBe(hasProvider ? "active" : "inactive");
    if (!hasProvider) {
      console.log(`FIPS: no provider in this machine's Node (flag ${told.flag}): shown inactive, not shown active`);
      expect(() => assertFips(probe(told.flag, told.works))).toThrow();
    }
  });

  it.skipIf(getFips() === 1)("this Node is not claimed to be one", () => {
    expect(fipsState()).toEqual({ kind: "inactive", because: "not-enabled" });
  });
});
