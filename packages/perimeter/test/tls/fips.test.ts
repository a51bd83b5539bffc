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

  it.skipIf(getFips() === 1)("this Node is not claimed to be one", () => {
    expect(fipsState()).toEqual({ kind: "inactive", because: "not-enabled" });
  });
});
