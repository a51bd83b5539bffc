import { writeFile } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { record, writeLedger } from "./support/ledger.ts";
import { run, testFolder } from "./support/terminal.ts";

const folder = testFolder();
const RECORDS = [
  record({ requestId: "1" }),
  record({ requestId: "2" }),
  record({ requestId: "3", patients: ["birch"], resource: "Patient/birch" }),
];

beforeEach(async () => {
  await writeFile(folder("policy.yaml"), "upstream: https://ehr.example/r4\nissuer: https://id.example\n");
  await writeLedger(folder("audit"), RECORDS);
});

describe("inventory report", () => {
  const report = (...more: string[]): ReturnType<typeof run> =>
    run(["inventory", "report", folder("audit"), "--policy", folder("policy.yaml"), ...more]);

  it("sets traffic beside what is declared", async () => {
    const { code, out } = await report();
    expect(out).toContain("3 requests since 2026-01-31");
    expect(out).toMatch(/patient-access +\/fhir +patient +patient-access .* 3 answered/);
    expect(code).toBe(0);
    expect(JSON.parse((await report("--json")).out)).toMatchObject({ requests: 3 });
  });

  it("exits with 1 for an alarm: a way that nobody declared", async () => {
    await writeLedger(folder("other"), [record({ routeId: "shadow" })]);
    const { code, out } = await run(["inventory", "report", folder("other"), "--policy", folder("policy.yaml")]);
    expect(out).toContain("alarm");
    expect(code).toBe(1);
  });
});

describe("metrics cms", () => {
  const metrics = (...more: string[]): ReturnType<typeof run> => run(["metrics", "cms", folder("audit"), ...more]);

  it("counts patients, and names none", async () => {
    const { out } = await metrics("--json");
    expect(JSON.parse(out)).toMatchObject({ years: [{ year: 2026, patientAccess: { unique: 2, moreThanOnce: 1 } }] });
    expect(out).not.toMatch(/ash|birch/);
    expect((await metrics()).out).toMatch(/unique patients +2\n/);
  });

  it("42 CFR 422.119(f): of a batch, counts whose data went to the app, not whose were written", async () => {
    const batch = record({ interaction: "batch", patients: ["ash", "birch", "cedar"], delivered: ["birch"] });
    await writeLedger(folder("batches"), [batch]);
    const { out } = await run(["metrics", "cms", folder("batches"), "--json"]);
    expect(JSON.parse(out)).toMatchObject({ years: [{ patientAccess: { unique: 1 } }] });
  });

  it("42 CFR 422.119(f): counts each request of an app that gives all of them one id", async () => {
    const { receivedAt } = record();
    const both = [record(), record({ receivedAt: receivedAt + 1000 })];
    await writeLedger(folder("one-id"), both);
    const { out } = await run(["metrics", "cms", folder("one-id"), "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      years: [{ patientAccess: { unique: 1, moreThanOnce: 1 }, apis: [{ requests: 2 }] }],
    });
  });

  it("says how many lines of a journal cannot be read, and takes a file of nothing else for none", async () => {
    const transfer = { kind: "transfer", day: "2026-01-31", patient: "x" };
    await writeFile(folder("usage.ndjson"), `${JSON.stringify(transfer)}\n{"kind":"tra\n`);
    const { code, err } = await run(["metrics", "cms", folder("usage.ndjson")]);
    expect(err).toMatch(/^warning: 1 line of .*usage\.ndjson cannot be read and is not counted\n$/);
    expect(code).toBe(0);
    await writeFile(folder("other.ndjson"), "{}\n{}\n");
    for (const words of [
      ["metrics", "cms"],
      ["inventory", "report"],
    ]) {
      const policy = words[0] === "inventory" ? ["--policy", folder("policy.yaml")] : [];
      const other = await run([...words, folder("other.ndjson"), ...policy]);
      expect(other).toMatchObject({ code: 2, out: "" });
      expect(other.err).toContain("is no usage journal");
    }
  });

  it("writes CSV", async () => {
    expect((await metrics("--format", "csv")).out).toContain("2026,patient-access,patients,unique,2\r\n");
  });

  it("takes a second day for a second transfer when told to", async () => {
    expect(JSON.parse((await metrics("--json", "--more-than-once", "day")).out)).toMatchObject({
      years: [{ patientAccess: { unique: 2, moreThanOnce: 0 } }],
    });
  });

  it.each([
    ["a year that is none", ["--year", "x"], /whole number/],
    ["a zone that is none", ["--time-zone", "Mars/Base"], /time zone/],
  ])("exits with 2 for %s", async (_what, args, message) => {
    const { code, err } = await metrics(...args);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});
