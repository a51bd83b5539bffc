import type { AccessRecord } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPseudonym } from "../src/cms/pseudonym.ts";
import { cmsCsv, cmsReport, type JournalEntry, type PriorAuthDecision, type PriorAuthEntry } from "../src/index.ts";
import { KEY, record } from "./support/records.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 10);

async function patientAccess(records: readonly AccessRecord[], options = {}) {
  const report = await cmsReport(records, options);
  return report.years.map(({ year, patientAccess: counts }) => [year, counts.unique, counts.moreThanOnce]);
}

describe("42 CFR 422.119(f): Patient Access usage", () => {
  it("counts patients, not requests, tokens or apps", async () => {
    const records = [
      record(),
      record({ client: "app-2" }),
      record({ patients: ["patient-2"] }),
      record({ client: "app-3" }),
    ];
    expect(await patientAccess(records)).toEqual([[2026, 2, 1]]);
  });

  const NOT_COUNTED: readonly [title: string, changes: Partial<AccessRecord>][] = [
    ["another API type", { apiType: "provider-access" }],
    ["no API type", { apiType: undefined as never }],
    ["a refusal", { outcome: "deny", status: 403 }],
    ["a 404", { status: 404 }],
    ["a 304", { status: 304 }],
    ["an answer broken off", { completed: false }],
    ["an empty answer", { responseBytes: 0 }],
    ["a HEAD, recorded before its answer", { method: "HEAD", responseBytes: undefined as never }],
    ["a write", { interaction: "update" }],
    ["the CapabilityStatement", { interaction: "capabilities" }],
    ["a caller that is no app", { principal: undefined as never }],
    ["nobody's data", { patients: [] }],
    ["a batch that only wrote", { interaction: "batch", delivered: [] }],
  ];
  it.each(NOT_COUNTED)("does not count %s", async (_title, changes) => {
    expect(await patientAccess([record(), record({ ...changes })])).toEqual([[2026, 1, 0]]);
  });

  it("of a batch, counts whose data went to the app, not whose were written", async () => {
    const batch = record({ interaction: "batch", patients: ["patient-1", "patient-2"], delivered: ["patient-2"] });
    expect(await patientAccess([record(), batch])).toEqual([[2026, 2, 0]]);
  });

  it("more than once: by request, or by day", async () => {
    const again = record({ receivedAt: Date.UTC(2026, 5, 1, 23, 59) });
    const tomorrow = record({ receivedAt: Date.UTC(2026, 5, 2) });
    expect(await patientAccess([record(), again], { moreThanOnce: "request" })).toEqual([[2026, 1, 1]]);
    expect(await patientAccess([record(), again], { moreThanOnce: "day" })).toEqual([[2026, 1, 0]]);
    expect(await patientAccess([record(), again, tomorrow], { moreThanOnce: "day" })).toEqual([[2026, 1, 1]]);
  });

  it("a year begins at midnight of the reporting time zone", async () => {
    const records = [
      record({ receivedAt: Date.UTC(2026, 0, 1, 4, 59) }),
      record({ receivedAt: Date.UTC(2026, 0, 1, 5) }),
    ];
    expect(await patientAccess(records)).toEqual([[2026, 1, 1]]);
    expect(await patientAccess(records, { timeZone: "America/New_York" })).toEqual([
      [2025, 1, 0],
      [2026, 1, 0],
    ]);
    expect(await patientAccess(records, { timeZone: "America/New_York", years: [2026, 2024] })).toEqual([
      [2026, 1, 0],
      [2024, 0, 0],
    ]);
  });

  it("says when a bound was met, and by how much at most", async () => {
    const records = ["a", "b", "c", "c"].map((patient) => record({ patients: [patient] }));
    const report = await cmsReport(records, { maxPatients: 2 });
    expect(report).toMatchObject({ complete: false, beyondBounds: { transfers: 2 } });
    expect(await patientAccess(records, { maxPatients: 3 })).toEqual([[2026, 3, 1]]);
  });
});

let caseNumber = 0;
function submitted(at: number, changes: Partial<PriorAuthEntry> = {}): PriorAuthEntry {
  caseNumber += 1;
  return {
    kind: "prior-auth",
    event: "submitted",
    at,
    keys: [`case-${caseNumber}`],
    expedited: false,
    appeal: false,
    ...changes,
  };
}
function answered(
  to: PriorAuthEntry,
  at: number,
  decision: PriorAuthDecision,
  changes: Partial<PriorAuthEntry> = {},
): PriorAuthEntry {
  return { kind: "prior-auth", event: "answered", at, keys: to.keys, decision, ...changes };
}
async function priorAuth(entries: readonly JournalEntry[], options = {}) {
  const { years } = await cmsReport(entries, options);
  return years[0]?.priorAuthorization;
}

