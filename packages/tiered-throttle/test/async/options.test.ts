import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type AsyncOperationsOptions, asyncOperations, createBullQueue, proxyExport } from "../../src/index.ts";

const GOOD: AsyncOperationsOptions = {
  baseUrl: "https://fhir.example.org/fhir",
  folder: "exports",
  run: () => Promise.resolve(),
};

function findingsOf(make: () => unknown): string[] {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}

describe("asyncOperations options", () => {
  it.each([
    [{ baseUrl: "https://fhir.example.org/fhir/" }, "baseUrl not-a-base"],
    [{ baseUrl: "fhir" }, "baseUrl not-a-base"],
    [{ run: undefined }, "run not-a-function"],
    [{ folder: undefined }, "folder missing"],
    [{ folder: "" }, "folder not-a-path"],
    [{ folders: "x" }, "folders unknown-option"],
    [{ tiers: {} }, "tiers not-a-set-of-tiers"],
    [{ tiers: { bulk: {} } }, "tierOf missing"],
    [{ tiers: { ordinary: { concurrency: 0 } } }, "tiers.ordinary.concurrency out-of-range"],
    [{ tiers: { ordinary: { concurency: 1 } } }, "tiers.ordinary.concurency unknown-option"],
    [{ tiers: { ordinary: null } }, "tiers.ordinary not-an-object"],
    [{ tiers: { ordinary: {}, "A b": {} } }, "tiers.A b not-a-name"],
    [{ lifetimeSeconds: 0 }, "lifetimeSeconds out-of-range"],
    [{ pollSeconds: 1.5 }, "pollSeconds out-of-range"],
    [{ lifetimeSeconds: 100, runSeconds: 101 }, "runSeconds out-of-range"],
    [{ maxJobBytes: Number.POSITIVE_INFINITY }, "maxJobBytes out-of-range"],
    [{ queue: { add: () => undefined } }, "queue not-a-queue"],
    [{ files: {} }, "files not-files"],
    [{ offers: true }, "offers not-a-function"],
  ])("refuses %o", (change, finding) => {
    expect(findingsOf(() => asyncOperations({ ...GOOD, ...change } as AsyncOperationsOptions))).toContain(finding);
  });

  it("refuses tiers beside a queue that has its own", () => {
    const none = (): Promise<never> => Promise.reject(new Error("unused"));
    const queue = {
      ready: none,
      add: none,
      load: none,
      remove: none,
      work: () => undefined,
      sweep: none,
      standings: none,
      close: none,
    };
    expect(findingsOf(() => asyncOperations({ ...GOOD, queue, tiers: { ordinary: {} } }))).toEqual(["tiers not-used"]);
  });

  it("tells every mistake at once", () => {
    expect(findingsOf(() => asyncOperations({ baseUrl: "", run: 1, pollSeconds: 0 } as never)).length).toBe(4);
    expect(findingsOf(() => createBullQueue({ prefix: "a b", lockMs: 1, tiers: {} } as never))).toEqual([
      "bullmq missing",
      "connection missing",
      "prefix not-a-name",
      "lockMs out-of-range",
      "tiers not-a-set-of-tiers",
    ]);
    expect(
      findingsOf(() =>
        proxyExport({
          baseUrl: "x",
          fileOrigins: ["https://a.example.org/path"],
          stallSeconds: 0,
          header: {},
        } as never),
      ),
    ).toEqual(["header unknown-option", "baseUrl not-a-base", "fileOrigins not-origins", "stallSeconds out-of-range"]);
  });
});
