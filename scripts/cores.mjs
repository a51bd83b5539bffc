// The decision cores: the files in which a wrong line lets a record leave, a limit pass or a change of the log go unseen. Each with
// its package and with those of the package's tests that are quick and should notice. Read by mutation.mjs and coverage.mjs.
export const CORES = {
  scopes: { of: "smart-auth", files: ["scopes.ts"], tests: ["scopes"] },
  grant: {
    of: "smart-auth",
    files: ["grant.ts", "rights.ts"],
    tests: ["scopes", "rights", "vector-files"],
  },
  narrowing: { of: "smart-auth", files: ["narrow.ts"], tests: ["narrow", "vector-files"] },
  guard: {
    of: "smart-auth",
    files: [
      "guard/answer.ts",
      "guard/resource.ts",
      "guard/entry.ts",
      "guard/contained.ts",
      "guard/includes.ts",
      "guard/locations.ts",
      "guard/outcome.ts",
    ],
    tests: ["guard", "guard.answer"],
  },
  compartment: {
    of: "fhir-r4",
    files: ["compartments.ts", "membership.ts"],
    tests: ["compartments", "membership", "bundle", "references"],
  },
  admission: {
    of: "tiered-throttle",
    files: ["decide.ts", "counters.ts"],
    tests: ["decide", "counters", "counters.property", "quota/quota.property", "failover"],
  },
  "ledger verify": {
    of: "audit-event",
    files: ["ledger/verify.ts", "ledger/walk.ts", "ledger/classify.ts"],
    tests: ["verify", "walk", "verify.progress", "ledger.tamper"],
  },
};

/** What a core's tests are, as paths from the root. */
export function testsOf({ of, tests }) {
  return tests.map((test) => `packages/${of}/test/${test}.test.ts`);
}

export function filesOf({ of, files }) {
  return files.map((file) => `packages/${of}/src/${file}`);
}
