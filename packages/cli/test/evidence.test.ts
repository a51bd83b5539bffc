import { readFile, writeFile } from "node:fs/promises";
import { checkPolicy } from "@wardline/gateway";
import { beforeEach, describe, expect, it } from "vitest";
import { settingValue } from "../src/evidence/settings.ts";
import { readTestReport } from "../src/evidence/test-report.ts";
import { buildEvidence } from "../src/index.ts";
import { run, testFolder } from "./support/terminal.ts";

const folder = testFolder();
const SOURCE = {
  upstream: "https://ehr.example/r4",
  issuer: "https://id.example",
  audit: { onFailure: "refuse", retentionDays: 3000 },
};

function withStatus(status: string): object {
  const test = (title: string, ...ancestorTitles: string[]): object => ({ title, ancestorTitles, status });
  const crash = [
    test("keeps what it said", "F9, F15: a process killed"),
    test("A15: one event each"),
    test("about A15: no"),
  ];
  return {
    startTime: 0,
    testResults: [
      { name: "/anywhere/packages/audit-event/test/crash.test.ts", assertionResults: crash },
      { name: "/anywhere/packages/perimeter/test/tls/server.test.ts", assertionResults: [test("refuses TLS 1.1")] },
    ],
  };
}

const checked = checkPolicy(SOURCE);
const controlOf = (evidence: ReturnType<typeof buildEvidence>, citation: string) =>
  evidence.rows.find((row) => row.citation.includes(citation))?.controls[0];

describe("the test report", () => {
  it("finds tests by the rules their titles begin with, and by file", () => {
    const read = readTestReport(withStatus("passed"), "x");
    expect(read.byRule("audit-event", ["F15"]).map(({ title }) => title)).toEqual([
      "F9, F15: a process killed › keeps what it said",
    ]);
    expect(read.byRule("audit-event", ["A15"])).toHaveLength(1);
    expect(read.byRule("smart-auth", ["A15"])).toEqual([]);
    expect(read.bySuite("perimeter", ["tls"])).toHaveLength(1);
    expect(read.bySuite("perimeter", ["tl"])).toEqual([]);
  });
});

describe("evidence", () => {
  it("shows a control by the tests that passed, with the policy's value", () => {
    const control = controlOf(buildEvidence(checked, readTestReport(withStatus("passed"), "x"), 0), "164.312(b)");
    expect(control).toMatchObject({ package: "audit-event", result: "passed" });
    expect(control?.settings).toContainEqual({ path: "audit.onFailure", value: "refuse", from: "policy" });
    expect(control?.settings).toContainEqual({ path: "audit.durability", value: "before-response", from: "default" });
    expect(control?.gaps).toEqual(["no test is named for rule F10"]);
  });

  it("tells a failed test", () => {
    const evidence = buildEvidence(checked, readTestReport(withStatus("failed"), "x"), 0);
    expect(controlOf(evidence, "164.312(b)")).toMatchObject({ result: "failed" });
    expect(evidence.failed).toBeGreaterThan(0);
  });

  it("tells a file that could not be loaded for a failed test of whatever its package shows", () => {
    const report = withStatus("passed") as { testResults: object[] };
    const broken = {
      name: "/anywhere/packages/audit-event/test/verify.test.ts",
      status: "failed",
      assertionResults: [],
    };
    const evidence = buildEvidence(checked, readTestReport({ testResults: [...report.testResults, broken] }, "x"), 0);
    expect(controlOf(evidence, "164.312(b)")).toMatchObject({ result: "failed" });
    expect(evidence.failed).toBeGreaterThan(0);
  });

  it("takes skipped tests for a gap", () => {
    const control = controlOf(buildEvidence(checked, readTestReport(withStatus("pending"), "x"), 0), "164.312(b)");
    expect(control).toMatchObject({ result: "not shown" });
    expect(control?.gaps).toContain("its tests were skipped");
  });

  it("shows nothing without a report", () => {
    const evidence = buildEvidence(checked, undefined, 0);
    expect(evidence.rows.flatMap(({ controls }) => controls).every(({ result }) => result === "not shown")).toBe(true);
  });

  it("names the operator's own duties", () => {
    const duties = buildEvidence(checked, undefined, 0)
      .rows.map(({ duty }) => duty ?? "")
      .join("\n");
    for (const word of ["BAA", "train", "risk analysis", "FIPS", "store the log"]) expect(duties).toContain(word);
  });

  it("reads settings of lists and names", () => {
    const policy = {
      routes: [{ zone: "patient" }, { zone: "device" }, { zone: "patient" }],
      tiers: { a: { concurrency: 5 } },
    };
    expect(settingValue(policy, { path: "routes[].zone", otherwise: "none" }).value).toBe("patient; device");
    expect(settingValue(policy, { path: "tiers.*.concurrency", otherwise: "none" }).value).toBe("5");
    expect(settingValue(policy, { path: "tiers.*.windows", otherwise: "none" })).toMatchObject({
      value: "none",
      from: "default",
    });
  });
});

describe("wardline evidence", () => {
  beforeEach(async () => {
    await writeFile(folder("policy.yaml"), JSON.stringify({ ...SOURCE, name: "<b>|x" }));
    await writeFile(folder("tests.json"), JSON.stringify(withStatus("passed")));
  });
  const evidence = (...more: string[]): ReturnType<typeof run> =>
    run(["evidence", folder("policy.yaml"), "--tests", folder("tests.json"), ...more]);

  it("prints Markdown with gaps told as gaps, and fails for them when asked to", async () => {
    const { code, out } = await evidence();
    expect(out).toMatch(/\| 45 CFR 164\.312\(b\) \| audit controls \(required\) \|/);
    expect(out).toContain("GAP: ");
    expect(out).toContain("## The operator's own duties");
    expect(code).toBe(0);
    expect(await evidence("--strict")).toMatchObject({ code: 1 });
  });

  it("prints JSON, and HTML in which a policy's text stays text", async () => {
    expect(JSON.parse((await evidence("--json")).out)).toMatchObject({ policy: { name: "<b>|x" } });
    await evidence("--format", "html", "--out", folder("evidence.html"));
    const html = await readFile(folder("evidence.html"), "utf8");
    expect(html).toContain("&#60;b&#62;|x");
    expect(html).not.toContain("<b>|x");
    expect(await evidence("--format", "html", "--out", folder("evidence.html"))).toMatchObject({ code: 2 });
  });

  it("exits with 1 when a test that shows a control failed", async () => {
    await writeFile(folder("tests.json"), JSON.stringify(withStatus("failed")));
    expect(await evidence()).toMatchObject({ code: 1 });
  });

  it("refuses what is no report", async () => {
    await writeFile(folder("tests.json"), "{}");
    expect(await evidence()).toMatchObject({ code: 2 });
  });
});
