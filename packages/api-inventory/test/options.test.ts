import { ConfigurationError } from "@wardline/policy-types";
import { expect, it } from "vitest";
import {
  apiDocuments,
  apiInventory,
  cmsReport,
  entryIssues,
  inventoryReport,
  observePas,
  openUsageJournal,
} from "../src/index.ts";
import { FHIR, KEY, ROUTE } from "./support/records.ts";

function issuesOf(make: () => unknown): string[] {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}

it("the good entries are good", () => {
  expect(entryIssues([FHIR, ROUTE])).toEqual([]);
});

const BROKEN: readonly [title: string, changes: Record<string, unknown>, issue: string][] = [
  ["no id", { id: "" }, "entries[0].id required"],
  ["a relative path", { path: "fhir" }, "entries[0].path malformed"],
  ["a path with a slash at its end", { path: "/fhir/" }, "entries[0].path malformed"],
  ["an unknown zone", { zone: "lobby" }, "entries[0].zone unknown-value"],
  ["no API type", { apiType: "" }, "entries[0].apiType required"],
  ["two kinds at once", { methods: ["GET"] }, "entries[0] kind"],
  ["no kind", { interactions: undefined, operations: undefined }, "entries[0] kind"],
  ["an unknown interaction", { interactions: ["peek"] }, "entries[0].interactions[0] unknown-value"],
  ["an unknown type", { types: ["Patiant"] }, "entries[0].types[0] unknown-value"],
  ["an operation with its dollar", { operations: ["$everything"] }, "entries[0].operations[0] unknown-value"],
  ["an unknown key", { onwer: "x" }, "entries[0].onwer unknown-option"],
  ["an owner that is no text", { owner: 5 }, "entries[0].owner malformed"],
  ["a data class that is a list", { dataClass: ["phi"] }, "entries[0].dataClass malformed"],
  ["a vendor that is null", { vendor: null }, "entries[0].vendor not-an-object"],
  ["an agreement that is no text", { vendor: { name: "v", agreement: true } }, "entries[0].vendor.agreement malformed"],
  ["a vendor without a name", { vendor: {} }, "entries[0].vendor.name required"],
  [
    "a review every 13 months",
    { vendor: { name: "v", reviewMonths: 13 } },
    "entries[0].vendor.reviewMonths out-of-range",
  ],
  [
    "a review every 5 months",
    { vendor: { name: "v", reviewMonths: 5 } },
    "entries[0].vendor.reviewMonths out-of-range",
  ],
  ["a day that is none", { introduced: "2026-02-30" }, "entries[0].introduced not-a-date"],
  ["an instant on such a day", { introduced: "2026-02-30T12:00:00Z" }, "entries[0].introduced not-a-date"],
  ["a date in another spelling", { deprecated: "1/2/2026" }, "entries[0].deprecated not-a-date"],
  [
    "deprecated before it was introduced",
    { introduced: "2026-02-01", deprecated: "2026-01-01" },
    "entries[0].deprecated order",
  ],
  ["retired unannounced", { retired: "2027-01-01" }, "entries[0].retired not-announced"],
  [
    "retired a day before twelve months are over",
    { deprecated: "2026-03-01", retired: "2027-02-28" },
    "entries[0].retired notice-too-short",
  ],
  [
    "a successor that would break the header",
    { successor: "https://x.example/>; rel=evil" },
    "entries[0].successor malformed",
  ],
  ["a successor over plain http", { successor: "http://x.example/" }, "entries[0].successor malformed"],
];

it.each(BROKEN)("refuses %s, and nothing else is wrong", (_title, changes, issue) => {
  expect(issuesOf(() => apiInventory({ entries: [{ ...FHIR, ...changes } as never] }))).toEqual([issue]);
});

it("takes a notice of exactly twelve months, also from the last of February", () => {
  expect(entryIssues([{ ...FHIR, deprecated: "2026-03-01", retired: "2027-03-01" }])).toEqual([]);
  expect(entryIssues([{ ...FHIR, deprecated: "2028-02-29", retired: "2029-02-28" }])).toEqual([]);
});

it("tells all mistakes at once, two routes for one request among them", () => {
  const entries = [ROUTE, { ...ROUTE, zone: "lobby" } as never];
  expect(issuesOf(() => apiInventory({ entries, undeclared: "drop" as never, maxNames: 0 }))).toEqual([
    "entries[1].zone unknown-value",
    "entries[1].id duplicate",
    "entries[1].path claimed-twice",
    "entries[1].path claimed-twice",
    "undeclared unknown-value",
    "maxNames out-of-range",
  ]);
});

it("refuses what is no list of entries", () => {
  for (const entries of [undefined, [], {}, "x"]) {
    expect(issuesOf(() => apiInventory({ entries: entries as never }))).toEqual(["entries required"]);
  }
  expect(issuesOf(() => apiInventory({ entries: [null as never] }))).toEqual(["entries[0] malformed"]);
});

it("every factory refuses a misspelt option with the nearest name", async () => {
  const thrown = (make: () => unknown): string => {
    try {
      make();
      return "";
    } catch (error) {
      return String(error);
    }
  };
  expect(thrown(() => apiInventory({ entries: [FHIR], undeclard: "refuse" } as never))).toContain("`undeclared`");
  expect(thrown(() => openUsageJournal({ file: "f", key: KEY, timeZome: "UTC" } as never))).toContain("`timeZone`");
  expect(thrown(() => observePas({ jornal: 1 } as never))).toContain("`journal`");
  expect(thrown(() => apiDocuments({ entries: [FHIR], titel: "t", version: "1" } as never))).toContain("`title`");
  await expect(cmsReport([], { maxPatient: 1 } as never)).rejects.toThrow("`maxPatients`");
  await expect(inventoryReport([], { entries: [FHIR], unusedDay: 1 } as never)).rejects.toThrow("`unusedDays`");
});

it("methods that are no list are a finding", () => {
  expect(issuesOf(() => apiInventory({ entries: [{ ...ROUTE, methods: 5 } as never] }))).toEqual([
    "entries[0].methods malformed",
  ]);
});

it("the documents tell all mistakes at once, and every name they know", () => {
  const options = { entries: [FHIR], version: "1", description: 5, pagePaths: "/api", documentPath: "openapi.json" };
  expect(issuesOf(() => apiDocuments(options as never))).toEqual([
    "pagePaths unknown-option",
    "title required",
    "description malformed",
    "documentPath malformed",
  ]);
  expect(() => apiDocuments(options as never)).toThrow("did you mean `pagePath`?");
  expect(issuesOf(() => apiDocuments(undefined as never))).toEqual([" not-an-object"]);
});

it("a key that is too short is refused everywhere", async () => {
  const key = new Uint8Array(31);
  expect(issuesOf(() => openUsageJournal({ file: "f", key }))).toEqual(["key too-short"]);
  await expect(cmsReport([], { key })).rejects.toThrow("32 random bytes");
});

it("later changes of the caller's entries change nothing", () => {
  const entry = { ...FHIR, interactions: ["read" as const] };
  const inventory = apiInventory({ entries: [entry] });
  entry.path = "/elsewhere";
  expect(inventory.entries[0]?.path).toBe("/fhir");
});
