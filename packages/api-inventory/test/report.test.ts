import type { AccessRecord, EntryRecord } from "@wardline/policy-types";
import { expect, it } from "vitest";
import { type InventoryEntry, type InventoryReportOptions, inventoryReport, type UsageSource } from "../src/index.ts";
import { FHIR, record } from "./support/records.ts";

const NOW = new Date("2026-08-01");
const CLEAN: InventoryEntry = { ...FHIR, owner: "team", interactions: ["read"], operations: [] };

async function codes(
  records: readonly UsageSource[],
  entry: Partial<InventoryEntry> = {},
  options: Partial<InventoryReportOptions> = {},
) {
  const report = await inventoryReport(records, { entries: [{ ...CLEAN, ...entry }], now: NOW, ...options });
  return report.findings.map(({ code, subject }) => (subject === undefined ? code : `${code} ${subject}`));
}

const REFUSED = { outcome: "deny", status: 403 } as const;

function entry(changes: Partial<EntryRecord>): EntryRecord {
  const { method, interaction, resourceType = "", parameters, patients, outcome, status } = record();
  return { method, interaction, resourceType, parameters, patients, outcome, status, ...changes };
}

function batch(...entries: readonly EntryRecord[]): AccessRecord {
  const { resourceType: _, ...whole } = record({ method: "POST", interaction: "batch", entries });
  return whole;
}

it("nothing is found where everything is as declared", async () => {
  expect(await codes([record()])).toEqual([]);
});

it.each<[string, readonly UsageSource[], Partial<InventoryEntry>, string[]]>([
  [
    "no route",
    [record(), record({ routeId: undefined as never })],
    {},
    ["undeclared-endpoint GET (no route) read Patient"],
  ],
  [
    "a route of another policy",
    [record(), record({ routeId: "gone" })],
    {},
    ["undeclared-endpoint GET gone read Patient"],
  ],
  [
    "an interaction nobody declared",
    [record(), record({ method: "PUT", interaction: "update" })],
    {},
    ["undeclared-endpoint PUT fhir update Patient"],
  ],
  [
    "a type nobody declared",
    [record(), record({ resourceType: "Condition" })],
    {},
    ["undeclared-endpoint GET fhir read Condition"],
  ],
  [
    "the same, refused",
    [record(), record({ resourceType: "Condition", outcome: "deny", status: 403 })],
    {},
    ["undeclared-probe GET fhir read Condition"],
  ],
  [
    "what is done and refused in a batch",
    [
      record(),
      batch(entry({ interaction: "update", method: "PUT" }), entry({ resourceType: "Condition", ...REFUSED })),
    ],
    { interactions: ["read", "batch"] },
    ["undeclared-endpoint PUT fhir update Patient", "undeclared-probe GET fhir read Condition"],
  ],
  ["what is used in batches alone", [batch(entry({}))], { interactions: ["read", "batch"] }, []],
  ["an unknown client", [record({ client: "x" })], { consumers: ["y"] }, ["unknown-client x"]],
  ["a scope too much", [record({ scopes: ["a", "b"] })], { approvedScopes: ["a"] }, ["scope-not-approved b"]],
  ["an approved granular scope", [record({ scopes: ["a?c=d"] })], { approvedScopes: ["a?c=d"] }, []],
  ["an interaction nobody uses", [record()], { interactions: ["read", "vread"] }, ["unused-interaction vread"]],
  [
    "an operation nobody uses",
    [record()],
    { operations: ["everything"] },
    ["unused-interaction operation $everything"],
  ],
  ["no owner", [record()], { owner: undefined as never }, ["owner-missing"]],
  ["a vendor nobody reviewed", [record()], { vendor: { name: "v" } }, ["review-missing v"]],
  [
    "a review a year ago to the day",
    [record()],
    { vendor: { name: "v", reviewed: "2025-08-01" } },
    ["review-overdue v"],
  ],
  ["a review a day less ago", [record()], { vendor: { name: "v", reviewed: "2025-08-02" } }, []],
  [
    "a review every six months",
    [record()],
    { vendor: { name: "v", reviewed: "2026-02-01", reviewMonths: 6 } },
    ["review-overdue v"],
  ],
  ["deprecated and called", [record()], { deprecated: "2026-08-01" }, ["deprecated-in-use"]],
  ["to be deprecated tomorrow", [record()], { deprecated: "2026-08-02" }, []],
  ["retired and called", [record()], { deprecated: "2025-01-01", retired: "2026-08-01" }, ["retired-in-use"]],
  ["called before it is there", [record()], { introduced: "2026-09-01" }, ["planned-in-use"]],
])("%s", async (_title, records, entry, expected) => {
  expect(await codes(records, entry)).toEqual(expected);
});

it("unused is only said after long enough a look", async () => {
  const other = { ...CLEAN, id: "other", path: "/other" };
  const look = async (unusedDays: number) => codes([record()], {}, { entries: [CLEAN, other], unusedDays });
  expect(await look(61)).toEqual([]);
  expect(await look(60)).toEqual(["unused-endpoint"]);
});

it("bounds hold, and are told", async () => {
  const clients = Array.from({ length: 50 }, (_, index) => record({ client: `c${index}`, scopes: [] }));
  expect(await codes(clients, {}, { maxNames: 10 })).toEqual(["bound-met"]);
  const paths = Array.from({ length: 50 }, (_, index) => record({ routeId: `r${index}` }));
  const found = await codes([...paths, record()], {}, { maxUndeclared: 10 });
  expect(found).toHaveLength(11);
  expect(found).toContain("bound-met undeclared");
});

it("names who still calls, most first, with their last time", async () => {
  const records = [
    record({ client: "a" }),
    record({ client: "b" }),
    record({ client: "b", outcome: "deny", status: 410 }),
  ];
  const report = await inventoryReport(records, { entries: [CLEAN], now: NOW });
  expect(report.entries[0]?.callers).toEqual([
    { name: "b", answered: 1, refused: 1, lastAt: "2026-06-01T12:00:00.000Z" },
    { name: "a", answered: 1, refused: 0, lastAt: "2026-06-01T12:00:00.000Z" },
  ]);
});