describe("42 CFR 422.122(c): prior authorisation", () => {
  it("approved, denied, partly approved, open, cancelled: shares of what was received, two decimals", async () => {
    const [a, b, c, d, e, f] = Array.from({ length: 6 }, () => submitted(START)) as [
      PriorAuthEntry,
      PriorAuthEntry,
      PriorAuthEntry,
      PriorAuthEntry,
      PriorAuthEntry,
      PriorAuthEntry,
    ];
    const figures = await priorAuth([
      a,
      b,
      c,
      d,
      e,
      f,
      answered(a, START + DAY, "approved"),
      answered(b, START + 2 * DAY, "denied"),
      answered(c, START + 3 * DAY, "partial"),
      answered(d, START + DAY, "pended"),
      answered(e, START + DAY, "cancelled"),
      answered(f, START + DAY, "error"),
    ]);
    expect(figures?.standard).toEqual({
      received: 6,
      approved: 1,
      denied: 2,
      approvedAfterAppeal: 0,
      cancelled: 1,
      open: 2,
      approvedPercent: 16.67,
      deniedPercent: 33.33,
      approvedAfterAppealPercent: 0,
      averageTurnaround: 2,
      medianTurnaround: 2,
      turnaroundUnit: "days",
      inTime: 3,
      late: 0,
    });
    expect(figures?.expedited).toMatchObject({ received: 0, approvedPercent: null, medianTurnaround: null });
  });

  it("pended, then approved: the turnaround ends with the determination", async () => {
    const one = submitted(START, { expedited: true });
    const figures = await priorAuth([
      one,
      answered(one, START, "pended"),
      answered(one, START + 71 * HOUR, "approved"),
    ]);
    expect(figures?.expedited).toMatchObject({
      approved: 1,
      averageTurnaround: 71,
      medianTurnaround: 71,
      turnaroundUnit: "hours",
      inTime: 1,
      late: 0,
    });
  });

  it.each([
    [true, 72 * HOUR, 1, 0],
    [true, 72 * HOUR + 1, 0, 1],
    [false, 7 * DAY, 1, 0],
    [false, 7 * DAY + 1, 0, 1],
  ])("72 h and 7 days: expedited %s after %d ms", async (expedited, after, inTime, late) => {
    const one = submitted(START, { expedited });
    const figures = await priorAuth([one, answered(one, START + after, "denied")]);
    expect(figures?.[expedited ? "expedited" : "standard"]).toMatchObject({ inTime, late });
  });

  it("median of an even number is between the middle two, and the mean is not the median", async () => {
    const entries = [1, 2, 4, 13].flatMap((days) => {
      const one = submitted(START);
      return [one, answered(one, START + days * DAY, "approved")];
    });
    expect((await priorAuth(entries))?.standard).toMatchObject({ averageTurnaround: 5, medianTurnaround: 3 });
  });

  it("denied, appealed, approved: approved after appeal, still denied at first, and one request", async () => {
    const one = submitted(START);
    const appeal = { ...one, at: START + 5 * DAY, appeal: true };
    const figures = await priorAuth([
      one,
      answered(one, START + DAY, "denied"),
      appeal,
      answered(one, START + 9 * DAY, "approved"),
    ]);
    expect(figures?.standard).toMatchObject({
      received: 1,
      approved: 0,
      denied: 1,
      approvedAfterAppeal: 1,
      medianTurnaround: 1,
    });
    const without = await priorAuth([
      one,
      answered(one, START + DAY, "denied"),
      answered(one, START + 9 * DAY, "approved"),
    ]);
    expect(without?.standard).toMatchObject({ denied: 1, approvedAfterAppeal: 0 });
    const refusedAgain = await priorAuth([
      one,
      answered(one, START + DAY, "denied"),
      appeal,
      answered(one, START + 9 * DAY, "denied"),
    ]);
    expect(refusedAgain?.standard).toMatchObject({ denied: 1, approvedAfterAppeal: 0 });
  });

  it("an appeal of what was denied on paper", async () => {
    const appeal = submitted(START, { appeal: true });
    expect((await priorAuth([appeal, answered(appeal, START + DAY, "approved")]))?.standard).toMatchObject({
      received: 1,
      approved: 0,
      denied: 0,
      approvedAfterAppeal: 1,
    });
  });

  it("extended and approved, of all requests", async () => {
    const one = submitted(START);
    const two = submitted(START);
    const figures = await priorAuth([
      one,
      two,
      answered(one, START, "pended", { extended: true }),
      answered(one, START + DAY, "approved"),
      answered(two, START, "denied", { extended: true }),
    ]);
    expect(figures).toMatchObject({ extendedAndApproved: 1, extendedAndApprovedPercent: 50 });
  });

  it("the payer's own time counts when it lies between submission and passing", async () => {
    const at = START + 5 * DAY;
    const turnaround = async (createdAt: number) => {
      const one = submitted(START);
      return (await priorAuth([one, answered(one, at, "approved", { createdAt })]))?.standard.medianTurnaround;
    };
    expect(await turnaround(START + DAY)).toBe(1);
    expect(await turnaround(START - 1)).toBe(5);
    expect(await turnaround(at + DAY)).toBe(5);
  });

  it("a request counts in the year it was received in, and answers without a submission nowhere", async () => {
    const late = submitted(Date.UTC(2025, 11, 31));
    const stray = submitted(START);
    const report = await cmsReport([late, answered(late, START, "approved"), answered(stray, START, "approved")]);
    expect(report.years.map(({ year, priorAuthorization }) => [year, priorAuthorization.standard.received])).toEqual([
      [2025, 1],
    ]);
  });

  it("a retry is not another request, and the bound is told", async () => {
    const one = submitted(START);
    expect((await priorAuth([one, { ...one, at: START + 1 }]))?.standard.received).toBe(1);
    const report = await cmsReport([one, submitted(START), submitted(START)], { maxCases: 1 });
    expect(report).toMatchObject({ complete: false, beyondBounds: { priorAuthRequests: 2 } });
  });

  it("the order in which journals are read changes no figure", async () => {
    const one = submitted(START, { keys: ["claim-1"] });
    const entries: PriorAuthEntry[] = [
      one,
      answered(one, START + HOUR, "pended", { keys: ["claim-1", "response-1"] }),
      answered(one, START + DAY, "denied", { keys: ["response-1"] }),
      { ...one, at: START + 2 * DAY, appeal: true, keys: ["claim-2", "claim-1"] },
      answered(one, START + 3 * DAY, "approved", { keys: ["claim-2", "authorization-1"] }),
      submitted(START, { keys: ["other"] }),
    ];
    const expected = await priorAuth(entries);
    expect(expected?.standard).toMatchObject({ received: 2, denied: 1, approvedAfterAppeal: 1, open: 1 });
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(entries, { minLength: entries.length }), async (shuffled) => {
        expect(await priorAuth(shuffled)).toEqual(expected);
      }),
    );
  });
});

