import { describe, expect, it } from "vitest";
import { findDrift, optionsHash, type ProcessView, readRuntimeFacts } from "../src/drift.ts";
import { checkPolicy } from "../src/index.ts";

const checked = checkPolicy({ upstream: "https://ehr.example/r4", issuer: "https://id.example" });
const VIEW: ProcessView = {
  versions: { node: "22.1.0", openssl: "3.0.13" },
  execArgv: [],
  env: {},
  fips: false,
  tlsMinVersion: "TLSv1.2",
};
const facts = readRuntimeFacts(VIEW);
const baseline = {
  checked,
  options: optionsHash(checked),
  approval: { kind: "approved" as const, keyIds: ["a"], expiresAt: 2_000 },
  facts,
};
const seen = { facts, now: 1_000_000, fileVersion: checked.version };

describe("findDrift", () => {
  it("finds nothing where what runs was approved", () => {
    expect(findDrift(baseline, seen)).toEqual([]);
    expect(findDrift({ ...baseline, approval: { kind: "development" } }, { ...seen, fileVersion: undefined })).toEqual(
      [],
    );
  });

  it.each([
    ["a file that was changed", { ...seen, fileVersion: "0" }, { what: "policy-file-differs", detail: "0" }],
    [
      "an approval that has run out",
      { ...seen, now: 2_000_000 },
      { what: "approval-expired", detail: "1970-01-01T00:33:20.000Z" },
    ],
    [
      "another OpenSSL",
      { ...seen, facts: { ...facts, openssl: "3.0.14" } },
      { what: "runtime-changed", detail: "openssl" },
    ],
    [
      "certificates that are not checked",
      { ...seen, facts: readRuntimeFacts({ ...VIEW, env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } }) },
      { what: "protection-off", detail: "NODE_TLS_REJECT_UNAUTHORIZED" },
    ],
    [
      "a lenient HTTP parser",
      { ...seen, facts: readRuntimeFacts({ ...VIEW, env: { NODE_OPTIONS: "--insecure-http-parser" } }) },
      { what: "protection-off", detail: "--insecure-http-parser" },
    ],
    [
      "a debugger, without the address it listens on",
      { ...seen, facts: readRuntimeFacts({ ...VIEW, execArgv: ["--inspect=0.0.0.0:9229"] }) },
      { what: "protection-off", detail: "--inspect" },
    ],
  ])("finds %s", (_what, observation, drift) => {
    expect(findDrift(baseline, observation)).toEqual([drift]);
  });

  it("finds a policy that was changed in memory", () => {
    const other = { ...checked, source: { ...checked.source, name: "other" } };
    expect(findDrift({ ...baseline, checked: other }, seen)[0]?.what).toBe("policy-changed-in-memory");
    const looser = { ...checked, policy: { ...checked.policy, dlp: false as const } };
    expect(findDrift({ ...baseline, checked: looser }, seen).map(({ what }) => what)).toEqual([
      "options-changed-in-memory",
    ]);
    expect(() => Object.assign(checked.policy.routes[0] ?? {}, { zone: "internal" })).toThrow(TypeError);
  });
});