describe("requests, times and errors of each API type", () => {
  it("counts each answer once", async () => {
    const statuses = [200, 201, 304, 401, 404, 429, 500, 503];
    const { years } = await cmsReport([
      ...statuses.map((status) => record({ status })),
      record({ completed: false }),
      record({ apiType: undefined as never }),
    ]);
    expect(years[0]?.apis).toMatchObject([
      { apiType: "(undeclared)", requests: 1 },
      {
        apiType: "patient-access",
        requests: 9,
        clientErrors: 2,
        throttled: 1,
        serverErrors: 3,
        serverErrorRate: 0.3333,
        clientErrorRate: 0.3333,
      },
    ]);
  });

  it("quantiles are within 1 % of the true ones, whatever the times", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 }),
        async (times) => {
          const { years } = await cmsReport(times.map((latencyMs) => record({ latencyMs })));
          const sorted = times.toSorted((a, b) => a - b);
          for (const [share, name] of [
            [0.5, "medianMs"],
            [0.95, "p95Ms"],
            [0.99, "p99Ms"],
          ] as const) {
            const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0;
            expect(Math.abs((years[0]?.apis[0]?.[name] ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.0101 + 0.05);
          }
        },
      ),
    );
  });
});

it("CSV: one figure a line, formulas and quotes defused", async () => {
  const csv = cmsCsv(await cmsReport([record({ apiType: '=cmd|"x",' })]));
  expect(csv.split("\r\n").slice(0, 3)).toEqual([
    "year,section,subject,metric,value",
    "2026,patient-access,patients,unique,0",
    "2026,patient-access,patients,moreThanOnce,0",
  ]);
  expect(csv).toContain(`2026,api,"'=cmd|""x"",",requests,1\r\n`);
  expect(csv).toContain("2026,prior-authorization,standard,medianTurnaround,\r\n");
});

it("no report and no CSV holds a patient, a client or a hash", async () => {
  const report = await cmsReport([record({ patients: ["jane"], client: "the-app" })], { key: KEY });
  const hash = createPseudonym(KEY)("patient", "jane");
  expect(hash).toMatch(/^[\w-]{22}$/);
  const text = JSON.stringify(report) + cmsCsv(report);
  for (const secret of ["jane", "the-app", hash]) expect(text).not.toContain(secret);
});
